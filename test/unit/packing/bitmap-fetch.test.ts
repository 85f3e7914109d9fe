/**
 * Fetches that bitmaps answer: they get what a walk gives, and read less.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_FILTER, type ObjectFilter, typesFilter } from "../../../src/graph/object-filter.ts";
import { writeBitmap } from "../../../src/maintenance/write-bitmap.ts";
import type { RefRow } from "../../../src/refs/ref-rows.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { pseudoRandom, rawName, TINY, TestStore } from "../../support/store.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

function newRepository(): GitRepository {
  const repository = new GitRepository();
  repositories.push(repository);
  return repository;
}

/** Gives the first pack of the store bitmaps, or takes them away. */
async function setBitmaps(store: TestStore, isOn: boolean, refs: readonly RefRow[] = []): Promise<void> {
  const [first, ...others] = store.packs;
  if (first === undefined) throw new Error("there is no pack");
  const { bitmap: _, ...bare } = first;
  const { record } = store.answer(new Uint8Array(0));
  const written = isOn
    ? { bitmap: await writeBitmap({ repository: store.repository(), record, pack: bare, refs }) }
    : {};
  store.packs = [{ ...bare, ...written }, ...others];
  store.forget();
}

/** The objects that a client has after it fetched. */
function received(client: GitRepository, pack: Buffer): string[] {
  client.git(["index-pack", "--stdin", "--fix-thin"], pack);
  return client.lines(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered"]).sort();
}

function missingFrom(had: readonly string[], wanted: readonly string[]): string[] {
  const names = new Set(had);
  return wanted.filter((name) => !names.has(name));
}

/** Lists what a pack has. */
function listed(pack: Buffer): string[] {
  const client = newRepository();
  return received(client, pack);
}

describe("a fetch of one branch of many, without haves", () => {
  const source = newRepository();
  const store = new TestStore(TINY);
  beforeAll(async () => {
    makeHistory(source, 11, { commits: 160 });
    await store.push(source.pack(["c120", "c110", "c100", "c90"]), []);
    await store.push(source.pack(["--all", "^c120", "^c110", "^c100", "^c90"]), []);
    store.setRefs(source.lines(["for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"]));
    await setBitmaps(store, true);
  });

  it.each([118, 120, 125, 139, 150, 159])("gets what the commit reaches: c%i", async (number) => {
    const tip = source.oid(`c${number}`);
    expect(listed(await store.fetch({ wants: [tip] }))).toEqual(source.objects(tip));
  });

  it("gets the same with any filter as without bitmaps", async () => {
    const filters: ObjectFilter[] = [
      typesFilter("commit"),
      typesFilter("commit", "tree", "tag"),
      typesFilter("blob"),
      typesFilter("tree"),
      { ...NO_FILTER, treeDepth: 0 },
      { ...NO_FILTER, treeDepth: 2 },
      { ...NO_FILTER, blobBytes: 40 },
    ];
    const wants = [source.oid("c150"), source.oid("t147"), source.oid("c100^{tree}")];
    for (const filter of filters) {
      await setBitmaps(store, true);
      const some = listed(await store.fetch({ wants, filter }));
      await setBitmaps(store, false);
      expect(some).toEqual(listed(await store.fetch({ wants, filter })));
    }
    await setBitmaps(store, true);
  });

  it("gets it by a walk where the bitmaps are damaged", async () => {
    const tip = source.oid("c150");
    const [name] = [...store.storage.files.keys()].filter((file) => file.endsWith(".bitmap"));
    const bytes = store.storage.files.get(name ?? "") ?? new Uint8Array(0);
    for (const at of [5, 100, bytes.length - 200]) {
      store.storage.files.set(
        name ?? "",
        bytes.map((byte, i) => (i >= at && i < at + 8 ? 0xff : byte)),
      );
      store.forget();
      const names = listed(await store.fetch({ wants: [tip] }));
      expect(missingFrom(names, source.objects(tip))).toEqual([]);
    }
    store.storage.files.set(name ?? "", bytes);
  });
});

describe("a fetch of one branch of a long history", () => {
  const source = newRepository();
  const store = new TestStore({ ...TINY, cacheBytes: 4 << 20 });
  beforeAll(async () => {
    source.import(linear(2600));
    await store.push(source.pack(["main~100"]), [source.oid("main~100")]);
    await store.push(source.pack(["main", "^main~100"]), [source.oid("main")]);
    source.git(["branch", "half", "main~1200"]);
    store.setRefs(source.lines(["for-each-ref", "--format=%(refname) %(objectname)"]));
    await setBitmaps(store, true);
    store.makeRemote();
  });

  it("opens few trees: the steps are a part of a walk's", async () => {
    const half = source.oid("half");
    const costs: { steps: number; reads: number }[] = [];
    for (const isOn of [true, false]) {
      await setBitmaps(store, isOn);
      store.forget();
      const before = store.pacer.steps;
      expect(listed(await store.fetch({ wants: [half] }))).toEqual(source.objects(half));
      costs.push({ steps: store.pacer.steps - before, reads: store.cost.reads });
    }
    const [by, without] = costs;
    expect(by?.steps).toBeLessThan((without?.steps ?? 0) / 4);
    expect(by?.reads).toBeLessThanOrEqual(without?.reads ?? 0);
    await setBitmaps(store, true);
  });

  it("reads no commit and no tree where a branch's commit has a bitmap and the graph has its history", async () => {
    const half = source.oid("half");
    await store.makeGraph();
    await setBitmaps(store, true, [{ name: "refs/heads/half", oid: rawName(half) }]);
    expect(listed(await store.fetch({ wants: [half] }))).toEqual(source.objects(half));
    expect(store.log.map((line) => line.replace(/ \d.*/, "").split(".").at(-1))).toEqual([
      "graph",
      "bitmap",
      "idx",
      "pack",
    ]);
    store.graphs = [];
    await setBitmaps(store, true);
  });

  it("walks no further than to what bitmaps tell that the client has", async () => {
    const wants = [source.oid("main~2400"), source.oid("main~2500"), source.oid("main")];
    const haves = [source.oid("main~20"), source.oid("main~30")];
    const lacks = source.objects(source.oid("main"), `^${haves[0]}`);
    const steps: number[] = [];
    for (const isOn of [true, false]) {
      await setBitmaps(store, isOn);
      const before = store.pacer.steps;
      const pack = await store.fetch({ wants, haves });
      steps.push(store.pacer.steps - before);
      expect(pack.readUInt32BE(8)).toBe(lacks.length);
      const client = newRepository();
      client.git(["fetch", "-q", source.dir, haves[0] ?? ""]);
      expect(missingFrom(received(client, pack), lacks)).toEqual([]);
    }
    expect(steps[0]).toBeLessThan((steps[1] ?? 0) * 0.75);
    await setBitmaps(store, true);
  });

  it("gets what a client with some of it lacks, and little more", async () => {
    const random = pseudoRandom(3);
    for (let round = 0; round < 3; round++) {
      const have = source.oid(`main~${1300 + random(1200)}`);
      const client = newRepository();
      client.receive(source.pack([have]));
      const [want] = round === 0 ? [source.oid("half")] : [source.oid("main")];
      const before = store.pacer.steps;
      const pack = await store.fetch({ wants: [want ?? ""], haves: [have] });
      expect(store.pacer.steps).toBeGreaterThan(before);
      expect(missingFrom(received(client, pack), source.objects(want ?? ""))).toEqual([]);
      expect(pack.readUInt32BE(8)).toBeLessThan(source.objects(want ?? "", `^${have}`).length * 1.05);
    }
  });
});
