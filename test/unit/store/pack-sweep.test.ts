/** What a sweep brings is what C git finds a delta made from, in few reads. */
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { ObjectDatabase } from "../../../src/store/object-database.ts";
import type { PackHandle } from "../../../src/store/pack-handle.ts";
import { type PackOrder, loadPackOrder } from "../../../src/store/pack-order.ts";
import { sweepPack } from "../../../src/packing/pack-sweep.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { nodeHash, TestStore, pseudoRandom } from "../../support/store.ts";

const ROOMY = { reads: 8, runBytes: 1024 * 1024, heldBytes: 1024 * 1024 };

describe("sweepPack", () => {
  let git: GitRepository;
  let store: TestStore;
  let handle: PackHandle;
  let order: PackOrder;
  /** Of each object that is a delta, its base: as git says. */
  const bases = new Map<string, string>();
  beforeAll(async () => {
    git = new GitRepository();
    makeHistory(git, 11, { commits: 60 });
    store = new TestStore();
    const tips = git.lines(["for-each-ref", "--format=%(objectname)"]);
    const pack = git.pack(tips, "--delta-base-offset");
    await store.push(pack, tips);
    const database = new ObjectDatabase(store.packs, {
      placeOf: () => ({ storage: store.counted(), scope: "r" }),
      cache: store.cache,
      hash: nodeHash,
      format: store.format,
      pacer: store.pacer,
    });
    const [only] = database.packs;
    if (only === undefined) throw new Error("no pack");
    handle = only;
    order = await loadPackOrder(handle, store.format);
    const client = new GitRepository();
    try {
      client.receive(await handle.readRun(0, handle.record.packBytes));
      const format = "--batch-check=%(objectname) %(deltabase)";
      for (const line of client.lines(["cat-file", "--batch-all-objects", format])) {
        const [name = "", base = ""] = line.split(" ");
        if (!/^0*$/.test(base)) bases.set(name, base);
      }
    } finally {
      client.dispose();
    }
  });
  afterAll(() => git.dispose());

  const rankOf = (name: string): number =>
    order.rankOf(order.index.offsetAt(order.index.find(fromHex(name) ?? new Uint8Array(0))));

  it("gathers the entries asked for and, if a base is needed, all below it", async () => {
    expect(bases.size).toBeGreaterThan(20);
    const random = pseudoRandom(3);
    const names = [...bases.keys()].filter(() => random(4) === 0);
    const ranks = names.map(rankOf).toSorted((a, b) => a - b);
    const expected = new Set<number>();
    for (const name of names) {
      for (let at: string | undefined = name; at !== undefined; at = bases.get(at))
        expected.add(order.offsetAt(rankOf(at)));
    }
    const before = store.cost.reads;
    const request = { handle, order, ranks, needsBase: () => true, rawSize: store.format.rawSize };
    const gathered = await sweepPack(request, ROOMY);
    const held = gathered.entries;
    expect(store.cost.reads - before).toBeLessThanOrEqual(ROOMY.reads);
    expect([...held.keys()].toSorted((a, b) => a - b)).toEqual([...expected].toSorted((a, b) => a - b));
    for (const [offset, entry] of held) {
      const rank = order.rankOf(offset);
      const stored = await handle.readRun(offset, order.offsetAt(rank + 1) - offset);
      expect(Buffer.from(entry).equals(Buffer.from(stored))).toBe(true);
    }
    const [some = new Uint8Array(1)] = held.values();
    gathered.free();
    expect([held.size, some.length]).toEqual([0, 0]);
  });

  it("leaves out bases that are not needed, and entries that are too large or past its bound", async () => {
    const ranks = [...bases.keys()].map(rankOf).toSorted((a, b) => a - b);
    const request = { handle, order, ranks, rawSize: store.format.rawSize };
    const { entries: alone } = await sweepPack({ ...request, needsBase: () => false }, ROOMY);
    expect(alone.size).toBe(ranks.length);
    const { entries: tiny } = await sweepPack({ ...request, needsBase: () => false }, { ...ROOMY, runBytes: 60 });
    expect(tiny.size).toBeLessThan(ranks.length);
    for (const entry of tiny.values()) expect(entry.length).toBeLessThanOrEqual(60);
    const { entries: bounded } = await sweepPack(
      { ...request, needsBase: () => true },
      { ...ROOMY, heldBytes: 1, runBytes: 4096 },
    );
    let bytes = 0;
    for (const entry of bounded.values()) bytes += entry.length;
    expect(bytes).toBeLessThanOrEqual(4096);
  });

  it("throws the error of a read that fails within", async () => {
    const ranks = [...bases.keys()].map(rankOf).toSorted((a, b) => a - b);
    const request = { handle, order, ranks, rawSize: store.format.rawSize, needsBase: () => true };
    const broken = {
      read: async (buffer: Uint8Array<ArrayBuffer>): Promise<never> => {
        buffer.buffer.transfer();
        throw new CorruptStore("gone");
      },
      cancel: async () => undefined,
    };
    const failing = Object.assign(Object.create(handle), { openRun: async () => broken });
    await expect(sweepPack({ ...request, handle: failing }, ROOMY)).rejects.toThrow("gone");
  });
});
