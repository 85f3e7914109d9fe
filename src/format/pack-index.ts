/**
 * The index of a pack, version 2: which objects it has, and where.
 *
 * ```
 * 0     ff "tOc" · version 2
 * 8     fan-out: 256 × u32, how many names have a first byte ≤ i
 * 1032  names, sorted, raw
 * …     crc32 of each entry's bytes in the pack, u32
 * …     offset of each, u32; with the top bit set, the rest is a row of the next table
 * …     offsets of 2 GiB and more, u64
 * …     the pack's checksum · the checksum of all before
 * ```
 *
 * A **position** is a row of this file: the rank of a name among all names of the pack.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";

const SIGNATURE = 0xff744f63;
const VERSION = 2;
const FANOUT_AT = 8;
const LARGE = 0x80000000;

/** Bytes of an index before its names: all that {@link PackIndexHead} needs. */
export const INDEX_HEAD_BYTES = FANOUT_AT + 256 * 4;

/** A range of a file: `length` bytes from `offset`. */
export type IndexRange = { readonly offset: number; readonly length: number };

/** Where everything is in an index file, from its number of objects alone. */
class Layout {
  readonly namesAt = INDEX_HEAD_BYTES;
  readonly crcsAt: number;
  readonly offsetsAt: number;
  readonly largeAt: number;
  constructor(count: number, rawSize: number) {
    this.crcsAt = this.namesAt + count * rawSize;
    this.offsetsAt = this.crcsAt + count * 4;
    this.largeAt = this.offsetsAt + count * 4;
  }
}

/** Gives the bytes of an index of `count` objects, `largeOffsets` of which lie at 2 GiB or further. */
export function packIndexBytes(count: number, largeOffsets: number, format: ObjectFormat): number {
  return new Layout(count, format.rawSize).largeAt + largeOffsets * 8 + 2 * format.rawSize;
}

function corrupt(why: string): never {
  throw new CorruptStore(`pack index: ${why}`);
}

function compareAt(names: Uint8Array, at: number, name: Uint8Array): number {
  for (let i = 0; i < name.length; i++) {
    const difference = u8At(names, at + i) - u8At(name, i);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Finds a raw name among sorted raw names that lie one after the other, such as a bucket of an index that was read on its own.
 * Gives its rank there, or -1.
 */
export function findName(names: Uint8Array, name: Uint8Array): number {
  const rawSize = name.length;
  let low = 0;
  let high = Math.floor(names.length / rawSize);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareAt(names, middle * rawSize, name);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** Gives the rank of the first among sorted raw names that is not before `name`; how many there are where all are. */
export function lowerBound(names: Uint8Array, name: Uint8Array): number {
  let low = 0;
  let high = Math.floor(names.length / name.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(names, middle * name.length, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Header and fan-out table of an index, and from them the ranges of the file that answer a question: what a reader needs who
 * has the rest in a bucket. Keeps a view of the bytes it was given.
 */
export class PackIndexHead {
  /** Objects in the pack. */
  readonly count: number;
  readonly #view: DataView;
  readonly #rawSize: number;
  readonly #layout: Layout;

  /** @param bytes at least {@link INDEX_HEAD_BYTES}. @throws CorruptStore where they don't open an index of version 2. */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    if (bytes.length < INDEX_HEAD_BYTES) corrupt("cut short");
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, INDEX_HEAD_BYTES);
    if (this.#view.getUint32(0) !== SIGNATURE || this.#view.getUint32(4) !== VERSION) corrupt("not version 2");
    let count = 0;
    for (let first = 0; first < 256; first++) {
      const upTo = this.#upTo(first);
      if (upTo < count) corrupt("non-monotonic fan-out");
      count = upTo;
    }
    this.count = count;
    this.#rawSize = format.rawSize;
    this.#layout = new Layout(count, format.rawSize);
  }

  /** Gives the positions `[first, last)` of the names that share the first byte of a raw name. */
  bucketOf(name: Uint8Array): readonly [first: number, last: number] {
    const byte = name[0] ?? corrupt("empty name");
    return [byte === 0 ? 0 : this.#upTo(byte - 1), this.#upTo(byte)];
  }

  /** Gives where the raw names of positions `[first, last)` are in the file. */
  namesRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.namesAt + first * this.#rawSize, length: (last - first) * this.#rawSize };
  }

  /** Gives where the crc32s of positions `[first, last)` are in the file. */
  crcsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.crcsAt + first * 4, length: (last - first) * 4 };
  }

  /** Gives where the offsets of positions `[first, last)` are in the file: rows for {@link decodeOffsetRow}. */
  offsetsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.offsetsAt + first * 4, length: (last - first) * 4 };
  }

  /** Gives where rows `[first, last)` of the table of large offsets are in the file: u64, big-endian. */
  largeOffsetsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.largeAt + first * 8, length: (last - first) * 8 };
  }

  /** Gives where everything between the names and the trailer begins: large offsets and trailer lie after it. */
  get largeOffsetsAt(): number {
    return this.#layout.largeAt;
  }

  #upTo(first: number): number {
    return this.#view.getUint32(FANOUT_AT + first * 4);
  }
}

/** Gives an offset of the pack from a row of the offset table, or the row of the table of large offsets that has it. */
export function decodeOffsetRow(row: number): { readonly offset: number } | { readonly large: number } {
  return row >= LARGE ? { large: row - LARGE } : { offset: row };
}

/** An index held whole. Keeps a view of the bytes it was given. */
export class PackIndex {
  readonly head: PackIndexHead;
  /** Objects in the pack. */
  readonly count: number;
  readonly format: ObjectFormat;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: Layout;
  readonly #largeCount: number;

  /** @throws CorruptStore where the bytes are not an index of version 2, or not as long as it must be. */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    this.head = new PackIndexHead(bytes, format);
    this.count = this.head.count;
    this.format = format;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#layout = new Layout(this.count, format.rawSize);
    this.#largeCount = (bytes.length - packIndexBytes(this.count, 0, format)) / 8;
    if (this.#largeCount < 0 || !Number.isInteger(this.#largeCount) || this.#largeCount > this.count)
      corrupt("wrong size");
  }

  /** Gives the position of a raw name; -1 where the pack doesn't have the object. */
  find(name: Uint8Array): number {
    const { rawSize } = this.format;
    const [first, last] = this.head.bucketOf(name);
    const at = this.#layout.namesAt;
    const rank = findName(this.#bytes.subarray(at + first * rawSize, at + last * rawSize), name);
    return rank < 0 ? -1 : first + rank;
  }

  /** Gives the raw name at a position, as a view of the index. */
  nameAt(position: number): Uint8Array {
    const { rawSize } = this.format;
    const at = this.#layout.namesAt + this.#row(position) * rawSize;
    return this.#bytes.subarray(at, at + rawSize);
  }

  /** Gives where in the pack the entry of a position begins. */
  offsetAt(position: number): number {
    const row = this.#view.getUint32(this.#layout.offsetsAt + this.#row(position) * 4);
    if (row < LARGE) return row;
    const large = row - LARGE;
    if (large >= this.#largeCount) corrupt("large offset out of bounds");
    const at = this.#layout.largeAt + large * 8;
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** Gives the crc32 of an entry's bytes in the pack. */
  crcAt(position: number): number {
    return this.#view.getUint32(this.#layout.crcsAt + this.#row(position) * 4);
  }

  /** Gives the checksum of the pack, as a view of the index. */
  get packChecksum(): Uint8Array {
    const end = this.#bytes.length - this.format.rawSize;
    return this.#bytes.subarray(end - this.format.rawSize, end);
  }

  /** Gives all names, sorted, raw, one after the other, as a view of the index. */
  get names(): Uint8Array {
    return this.#bytes.subarray(this.#layout.namesAt, this.#layout.crcsAt);
  }

  #row(position: number): number {
    if (position < 0 || position >= this.count) throw new RangeError(`position ${position} of ${this.count}`);
    return position;
  }
}

/** Parses a whole index. @throws CorruptStore where the bytes are not one of version 2. */
export function parsePackIndex(bytes: Uint8Array, format: ObjectFormat): PackIndex {
  return new PackIndex(bytes, format);
}
