/**
 * The index of a pack (version 2): the names of the pack's objects and their offsets in the pack.
 *
 * ```
 * 0     ff "tOc" · version 2
 * 8     fan-out: 256 × u32, the number of names with a first byte ≤ i
 * 1032  names, sorted, raw
 * …     crc32 of each entry's bytes in the pack, u32
 * …     offset of each, u32; if the top bit is set, the rest is a row number of the next table
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

/** Bytes of an index before its names, which are all that {@link PackIndexHead} needs. */
export const INDEX_HEAD_BYTES = FANOUT_AT + 256 * 4;

/** A range of a file: `length` bytes from `offset`. */
export type IndexRange = { readonly offset: number; readonly length: number };

/** The offsets of the tables in an index file. They follow from the number of objects alone. */
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

/** Returns the bytes of an index of `count` objects, of which `largeOffsets` have an offset of 2 GiB or more. */
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

/** Guesses of one search, after which it halves what is left: names that were made to lie unevenly gain nothing. */
const MOST_GUESSES = 4;
/** Up to this many names, a guess is no better than the middle. */
const FEW_NAMES = 8;

/** Returns the first four bytes of a raw name as a number. */
function beginningAt(names: Uint8Array, at: number): number {
  const low = (u8At(names, at + 1) << 16) | (u8At(names, at + 2) << 8) | u8At(names, at + 3);
  return u8At(names, at) * 0x1_00_00_00 + low;
}

/**
 * Finds a raw name among sorted raw names that lie one after the other, such as those of one fan-out bucket. Returns
 * its rank there, or -1. The names are hashes and so lie evenly: where one lies is guessed from its first bytes.
 */
export function findName(names: Uint8Array, name: Uint8Array): number {
  return findNameBetween(names, name, 0, Math.floor(names.length / name.length));
}

/** As {@link findName}, among the names of the ranks `[first, last)`. */
function findNameBetween(names: Uint8Array, name: Uint8Array, first: number, last: number): number {
  const rawSize = name.length;
  if (first >= last) return -1;
  const sought = beginningAt(name, 0);
  let [low, high] = [first, last];
  let lowest = beginningAt(names, low * rawSize);
  let highest = beginningAt(names, (high - 1) * rawSize);
  for (let guesses = 0; low < high; guesses++) {
    if (sought < lowest || sought > highest) return -1;
    const isGuessed = guesses < MOST_GUESSES && high - low > FEW_NAMES && lowest < highest;
    const share = isGuessed ? (sought - lowest) / (highest - lowest) : 0.5;
    const middle = low + Math.floor(share * (high - 1 - low));
    const beginning = beginningAt(names, middle * rawSize);
    const order = beginning - sought || compareAt(names, middle * rawSize, name);
    if (order === 0) return middle;
    if (order < 0) [low, lowest] = [middle + 1, beginning];
    else [high, highest] = [middle, beginning];
  }
  return -1;
}

/**
 * Returns the rank of the first of sorted raw names that is not before `name`; the number of names if all are before
 * it.
 */
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
 * The header and the fan-out table of an index. They tell a reader which ranges of the file to read from the bucket.
 * Keeps a view of the given bytes.
 */
export class PackIndexHead {
  /** The number of objects in the pack. */
  readonly count: number;
  readonly #view: DataView;
  readonly #rawSize: number;
  readonly #layout: Layout;

  /**
   * Reads at least {@link INDEX_HEAD_BYTES} bytes.
   *
   * @throws CorruptStore if they are not the head of a version 2 index.
   */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    if (bytes.length < INDEX_HEAD_BYTES) corrupt("cut short");
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, INDEX_HEAD_BYTES);
    if (this.#view.getUint32(0) !== SIGNATURE || this.#view.getUint32(4) !== VERSION) corrupt("not version 2");
    let count = 0;
    for (let first = 0; first < 256; first++) {
      const upTo = this.namesUpTo(first);
      if (upTo < count) corrupt("non-monotonic fan-out");
      count = upTo;
    }
    this.count = count;
    this.#rawSize = format.rawSize;
    this.#layout = new Layout(count, format.rawSize);
  }

  /** Returns the positions `[first, last)` of the names whose first byte is that of the raw name `name`. */
  bucketOf(name: Uint8Array): readonly [first: number, last: number] {
    const byte = name[0] ?? corrupt("empty name");
    return [this.namesUpTo(byte - 1), this.namesUpTo(byte)];
  }

  /** Returns the number of names whose first byte is at most `byte`, which may be -1. */
  namesUpTo(byte: number): number {
    return byte < 0 ? 0 : this.#view.getUint32(FANOUT_AT + byte * 4);
  }

  /** Returns the range of the file that has the raw names of positions `[first, last)`. */
  namesRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.namesAt + first * this.#rawSize, length: (last - first) * this.#rawSize };
  }

  /** Returns the range of the file that has the CRC-32s of positions `[first, last)`. */
  crcsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.crcsAt + first * 4, length: (last - first) * 4 };
  }

  /**
   * Returns the range of the file that has the offset rows of positions `[first, last)`: see {@link decodeOffsetRow}.
   */
  offsetsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.offsetsAt + first * 4, length: (last - first) * 4 };
  }

  /** Returns the range of the file that has rows `[first, last)` of the table of large offsets: u64, big-endian. */
  largeOffsetsRange(first: number, last: number): IndexRange {
    return { offset: this.#layout.largeAt + first * 8, length: (last - first) * 8 };
  }

  /** The offset in the file of the table of large offsets. The table and then the trailer are the rest of the file. */
  get largeOffsetsAt(): number {
    return this.#layout.largeAt;
  }
}

/**
 * Decodes a row of the offset table: into an offset in the pack, or the number of the row of large offsets that has it.
 */
export function decodeOffsetRow(row: number): { readonly offset: number } | { readonly large: number } {
  return row >= LARGE ? { large: row - LARGE } : { offset: row };
}

/** An index that is held in memory as a whole. Keeps a view of the given bytes. */
export class PackIndex {
  readonly head: PackIndexHead;
  /** The number of objects in the pack. */
  readonly count: number;
  readonly format: ObjectFormat;
  /** All raw names, sorted, one after the other, as a view of the index. */
  readonly names: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: Layout;
  readonly #largeCount: number;

  /** Reads a whole index. @throws CorruptStore if the bytes are not a version 2 index of the right length. */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    this.head = new PackIndexHead(bytes, format);
    this.count = this.head.count;
    this.format = format;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#layout = new Layout(this.count, format.rawSize);
    this.names = bytes.subarray(this.#layout.namesAt, this.#layout.crcsAt);
    this.#largeCount = (bytes.length - packIndexBytes(this.count, 0, format)) / 8;
    if (this.#largeCount < 0 || !Number.isInteger(this.#largeCount) || this.#largeCount > this.count)
      corrupt("wrong size");
  }

  /** Returns the position of a raw name; -1 if the pack does not have the object. */
  find(name: Uint8Array): number {
    const byte = u8At(name, 0);
    return findNameBetween(this.names, name, this.head.namesUpTo(byte - 1), this.head.namesUpTo(byte));
  }

  /** Returns the raw name at a position, as a view of the index. @throws RangeError outside the index. */
  nameAt(position: number): Uint8Array {
    const { rawSize } = this.format;
    const at = this.#layout.namesAt + this.#row(position) * rawSize;
    return this.#bytes.subarray(at, at + rawSize);
  }

  /** Returns the offset in the pack of the entry at a position. @throws RangeError outside the index. */
  offsetAt(position: number): number {
    const row = this.#view.getUint32(this.#layout.offsetsAt + this.#row(position) * 4);
    if (row < LARGE) return row;
    const large = row - LARGE;
    if (large >= this.#largeCount) corrupt("large offset out of bounds");
    const at = this.#layout.largeAt + large * 8;
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** Returns the CRC-32 of the bytes in the pack of the entry at a position. @throws RangeError outside the index. */
  crcAt(position: number): number {
    return this.#view.getUint32(this.#layout.crcsAt + this.#row(position) * 4);
  }

  /** The raw checksum of the pack, as a view of the index. */
  get packChecksum(): Uint8Array {
    const end = this.#bytes.length - this.format.rawSize;
    return this.#bytes.subarray(end - this.format.rawSize, end);
  }

  #row(position: number): number {
    if (position < 0 || position >= this.count) throw new RangeError(`position ${position} of ${this.count}`);
    return position;
  }
}
