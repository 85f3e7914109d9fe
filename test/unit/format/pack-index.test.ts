import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { encodedIndexBytes, encodePackIndex, type PackTables } from "../../../src/format/pack-index-encoder.ts";
import {
  decodeOffsetRow,
  findName,
  INDEX_HEAD_BYTES,
  PackIndexHead,
  PackIndex,
} from "../../../src/format/pack-index.ts";
import { encodeReverseIndex, parseReverseIndex, reverseIndexBytes } from "../../../src/format/reverse-index.ts";
import { sortNames } from "../../../src/format/sort-names.ts";
import { atOnce } from "../../../src/bytes/pacer.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { git, makeGitPack, removeDirectory, temporaryDirectory, type GitPack } from "./git-pack.ts";

/** Collects copies of yielded chunks. */
function copies(chunks: Iterable<Uint8Array>): Uint8Array[] {
  return Array.from(chunks, (chunk) => chunk.slice());
}

function tablesOf(made: GitPack, name: "sha1" | "sha256", shuffle = false): PackTables {
  const format = objectFormat(name);
  const entries = shuffle ? made.entries.toReversed() : made.entries;
  const stride = format.rawSize + 4;
  const names = new Uint8Array(entries.length * stride);
  const crcs = new Uint32Array(entries.length + 3);
  const offsets = new Float64Array(entries.length + 3);
  entries.forEach((entry, i) => {
    names.set(Buffer.from(entry.oid, "hex"), i * stride);
    crcs[i] = crc32(made.pack.subarray(entry.offset, entry.offset + entry.bytesInPack));
    offsets[i] = entry.offset;
  });
  const order = atOnce(sortNames({ names, stride, rawSize: format.rawSize }, entries.length));
  const packChecksum = made.pack.subarray(made.pack.length - format.rawSize);
  return { format, count: entries.length, order, names, stride, crcs, offsets, packChecksum };
}

describe.each(["sha1", "sha256"] as const)("indexes of a %s pack", (name) => {
  let made: GitPack;
  beforeAll(() => {
    made = makeGitPack(name);
  });
  afterAll(() => {
    removeDirectory(made.dir);
  });

  it.each([false, true])("are written as git index-pack writes them (entries reversed: %s)", (shuffle) => {
    const tables = tablesOf(made, name, shuffle);
    const index = Buffer.concat(copies(encodePackIndex(tables, createHash(name))));
    expect(index.length).toBe(encodedIndexBytes(tables));
    expect(index.equals(made.index)).toBe(true);
    const reverse = Buffer.concat(copies(encodeReverseIndex(tables, createHash(name))));
    expect(reverse.length).toBe(reverseIndexBytes(tables.count, tables.format));
    expect(reverse.equals(made.reverse)).toBe(true);
  });

  it("find every object of git's index at git's offset", () => {
    const index = new PackIndex(made.index, objectFormat(name));
    const reverse = parseReverseIndex(made.reverse, objectFormat(name));
    expect(index.count).toBe(made.entries.length);
    made.entries.forEach((entry, i) => {
      const raw = Buffer.from(entry.oid, "hex");
      const position = index.find(raw);
      expect(Buffer.from(index.nameAt(position)).toString("hex")).toBe(entry.oid);
      expect(index.offsetAt(position)).toBe(entry.offset);
      expect(index.crcAt(position)).toBe(crc32(made.pack.subarray(entry.offset, entry.offset + entry.bytesInPack)));
      expect(reverse.positionOf(i)).toBe(position);
    });
    const size = objectFormat(name).rawSize;
    expect(Buffer.from(index.packChecksum).equals(made.pack.subarray(made.pack.length - size))).toBe(true);
    expect(index.find(new Uint8Array(size))).toBe(-1);
    expect(index.find(new Uint8Array(size).fill(255))).toBe(-1);
  });

  it("answer from the head and the ranges that it names, as a remote reader needs it", () => {
    const format = objectFormat(name);
    const head = new PackIndexHead(made.index.subarray(0, INDEX_HEAD_BYTES), format);
    const at = (range: { offset: number; length: number }): Buffer =>
      Buffer.from(made.index.subarray(range.offset, range.offset + range.length));
    for (const entry of made.entries) {
      const raw = Buffer.from(entry.oid, "hex");
      const [first, last] = head.bucketOf(raw);
      const rank = findName(at(head.namesRange(first, last)), raw);
      expect(rank).toBeGreaterThanOrEqual(0);
      const position = first + rank;
      expect(decodeOffsetRow(at(head.offsetsRange(position, position + 1)).readUInt32BE())).toEqual({
        offset: entry.offset,
      });
      expect(at(head.crcsRange(position, position + 1)).readUInt32BE()).toBe(
        crc32(made.pack.subarray(entry.offset, entry.offset + entry.bytesInPack)),
      );
    }
  });

  it("are refused if they are not whole", () => {
    const format = objectFormat(name);
    for (const cut of [0, 7, 100, INDEX_HEAD_BYTES - 1, INDEX_HEAD_BYTES, made.index.length - 1]) {
      expect(() => new PackIndex(made.index.subarray(0, cut), format)).toThrow(CorruptStore);
    }
    const flip = (at: number): Uint8Array => made.index.map((byte, i) => (i === at ? byte ^ 0xff : byte));
    for (const at of [0, 7, 8, 600]) expect(() => new PackIndex(flip(at), format)).toThrow(CorruptStore);
    expect(() => parseReverseIndex(made.reverse.subarray(1), format)).toThrow(CorruptStore);
    const other = objectFormat(name === "sha1" ? "sha256" : "sha1");
    expect(() => parseReverseIndex(made.reverse, other)).toThrow(CorruptStore);
  });
});

describe("indexes of packs too large to make", () => {
  it("have offsets past 4 GiB as git show-index reads them", () => {
    const format = objectFormat("sha1");
    const count = 3000;
    const names = new Uint8Array(randomBytes(count * format.rawSize));
    const offsets = Float64Array.from({ length: count }, (_, i) => 12 + i * 3_333_333);
    offsets[5] = 0x7fffffff;
    offsets[6] = 0x80000000;
    offsets[7] = 0x123456789abcd;
    const crcs = Uint32Array.from({ length: count }, (_, i) => i * 77);
    const order = atOnce(sortNames({ names, stride: format.rawSize, rawSize: format.rawSize }, count));
    const packChecksum = new Uint8Array(format.rawSize).fill(9);
    const tables = { format, count, order, names, stride: format.rawSize, crcs, offsets, packChecksum };
    const bytes = Buffer.concat(copies(encodePackIndex(tables, createHash("sha1"))));
    expect(bytes.length).toBe(encodedIndexBytes(tables));
    const index = new PackIndex(bytes, format);
    const shown: string[] = [];
    for (let position = 0; position < count; position++) {
      const crc = index.crcAt(position).toString(16).padStart(8, "0");
      const oid = Buffer.from(index.nameAt(position)).toString("hex");
      shown.push(`${index.offsetAt(position)} ${oid} (${crc})`);
      expect(index.offsetAt(position)).toBe(offsets[order[position] ?? -1]);
    }
    const dir = temporaryDirectory();
    try {
      const listed = git(dir, ["show-index", "--object-format=sha1"], bytes).toString().trim().split("\n");
      expect(shown).toEqual(listed);
    } finally {
      removeDirectory(dir);
    }
  });

  it("may be of an empty pack", () => {
    const format = objectFormat("sha256");
    const none = new Uint8Array(0);
    const tables: PackTables = {
      format,
      count: 0,
      order: new Uint32Array(0),
      names: none,
      stride: format.rawSize,
      crcs: new Uint32Array(0),
      offsets: new Float64Array(0),
      packChecksum: new Uint8Array(format.rawSize),
    };
    const index = new PackIndex(Buffer.concat(copies(encodePackIndex(tables, createHash("sha256")))), format);
    expect(index.find(new Uint8Array(format.rawSize))).toBe(-1);
  });

  it("are yielded in chunks of at most 1 MiB", () => {
    const format = objectFormat("sha1");
    const count = 120_000;
    const names = new Uint8Array(randomBytes(count * format.rawSize));
    const order = atOnce(sortNames({ names, stride: format.rawSize, rawSize: format.rawSize }, count));
    const offsets = Float64Array.from({ length: count }, (_, i) => 12 + i * 100);
    const packChecksum = new Uint8Array(format.rawSize);
    const crcs = new Uint32Array(count);
    const tables = { format, count, order, names, stride: format.rawSize, crcs, offsets, packChecksum };
    const chunks = copies(encodePackIndex(tables, createHash("sha1")));
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1 << 20);
    const index = new PackIndex(Buffer.concat(chunks), format);
    for (const entry of [0, 1, 777, count - 1]) {
      const raw = names.subarray(entry * format.rawSize, (entry + 1) * format.rawSize);
      expect(index.offsetAt(index.find(raw))).toBe(offsets[entry]);
    }
  });
});

describe("sortNames", () => {
  it("orders as a comparison of whole names does, ties of the first bytes included", () => {
    const rawSize = 20;
    const count = 5000;
    const names = new Uint8Array(randomBytes(count * rawSize));
    for (let i = 0; i < 3000; i++) names.fill(i % 3, i * rawSize, i * rawSize + 4 + (i % 10));
    const hexOf = (i: number): string => Buffer.from(names.subarray(i * rawSize, (i + 1) * rawSize)).toString("hex");
    const order = atOnce(sortNames({ names, stride: rawSize, rawSize }, count));
    const expected = Array.from({ length: count }, (_, i) => hexOf(i)).sort();
    expect(Array.from(order, hexOf)).toEqual(expected);
  });
});

describe("findName", () => {
  const wide = (values: readonly number[]): Buffer =>
    Buffer.concat(values.map((value) => Buffer.concat([Buffer.from([7]), u32(value), Buffer.alloc(15, value & 255)])));
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const LAYOUTS: Record<string, readonly number[]> = {
    none: [],
    one: [5],
    even: Array.from({ length: 1000 }, (_, i) => i * 4_000_000 + (i % 7)),
    "at one end": Array.from({ length: 1000 }, (_, i) => (i === 999 ? 0xffffffff : i)),
    "at the other end": Array.from({ length: 1000 }, (_, i) => (i === 0 ? 0 : 0xffffffff - 1000 + i)),
    "each twice as far": Array.from({ length: 32 }, (_, i) => 2 ** i - 1),
    "the same at first": Array.from({ length: 500 }, (_, i) => 0x01020300 + (i >> 1) + 1000 * (i % 2)).toSorted(
      (a, b) => a - b,
    ),
  };

  it.each(Object.entries(LAYOUTS))("finds each name and no other, where names lie %s", (_name, values) => {
    const distinct = [...new Set(values)];
    const names = wide(distinct);
    for (const [rank, value] of distinct.entries()) {
      expect(findName(names, wide([value]))).toBe(rank);
      const missing = [value - 1, value + 1].filter(
        (near) => near >= 0 && near <= 0xffffffff && !distinct.includes(near),
      );
      for (const near of missing) expect(findName(names, wide([near]))).toBe(-1);
      const longer = wide([value]);
      longer[19] = (longer[19] ?? 0) ^ 1;
      expect(findName(names, longer)).toBe(-1);
    }
    for (const byte of [0, 255]) expect(findName(names, Buffer.alloc(20, byte))).toBe(-1);
  });
});
