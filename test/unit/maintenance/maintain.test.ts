/** Steps of maintenance: what they do to a catalog, what becomes of one that fails, and of two at once. */
import { afterAll, describe, expect, it } from "vitest";
import { maintain, type Maintained } from "../../../src/maintenance/maintain.ts";
import type { MaintenanceRun } from "../../../src/refs/maintenance-store.ts";
import type { PackStorage } from "../../../src/catalog/pack-storage.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { type MemoryRefStore, memoryRefStore } from "../../support/memory-ref-store.ts";
import { TINY, TestStore } from "../../support/store.ts";
import { create, createdRecord, move, push } from "../../suites/ref-store.ts";

const source = new GitRepository();
source.import(linear(14));
afterAll(() => source.dispose());

const MAIN = "refs/heads/main";

/** A repository whose refs and catalog are tables in memory, and whose packs are in a {@link TestStore}. */
class Bed {
  readonly packs = new TestStore(TINY);
  readonly refs: MemoryRefStore = memoryRefStore();
  #names = 0;
  tip = "";

  get maintained(): Maintained {
    return this.on(this.packs.counted());
  }

  /** The repository on another storage. */
  on(storage: PackStorage): Maintained {
    const repository = { ...this.packs.repository(), refs: this.refs, storage: () => storage };
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(++this.#names);
    return { repository: { ...repository, random }, maintenance: this.refs, catalog: this.refs };
  }

  /** Pushes each commit by itself. */
  async fill(): Promise<void> {
    for (const commit of source.lines(["rev-list", "--reverse", "main"])) {
      const revs = this.tip === "" ? [commit] : [commit, `^${this.tip}`];
      const pack = await this.packs.push(source.pack(revs, "--thin"), [commit]);
      const update = this.tip === "" ? create(MAIN, commit) : move(MAIN, this.tip, commit);
      await push(this.refs, [update], { pack });
      this.tip = commit;
    }
  }

  async id(): Promise<string> {
    return (await createdRecord(this.refs)).id;
  }

  /** Clones what the catalog names, and has git look at it. Returns the objects that came, and the packs' names. */
  async cloned(): Promise<{ objects: string[]; names: string[] }> {
    const opened = await this.refs.open({ packs: true });
    if (opened.kind === "missing") throw new Error("missing");
    this.packs.forget();
    this.packs.packs = [...opened.packs];
    this.packs.refs.set(MAIN, { oid: this.tip });
    const client = new GitRepository();
    try {
      client.git(["index-pack", "--stdin", "--strict"], await this.packs.fetch({ wants: [this.tip] }));
      return { objects: client.objects(this.tip), names: opened.packs.map(({ name }) => name) };
    } finally {
      client.dispose();
    }
  }

  /** The packs of which there are files. */
  get stored(): Set<string> {
    return new Set([...this.packs.storage.files.keys()].map((name) => name.slice(0, name.indexOf("."))));
  }
}

/** Checks that a clone gets everything. Returns the names of the catalog's packs. */
async function check(bed: Bed): Promise<string[]> {
  const { objects, names } = await bed.cloned();
  expect(objects).toEqual(source.objects(bed.tip));
  return names;
}

async function filled(): Promise<Bed> {
  const bed = new Bed();
  await bed.fill();
  return bed;
}

/** A storage whose n-th operation fails, before it does anything. */
function failingAt(storage: PackStorage, n: number): { storage: PackStorage; failed: () => boolean } {
  let left = n;
  const guard = <T extends (...input: never[]) => Promise<unknown>>(work: T): T =>
    (async (...input: never[]) => {
      if (left-- === 0) throw new Error("R2 is away");
      return await work(...input);
    }) as unknown as T;
  return {
    storage: {
      read: guard(storage.read.bind(storage)),
      openStream: guard(storage.openStream.bind(storage)),
      write: guard(storage.write.bind(storage)),
      createUpload: guard(storage.createUpload.bind(storage)),
      delete: guard(storage.delete.bind(storage)),
      deletePack: storage.deletePack.bind(storage),
    },
    failed: () => left < 0,
  };
}

describe("maintain", () => {
  it("puts one pack in the place of many, and says what it did", async () => {
    const bed = await filled();
    const run = await maintain(bed.maintained, await bed.id());
    expect(run).toMatchObject({ outcome: "done", packs: 14 });
    expect(run.written).toBeGreaterThan(0);
    expect(await check(bed)).toHaveLength(1);
    const state = await bed.refs.maintenance();
    expect(state).toMatchObject({ due: 0, asked: false, total: { packs: 1 }, unmarked: { packs: 0 }, runs: [run] });
    expect((await maintain(bed.maintained, await bed.id())).outcome).toBe("nothing");
  });

  it("keeps the files of the packs that were replaced, for readers that began before", async () => {
    const bed = await filled();
    const before = bed.stored;
    await maintain(bed.maintained, await bed.id());
    expect(bed.stored).toEqual(new Set([...before, ...(await check(bed))]));
  });

  it("reports a failure of any storage operation, leaves catalog and bucket as they were, and succeeds later", async () => {
    const bed = await filled();
    const before = bed.stored;
    const id = await bed.id();
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      if (!failed()) {
        expect(n).toBeGreaterThan(14);
        expect(run.outcome).toBe("done");
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", error: "R2 is away" });
      expect(bed.stored).toEqual(before);
      expect((await bed.refs.maintenance())?.total.packs).toBe(14);
    }
    expect(await check(bed)).toHaveLength(1);
  });

  it("is done once by two consumers of the same job; the other's work is dropped", async () => {
    const bed = await filled();
    const id = await bed.id();
    const runs = await Promise.all([maintain(bed.maintained, id), maintain(bed.maintained, id)]);
    expect(runs.map(({ outcome }) => outcome).toSorted()).toEqual(["done", "stale"]);
    const names = await check(bed);
    expect(names).toHaveLength(1);
    expect([...bed.stored].filter((name) => name.length === 40)).toEqual(names);
  });

  it("does nothing to another repository of the same name", async () => {
    const bed = await filled();
    expect((await maintain(bed.maintained, "another")).outcome).toBe("nothing");
    expect((await bed.refs.maintenance())?.runs).toEqual([]);
  });

  it("is tried again later after a failure, and at once where it is asked for", async () => {
    const bed = await filled();
    const id = await bed.id();
    const { database } = bed.refs;
    const now = Date.now();
    expect(database.maintenance.nextDue(now)).toBe(now);
    const failed: MaintenanceRun = { outcome: "failed", at: now, ms: 1, packs: 14, objects: 1, bytes: 1, written: 0 };
    await bed.refs.endMaintenance(id, { ...failed, error: "x".repeat(5000) });
    const first = database.maintenance.nextDue(now) ?? 0;
    expect(first).toBeGreaterThan(now);
    await bed.refs.endMaintenance(id, failed);
    expect(database.maintenance.nextDue(now)).toBeGreaterThan(first);
    expect((await bed.refs.maintenance())?.runs.map(({ error = "" }) => error.length)).toEqual([0, 1000]);
    await bed.refs.askForMaintenance();
    expect(database.maintenance.nextDue(now)).toBe(now);
  });
});
