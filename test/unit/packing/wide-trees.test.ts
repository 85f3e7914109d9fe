/**
 * Counts of storage operations on a repository of wide trees, at a tenth of its size and with a tenth of the memory, after a
 * deleted branch has cleared the mark of its pack.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { narrowed, wideTrees } from "../../../scripts/bench/wide-trees.ts";
import { NO_FILTER, type ObjectFilter } from "../../../src/graph/object-filter.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore } from "../../support/store.ts";

const PART = 10;
const MIB = 1024 * 1024;
/** What an isolate has, or a part of it, in whole blocks. */
const partOf = (bytes: number, part: number): number => Math.floor(bytes / part / 65_536) * 65_536;

const NO_BLOBS: ObjectFilter = { ...NO_FILTER, blobBytes: 0 };
const NO_TREES: ObjectFilter = { ...NO_FILTER, treeDepth: 0 };

let source: GitRepository;
let tip = "";
let half = "";
let pack: Uint8Array = new Uint8Array(0);

beforeAll(() => {
  source = new GitRepository();
  source.git(["fast-import", "--quiet"], [...wideTrees(narrowed(PART), "refs/heads/main")].join(""));
  tip = source.git(["rev-parse", "main"]).toString().trim();
  half = source
    .git(["rev-parse", `main~${narrowed(PART).commits / 2}`])
    .toString()
    .trim();
  source.git(["branch", "gone", "main~3"]);
  source.git(["repack", "-adfq"]);
  pack = source.git(["pack-objects", "--revs", "--stdout", "--delta-base-offset", "-q"], `${tip}\n`);
});
afterAll(() => source.dispose());

/** Pushes everything, and deletes a branch. */
async function pushed(part: number): Promise<TestStore> {
  const store = new TestStore({
    windowBytes: MIB / 2,
    ringBytes: partOf(16 * MIB, part),
    cacheBytes: partOf(36 * MIB, part),
  });
  await store.push(pack, [tip]);
  store.makeRemote();
  store.packs = store.packs.map((record) => ({ ...record, marked: false }));
  store.setRefs([`refs/heads/main ${tip}`, `refs/heads/half ${half}`]);
  return store;
}

type Cost = {
  readonly sent: Buffer;
  readonly objects: number;
  readonly operations: number;
  readonly packsRead: number;
};

/** Fetches as a clone does. `packsRead` is the bytes read of the pack, in packs. */
async function cost(
  store: TestStore,
  wants: readonly string[],
  { filter = NO_FILTER, haves = [] }: { readonly filter?: ObjectFilter; readonly haves?: readonly string[] } = {},
): Promise<Cost> {
  store.forget();
  const sent = await store.fetch({ wants, filter, haves });
  const lengths = store.log.flatMap((line) => /\.pack \d+\+(\d+)$/.exec(line)?.[1] ?? []);
  const bytes = lengths.reduce((sum, length) => sum + Number(length), 0);
  return { sent, objects: sent.readUInt32BE(8), operations: store.cost.reads, packsRead: bytes / pack.length };
}

function countOf(...revisions: readonly string[]): number {
  return source.lines(["rev-list", "--objects", ...revisions]).length;
}

describe("wide trees whose pack has no mark", () => {
  it("are cloned with 60 operations with a tenth of the memory, whole and without blobs", async () => {
    const store = await pushed(PART);
    const whole = await cost(store, [tip, half]);
    expect(whole).toMatchObject({ objects: countOf(tip) });
    expect(whole.operations).toBeLessThanOrEqual(60);
    expect(whole.packsRead).toBeLessThanOrEqual(4);
    const bare = await cost(store, [tip, half], { filter: NO_BLOBS });
    expect(bare).toMatchObject({ objects: countOf("--filter=blob:none", tip) });
    expect(bare.operations).toBeLessThanOrEqual(60);
    expect(bare.packsRead).toBeLessThanOrEqual(4);
  });

  it("are cloned in part with 200 operations with a tenth of the memory", async () => {
    const store = await pushed(PART);
    const single = await cost(store, [half]);
    expect(single).toMatchObject({ objects: countOf(half) });
    expect(single.operations).toBeLessThanOrEqual(200);
    expect(single.packsRead).toBeLessThanOrEqual(6);
    const commits = await cost(store, [tip, half], { filter: NO_TREES });
    expect(commits).toMatchObject({ objects: countOf("--filter=tree:0", tip) });
    expect(commits.operations).toBeLessThanOrEqual(20);
  });

  it("are fetched in two halves with 200 operations each with a tenth of the memory", async () => {
    const store = await pushed(PART);
    const first = await cost(store, [half]);
    const second = await cost(store, [tip], { haves: [half] });
    expect(second.operations).toBeLessThanOrEqual(200);
    expect(second.packsRead).toBeLessThanOrEqual(11);
    expect(second.objects).toBeLessThanOrEqual(countOf(tip, `^${half}`) * 1.01);
    const client = new GitRepository();
    try {
      client.git(["index-pack", "--stdin", "--strict"], first.sent);
      client.git(["index-pack", "--stdin", "--fix-thin", "--strict"], second.sent);
      client.git(["update-ref", "refs/heads/main", tip]);
      expect(client.lines(["rev-list", "--objects", "main"])).toHaveLength(countOf(tip));
    } finally {
      client.dispose();
    }
  });

  it("are read twice at most where their directories fit the memory", async () => {
    const store = await pushed(1);
    const whole = await cost(store, [tip, half]);
    expect(whole.operations).toBeLessThanOrEqual(60);
    expect(whole.packsRead).toBeLessThanOrEqual(2.1);
  });
});
