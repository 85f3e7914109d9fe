/** Names that are found in an index of which ranges are read. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { INDEX_HEAD_BYTES, type IndexRange, PackIndexHead } from "../../../src/format/pack-index.ts";
import { type ObjectFormat, objectFormat } from "../../../src/object/object-id.ts";
import { findInRanges } from "../../../src/store/index-ranges.ts";

const NAMES = 400_000;
const pacer = new Pacer(async () => undefined);

/** The head and the names of an index. */
class Index {
  readonly head: PackIndexHead;
  readonly pacer = pacer;
  readonly #file: Buffer;
  reads = 0;
  bytes = 0;

  constructor(names: readonly Buffer[], format: ObjectFormat) {
    const head = Buffer.alloc(INDEX_HEAD_BYTES);
    head.writeUInt32BE(0xff744f63, 0);
    head.writeUInt32BE(2, 4);
    const counts = Array.from({ length: 256 }, () => 0);
    for (const name of names) counts[name[0] ?? 0] = (counts[name[0] ?? 0] ?? 0) + 1;
    let sum = 0;
    for (const [byte, count] of counts.entries()) head.writeUInt32BE((sum += count), 8 + byte * 4);
    this.#file = Buffer.concat([head, ...names]);
    this.head = new PackIndexHead(this.#file, format);
  }

  read = async ({ offset, length }: IndexRange): Promise<Uint8Array> => {
    this.reads++;
    this.bytes += length;
    return this.#file.subarray(offset, offset + length);
  };

  async find(names: readonly Buffer[]): Promise<number[]> {
    const empty = Buffer.alloc(0);
    return [...(await findInRanges(this, { count: names.length, nameOf: (i) => names[i] ?? empty }))];
  }
}

const nameOf = (i: number, algorithm = "sha1"): Buffer => createHash(algorithm).update(String(i)).digest();

describe.each([
  ["sha1", 20],
  ["sha256", 32],
] as const)("an index of many names of %s", (algorithm, rawSize) => {
  const names = Array.from({ length: NAMES }, (_, i) => nameOf(i, algorithm)).toSorted(Buffer.compare);
  const index = new Index(names, objectFormat(algorithm));

  it("has each name in some kilobytes", async () => {
    for (let at = 7; at < NAMES; at += 1999) {
      const before = index.bytes;
      expect(await index.find([names[at] ?? Buffer.alloc(0)])).toEqual([at]);
      expect(index.bytes - before).toBeLessThanOrEqual(768 * rawSize);
    }
  });

  it("lacks what it lacks, the first and the last of a byte as well", async () => {
    for (let i = 0; i < 200; i++) expect(await index.find([nameOf(NAMES + i, algorithm)])).toEqual([-1]);
    const [low, high] = [Buffer.alloc(rawSize, 0), Buffer.alloc(rawSize, 0xff)];
    const [first, last] = [Buffer.alloc(rawSize, 0), Buffer.alloc(rawSize, 0xff)];
    first[0] = 0x80;
    last[0] = 0x80;
    expect(await index.find([low, high, first, last])).toEqual([-1, -1, -1, -1]);
    expect(await index.find([names[0] ?? low, names[NAMES - 1] ?? low])).toEqual([0, NAMES - 1]);
  });

  it("is read once for each first byte that names have", async () => {
    const sought = Array.from({ length: 2000 }, (_, i) =>
      i % 3 === 0 ? nameOf(NAMES + i, algorithm) : names[i * 199],
    );
    const known = sought.flatMap((name) => (name === undefined ? [] : [name]));
    index.reads = 0;
    const places = new Map(names.map((name, at) => [name.toString("hex"), at]));
    expect(await index.find(known)).toEqual(known.map((name) => places.get(name.toString("hex")) ?? -1));
    expect(index.reads).toBeLessThanOrEqual(256);
  });
});

describe("an index of names that were made to lie unevenly", () => {
  it("has each of them in two reads", async () => {
    const names = Array.from({ length: 5000 }, (_, i) => {
      const name = Buffer.alloc(20);
      // All but the last lie at the beginning of their byte.
      name.writeUInt32BE(i === 4999 ? 0x7f_ff_ff_ff : 0x7f_00_00_00 + i, 0);
      return name;
    });
    const index = new Index(names, objectFormat("sha1"));
    for (let at = 0; at < 5000; at += 97) {
      index.reads = 0;
      expect(await index.find([names[at] ?? Buffer.alloc(0)])).toEqual([at]);
      expect(index.reads).toBeLessThanOrEqual(2);
    }
    expect(await index.find([names[4999] ?? Buffer.alloc(0)])).toEqual([4999]);
    const absent = Buffer.alloc(20);
    absent.writeUInt32BE(0x7f_80_00_00, 0);
    expect(await index.find([absent])).toEqual([-1]);
  });
});
