/**
 * Objects read back out of stored packs, against git cat-file: every one, however the pack is indexed and laid out.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { BLOCK_BYTES, BlockCache } from "../../../src/store/block-cache.ts";
import { ClockCache } from "../../../src/store/clock-cache.ts";
import type { ObjectDatabase } from "../../../src/store/object-database.ts";
import { ObjectReader } from "../../../src/store/object-reader.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { loadPackOrder } from "../../../src/store/pack-order.ts";
import { FixtureStream, everything, linear, noise } from "../../support/git-fixtures.ts";
import { buildPack, objectId } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { type StoreLayout, TINY, TestStore, pseudoRandom, rawName, rawNames } from "../../support/store.ts";

const TYPES = ["", "commit", "tree", "blob", "tag"];

/** Blobs that lie across many blocks of a pack. */
function wide(): FixtureStream {
  const stream = new FixtureStream();
  for (let i = 0; i < 12; i++) {
    stream.commit("refs/heads/main", [
      { path: `f${i}`, content: noise(110_000, i) },
      { path: "g", content: Buffer.concat([noise(100_000, 99), Buffer.from(`${i}`)]) },
    ]);
  }
  return stream;
}

type Listed = { readonly oid: string; readonly type: string; readonly size: number };

function listObjects(git: GitRepository): Listed[] {
  const format = "--batch-check=%(objectname) %(objecttype) %(objectsize)";
  return git.lines(["cat-file", format, "--batch-all-objects"]).map((line) => {
    const [oid = "", type = "", size = ""] = line.split(" ");
    return { oid, type, size: Number(size) };
  });
}

/** Runs with a reader over all packs. */
async function withReader(
  store: TestStore,
  use: (reader: ObjectReader, database: ObjectDatabase, inflating: Inflating) => Promise<void>,
): Promise<void> {
  const kernel = await store.kernels.lend(store.format.rawSize);
  try {
    const database = store.database();
    const inflating = new Inflating(
      kernel,
      new ObjectRing(kernel.ringAt, kernel.ringBytes),
      new Pacer(async () => undefined),
    );
    await use(new ObjectReader(database, inflating), database, inflating);
  } finally {
    store.kernels.giveBack(kernel);
  }
}

const LAYOUTS: Record<string, StoreLayout> = {
  roomy: {},
  tiny: TINY,
  // a cache that holds a block or two
  "without cache": { cacheBytes: 300_000 },
  "of SHA-256": { format: "sha256" },
};

describe.each(Object.entries({ everything: everything(), linear: linear(60), wide: wide() }))(
  "the stored objects of the history %s",
  (_n, stream) => {
    describe.each(Object.entries(LAYOUTS))("%s", (_layout, layout) => {
      let git: GitRepository;
      let store: TestStore;
      let objects: Listed[];
      beforeAll(async () => {
        git = new GitRepository(`--object-format=${layout.format ?? "sha1"}`);
        git.import(layout.format === "sha256" ? linear(20) : stream);
        objects = listObjects(git);
        store = new TestStore(layout);
        await store.push(git.pack(["--all"], "--delta-base-offset", "--depth=50"), []);
      });
      afterAll(() => git.dispose());

      it.each([false, true])("are read back, with a remote index: %s", async (remote) => {
        if (remote) store.makeRemote();
        store.forget();
        const contents = git.git(["cat-file", "--batch", "--buffer"], `${objects.map(({ oid }) => oid).join("\n")}\n`);
        const random = pseudoRandom(objects.length);
        await withReader(store, async (reader) => {
          let at = 0;
          for (const { oid, type, size } of objects) {
            at = contents.indexOf("\n", at) + 1;
            if (random(3) === 0) expect(TYPES[await reader.typeOf(rawName(oid))]).toBe(type);
            const copy = await reader.readCopy(rawName(oid));
            expect(TYPES[copy.type]).toBe(type);
            expect(Buffer.compare(copy.bytes, contents.subarray(at, at + size))).toBe(0);
            at += size + 1;
          }
        });
        // again in no order, some again and again
        await withReader(store, async (reader) => {
          for (let i = 0; i < 200; i++) {
            const object = objects[random(objects.length)];
            if (object === undefined) continue;
            const copy = await reader.readCopy(rawName(object.oid));
            expect(copy.bytes.length).toBe(object.size);
          }
        });
        expect(store.cache.byteLength).toBeLessThanOrEqual(layout.cacheBytes ?? 16 << 20);
      });

      it("are read without a promise once their bytes are in memory, deltas and all", async () => {
        store.forget();
        const read = new Map<string, Uint8Array>();
        await withReader(store, async (reader, database) => {
          await database.loadIndexes();
          expect(reader.readAtHand(rawName(objects[0]?.oid ?? ""))).toBeUndefined();
          for (const { oid } of objects) read.set(oid, (await reader.readCopy(rawName(oid))).bytes);
        });
        // Nothing is in the ring of another reader: objects are made from what the cache has.
        await withReader(store, async (reader, database, inflating) => {
          await database.loadIndexes();
          const { reads } = store.cost;
          let atHand = 0;
          for (const { oid, type, size } of objects) {
            // Where a pause is due nothing is read without one.
            if (database.context.pacer.isDue) await database.context.pacer.pace();
            const made = reader.readAtHand(rawName(oid));
            if (made === undefined) continue;
            atHand++;
            expect([TYPES[made.type], made.held.size]).toEqual([type, size]);
            expect(Buffer.compare(inflating.bytes(made.held), read.get(oid) ?? Buffer.of())).toBe(0);
          }
          // Some are larger than a block, or lie across two.
          expect(atHand).toBeGreaterThanOrEqual(layout.cacheBytes === undefined ? objects.length / 4 : 0);
          expect(store.cost.reads).toBe(reads);
        });
      });

      it("are found with their types, many or one at a time, and nothing else is", async () => {
        const names = objects.map(({ oid }) => oid);
        const missing = names.map((name) => `${name.slice(0, -2)}${name.endsWith("00") ? "01" : "00"}`);
        for (const few of [names.slice(0, 3), names, [...missing, ...names]]) {
          store.forget();
          const database = store.database();
          const types = await database.typesOf(rawNames(few));
          expect([...types].map((type) => TYPES[type])).toEqual(
            few.map((name) => objects.find(({ oid }) => oid === name)?.type ?? ""),
          );
        }
        store.forget();
        const database = store.database();
        for (const { oid } of objects) {
          const { packs } = await database.locate(rawName(oid));
          expect([...packs]).toEqual([0]);
        }
        await expect(database.offsetOf(rawName(missing[0] ?? ""))).rejects.toMatchObject({
          name: "MissingObject",
          oid: missing[0],
        });
      });

      it("lie in the order that verify-pack lists", async () => {
        const [record] = store.packs;
        const [handle] = store.database().packs;
        if (record === undefined || handle === undefined) throw new Error("no pack");
        const order = await loadPackOrder(handle, store.format);
        const ends: number[] = [];
        for (let rank = 0; rank < order.count; rank++) {
          expect(order.rankOf(order.offsetAt(rank))).toBe(rank);
          ends.push(order.offsetAt(rank + 1));
        }
        expect(order.offsetAt(0)).toBe(12);
        expect(ends.at(-1)).toBe(record.packBytes - store.format.rawSize);
        expect(() => order.rankOf(13)).toThrow(
          expect.objectContaining({ name: "CorruptStore", place: { offset: 13 } }),
        );
        await withReader(store, async (reader) => {
          for (let rank = 0; rank < order.count; rank++) {
            const end = await reader.entryEnd(0, order.offsetAt(rank));
            if (end !== undefined) expect(end).toBe(ends[rank]);
          }
        });
      });
    });
  },
);

describe("a large index", () => {
  const COUNT = 40_000;
  const contents = Array.from({ length: COUNT }, (_, i) => `blob ${i}`);
  const oids = contents.map((content) => objectId("blob", content));
  const store = new TestStore();
  beforeAll(async () => {
    await store.push(buildPack(contents.map((content) => ({ type: "blob", content }))));
    store.makeRemote();
  });
  beforeEach(() => store.forget());

  it("costs three reads for one object, and none for objects in the same places", async () => {
    await withReader(store, async (reader) => {
      for (let times = 0; times < 2; times++) {
        const copy = await reader.readCopy(rawName(oids[77] ?? ""));
        expect(Buffer.from(copy.bytes).toString()).toBe("blob 77");
        expect(store.log.map((line) => line.split(" ")[1])).toEqual(["pack0.idx", "pack0.idx", "pack0.pack"]);
        expect(store.cost.bytesRead).toBeLessThan(800_000);
      }
    });
  });

  it("gives the offsets of objects in other places with those that it was asked for", async () => {
    const database = store.database();
    for (let i = 0; i < 20; i++) await database.offsetOf(rawName(oids[i * 97] ?? ""));
    // A read for each bucket of names, of which there are 20 at most, and five for all 40,000 offsets.
    expect(store.log.filter((line) => line.includes("pack0.idx")).length).toBeLessThanOrEqual(20 + 5);
  });

  it("is read whole for names in several buckets", async () => {
    const database = store.database();
    const { packs, positions } = await database.locate(rawNames(oids.slice(0, 300)));
    expect(packs.every((pack) => pack === 0)).toBe(true);
    expect(store.cost.reads).toBe(1);
    const [offset] = (await database.packs[0]?.offsets([...positions])) ?? [];
    expect(offset).toBe(12);
    expect(store.cost.reads).toBe(1);
  });

  it("is read whole once hundreds of names were looked up one by one", async () => {
    const database = store.database();
    for (let i = 0; i < 400; i++) {
      const { pack, offset } = await database.offsetOf(rawName(oids[i * 97] ?? ""));
      expect(pack).toBe(0);
      const bytes = store.storage.files.get("pack0.pack");
      expect((bytes?.[offset] ?? 0) >> 4).toBe(3);
    }
    expect(store.log.filter((line) => / 0\+\d{7}$/.test(line)).length).toBe(1);
    expect(store.cost.reads).toBeLessThan(520);
  });

  it("is not searched where it is in memory, and a tip pack that was not read yet has the objects", async () => {
    const [large, ...none] = store.packs;
    expect(none).toEqual([]);
    const tip = contents.slice(0, 2000).map((content) => ({ type: "blob", content }) as const);
    const copy = { ...(await store.push(buildPack(tip))), source: "copy" } as const;
    store.packs = large === undefined ? [] : [large, copy];
    store.makeRemote([copy]);
    try {
      store.forget();
      const database = store.database();
      await database.loadIndexes();
      database.useCopies();
      const { packs } = await database.locate(rawNames([oids[1500], oids[3000]].map(String)));
      expect([...packs]).toEqual([1, 0]);
      expect(store.cost.reads).toBe(2);
    } finally {
      store.packs = large === undefined ? [] : [large];
    }
  });

  it("tells which names it does not have", async () => {
    const names = oids.slice(0, 40).map((oid) => `${oid.slice(0, 36)}0000`);
    for (const some of [names.slice(0, 1), names]) {
      const { packs } = await store.database().locate(rawNames(some));
      expect([...packs].every((pack) => pack === -1)).toBe(true);
    }
  });

  it("leaves the types of many objects to the file of types", async () => {
    const types = await store.database().typesOf(rawNames(oids));
    expect(types.every((type) => type === 3)).toBe(true);
    expect(store.log.some((line) => line.includes(".kinds"))).toBe(true);
  });
});

describe("a damaged store", () => {
  it("is told as such, with its pack and offset", async () => {
    const git = new GitRepository();
    git.import(linear(20));
    const pack = git.pack(["--all"], "--delta-base-offset");
    const objects = listObjects(git);
    const random = pseudoRandom(5);
    for (let round = 0; round < 60; round++) {
      const store = new TestStore(TINY);
      const record = await store.push(pack);
      const bytes = store.storage.files.get(`${record.name}.pack`);
      const at = 12 + random(pack.length - 32);
      if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      await withReader(store, async (reader) => {
        for (const { oid } of objects) {
          try {
            // What can't be read at hand is left to the reader that tells what is wrong.
            reader.readAtHand(rawName(oid));
            await reader.readCopy(rawName(oid));
          } catch (error) {
            // What was accepted once is refused by the same checks, as damage that says where it is.
            if (error instanceof LimitExceeded) continue;
            expect(error).toMatchObject({
              name: "CorruptStore",
              place: { pack: record.name, offset: expect.any(Number) },
            });
          }
        }
      });
    }
    git.dispose();
  });
});

describe("ClockCache", () => {
  it("stays within its bound, and evicts what was used longest ago", () => {
    const lost: number[] = [];
    const cache = new ClockCache((bytes) => lost.push(bytes[0] ?? 0));
    for (let i = 0; i < 10; i++) {
      cache.set(`${i}`, new Uint8Array(20).fill(i));
      cache.shrink(100);
    }
    expect(cache.byteLength).toBe(100);
    expect(lost).toEqual([0, 1, 2, 3, 4]);
    expect(cache.find("4")).toBeUndefined();
    const used = cache.find("5");
    expect(used?.bytes?.[0]).toBe(5);
    cache.set("new", new Uint8Array(20));
    cache.shrink(100);
    expect(used?.bytes).toBeDefined();
    expect(cache.find("6")).toBeUndefined();
    cache.set("new", new Uint8Array(50));
    cache.shrink(100);
    expect(cache.byteLength).toBeLessThanOrEqual(100);
    expect(cache.find("new")?.bytes?.length).toBe(50);
    cache.shrink(0);
    expect([cache.byteLength, used?.bytes]).toEqual([0, undefined]);
  });
});

describe("BlockCache", () => {
  const block = new Uint8Array(BLOCK_BYTES);

  it("copies blocks into memory that it reuses", () => {
    const cache = new BlockCache({ files: 0, blocks: 4 * BLOCK_BYTES });
    const read = new Uint8Array(8 * BLOCK_BYTES);
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 40; i++) {
      cache.setBlock(`${i}`, read.fill(i).subarray(0, BLOCK_BYTES));
      const kept = cache.findBlock(`${i}`)?.bytes;
      expect(kept?.[BLOCK_BYTES - 1]).toBe(i);
      if (kept !== undefined) buffers.add(kept.buffer);
    }
    expect(buffers).not.toContain(read.buffer);
    expect(buffers.size).toBeLessThanOrEqual(5);
    const early = cache.findBlock("38");
    for (let i = 40; i < 48; i++) cache.setBlock(`${i}`, block);
    expect(early?.bytes).toBeUndefined();
    cache.setBlock("the last of a pack", block.subarray(0, 10));
    expect(cache.findBlock("the last of a pack")?.bytes?.buffer.byteLength).toBe(10);
    expect(cache.byteLength).toBeLessThanOrEqual(4 * BLOCK_BYTES);
  });

  it("keeps files that blocks cannot evict, and frees the memory of evicted blocks", () => {
    const cache = new BlockCache({ files: 7 * BLOCK_BYTES, blocks: 3 * BLOCK_BYTES });
    const file = new Uint8Array(6 * BLOCK_BYTES);
    cache.set("too large", new Uint8Array(7 * BLOCK_BYTES + 1));
    expect(cache.get("too large")).toBeUndefined();
    cache.set("a file", file);
    for (let i = 0; i < 100; i++) cache.setBlock(`${i}`, block);
    expect(cache.get("a file")).toBe(file);
    for (const name of ["one", "two"]) cache.set(name, new Uint8Array(BLOCK_BYTES));
    expect(cache.byteLength).toBeLessThanOrEqual(10 * BLOCK_BYTES);
    cache.setBlock("next", block);
    const views = ["97", "98", "99", "next"].map((key) => cache.findBlock(key)?.bytes);
    cache.trim(0);
    expect(cache.byteLength).toBe(0);
    for (const view of views) expect(view?.length ?? 0).toBe(0);
    cache.set("a file", file);
    cache.free();
    expect([cache.byteLength, file.length]).toEqual([0, 0]);
  });
});
