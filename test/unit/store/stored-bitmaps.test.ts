/** Bitmaps of a stored pack: a small file is read whole, and of a large one only what is asked for. */
import { createHash } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Bits, newBits } from "../../../src/bytes/bits.ts";
import { concat } from "../../../src/bytes/chunk.ts";
import { fromHex } from "../../../src/bytes/hex.ts";
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { encodeEwah } from "../../../src/format/ewah.ts";
import { encodePackBitmap } from "../../../src/format/pack-bitmap.ts";
import { StoredBitmaps } from "../../../src/store/stored-bitmaps.ts";
import { READING } from "../../../src/store/reading-policy.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, TestStore } from "../../support/store.ts";

/** A multiple of 64, so that all bits of all words stand for objects. */
const OBJECTS = 20_032;
const source = new GitRepository();
afterAll(() => source.dispose());

/** A pack of blobs with a file of bitmaps of random sets, each the difference from the one before it but for every fifth. */
async function stored(commits: number): Promise<{ store: TestStore; sets: Bits[]; types: Bits[]; bytes: number }> {
  const lines = Array.from({ length: OBJECTS }, (_, i) => `blob\ndata ${String(i).length}\n${i}\n`);
  if (source.lines(["count-objects", "-v"]).includes("in-pack: 0"))
    source.git(["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"], lines.join(""));
  const names = source.lines(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
  const store = new TestStore();
  const pack = await store.push(source.packObjects(names));
  const random = pseudoRandom(5);
  const sets = Array.from({ length: commits }, () =>
    newBits(OBJECTS).map(() => 65_536 * random(65_536) + random(65_536)),
  );
  const entries = sets.map((bits, i) => ({
    position: 3 * i,
    baseBefore: i % 5 === 0 ? 0 : 1,
    ewah: encodeEwah(bits, i % 5 === 0 ? undefined : sets[i - 1]),
  }));
  const types = [1, 2, 3, 4].map((type) => newBits(OBJECTS).fill(type));
  const packChecksum = fromHex(pack.checksum) ?? new Uint8Array(0);
  const tables = { format: store.format, packChecksum, types, entries };
  const bytes = concat([...encodePackBitmap(tables, createHash("sha1"))].map((piece) => piece.slice()));
  store.storage.files.set(`${pack.name}.bitmap`, bytes);
  store.packs = [{ ...pack, bitmap: { bytes: bytes.length, commits } }];
  store.forget();
  return { store, sets, types, bytes: bytes.length };
}

async function opened(store: TestStore): Promise<StoredBitmaps> {
  const [handle] = store.database().packs;
  if (handle === undefined) throw new Error("there is no pack");
  const bitmaps = await StoredBitmaps.open(handle, store.format);
  if (bitmaps === undefined) throw new Error("there are no bitmaps");
  return bitmaps;
}

describe("the bitmaps of a stored pack", () => {
  it.each([
    [20, true],
    [1100, false],
  ])("of %i commits are read whole (%s) or in ranges", async (commits, isWhole) => {
    const { store, sets, types, bytes } = await stored(commits);
    expect(bytes <= READING.wholeBitmapBytes).toBe(isWhole);
    const bitmaps = await opened(store);
    expect(store.cost.reads).toBe(1);
    for (const commit of [0, 4, commits - 1]) {
      const before = store.cost.reads;
      expect(bitmaps.has(3 * commit)).toBe(true);
      expect(await bitmaps.reachedFrom(3 * commit)).toEqual(sets[commit]);
      expect(store.cost.reads - before).toBe(isWhole ? 0 : 1);
    }
    expect(bitmaps.has(1)).toBe(false);
    expect(await bitmaps.reachedFrom(1)).toBeUndefined();
    expect(store.cost.bytesRead).toBeLessThanOrEqual(isWhole ? bytes : 100_000);
    expect(await bitmaps.types()).toEqual(types);
  });

  it("are a fault where the file is another one", async () => {
    const { store } = await stored(1100);
    const [pack] = store.packs;
    const file = `${pack?.name}.bitmap`;
    store.storage.files.set(file, new Uint8Array(store.storage.files.get(file)?.length ?? 0).fill(0xee));
    await expect(opened(store)).rejects.toThrow(CorruptStore);
  });

  it("are a fault where the file has more commits than the catalog knows", async () => {
    const { store } = await stored(1100);
    const [pack] = store.packs;
    const name = `${pack?.name}.bitmap`;
    const file = store.storage.files.get(name) ?? new Uint8Array(0);
    store.storage.files.set(name, concat([file.subarray(0, -52), file]));
    await expect(opened(store)).rejects.toThrow(CorruptStore);
  });

  it("are a fault where a table that was read earlier is of another file, as long as this one", async () => {
    const { store } = await stored(1100);
    const [pack] = store.packs;
    const name = `${pack?.name}.bitmap`;
    const file = Buffer.from(store.storage.files.get(name) ?? []);
    const bitmaps = await opened(store);
    // The first commit has given its place to another one: four bytes of the head of its bitmap.
    const other = Buffer.from(file);
    const table = file.subarray(-20 - 1100 * 16);
    other.writeUInt32BE(1, Number(table.readBigUInt64BE(4)));
    store.storage.files.set(name, other);
    await expect(bitmaps.reachedFrom(0)).rejects.toThrow("of another commit");
    store.storage.files.set(name, file);
    store.forget();
    expect(await bitmaps.reachedFrom(3)).toBeDefined();
  });

  it("are a fault where they have more than the objects of the pack", async () => {
    for (const commits of [20, 1100]) {
      const { store } = await stored(commits);
      store.packs = store.packs.map((pack) => ({ ...pack, objects: OBJECTS - 32 }));
      const bitmaps = await opened(store);
      await expect(bitmaps.types()).rejects.toThrow("not in the pack");
      await expect(bitmaps.reachedFrom(0)).rejects.toThrow("not in the pack");
    }
  });
});
