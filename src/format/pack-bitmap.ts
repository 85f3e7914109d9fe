/**
 * The bitmaps of a pack: which of its objects each of some commits reaches, and which objects are of which type. Bit `i`
 * stands for the pack's i-th entry. A bitmap may be stored as its difference (XOR) from one that comes before it in
 * the file.
 *
 * ```
 * 0    "BITM" · u16 version 1 · u16 flags · u32 number of commits · the pack's checksum
 * …    four bitmaps: the pack's commits, trees, blobs, tags
 * …    of each commit: u32 position in the index · u8 how many commits before is the base, 0 for none · u8 flags · its bitmap
 * …    with LOOKUP_TABLE, of each commit by position: u32 position · u64 offset in the file · u32 row of its base
 * …    with HASH_CACHE, of each object in the order of the index: u32 hash of its path
 * …    the checksum of all before
 * ```
 *
 * The bitmaps are those of `ewah.ts`. Files of this host have the lookup table and no hash cache.
 *
 * @packageDocumentation
 * @see gitformat-bitmap(5)
 */
import { f64At, i32At, itemAt, u32At } from "../bytes/assert.ts";
import { type Bits, hasBitFrom, newBits } from "../bytes/bits.ts";
import { equal } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { encodeEwah, ewahEnd, mostEwahBytes, xorEwah } from "./ewah.ts";
import { type Digest, withTrailer } from "./pack-index-encoder.ts";

const SIGNATURE = 0x4249544d;
const VERSION = 1;
/** Everything that a bitmap's commit reaches is in the pack: git reads no other files. */
const FULL_DAG = 0x1;
const HASH_CACHE = 0x4;
const LOOKUP_TABLE = 0x10;
/** Bitmaps of sets of commits, which stand between the commits and the lookup table. */
const PSEUDO_MERGES = 0x20;
const COUNT_AT = 8;
const CHECKSUM_AT = 12;
const ENTRY_HEAD_BYTES = 6;
const ROW_BYTES = 16;
const NO_BASE = 0xffff_ffff;
const TYPES = 4;

/** A commit of a file that is to be written. */
export type BitmapEntry = {
  /** The commit's position in the index. */
  readonly position: number;
  /** The encoded bitmap, or its difference from the base's. */
  readonly ewah: Uint8Array;
  /** How many entries before this one the base is; 0 for none. */
  readonly baseBefore: number;
};

/** The content of a file that is to be written. */
export type BitmapTables = {
  readonly format: ObjectFormat;
  /** The trailer of the pack, raw. */
  readonly packChecksum: Uint8Array;
  /** The entries of each type in the pack: commits, trees, blobs, tags. */
  readonly types: readonly Bits[];
  readonly entries: readonly BitmapEntry[];
};

function header({ format, packChecksum, entries }: BitmapTables): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CHECKSUM_AT + format.rawSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE);
  view.setUint16(4, VERSION);
  view.setUint16(6, FULL_DAG | LOOKUP_TABLE);
  view.setUint32(COUNT_AT, entries.length);
  bytes.set(packChecksum, CHECKSUM_AT);
  return bytes;
}

function entryHead({ position, baseBefore }: BitmapEntry): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(ENTRY_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, position);
  view.setUint8(4, baseBefore);
  return head;
}

function lookupTable(entries: readonly BitmapEntry[], offsets: Float64Array): Uint8Array<ArrayBuffer> {
  const order = Uint32Array.from(entries, (_, i) => i).sort(
    (a, b) => itemAt(entries, a).position - itemAt(entries, b).position,
  );
  const rowOf = new Uint32Array(entries.length);
  for (const [row, entry] of order.entries()) rowOf[entry] = row;
  const bytes = new Uint8Array(entries.length * ROW_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [row, entry] of order.entries()) {
    const { position, baseBefore } = itemAt(entries, entry);
    const offset = f64At(offsets, entry);
    view.setUint32(row * ROW_BYTES, position);
    view.setBigUint64(row * ROW_BYTES + 4, BigInt(offset));
    view.setUint32(row * ROW_BYTES + 12, baseBefore === 0 ? NO_BASE : u32At(rowOf, entry - baseBefore));
  }
  return bytes;
}

function* body(tables: BitmapTables): Generator<Uint8Array<ArrayBuffer>> {
  const { types, entries } = tables;
  const offsets = new Float64Array(entries.length);
  const first = header(tables);
  let at = first.length;
  yield first;
  for (const type of types) {
    const ewah = encodeEwah(type);
    at += ewah.length;
    yield ewah;
  }
  for (const [i, entry] of entries.entries()) {
    offsets[i] = at;
    at += ENTRY_HEAD_BYTES + entry.ewah.length;
    yield entryHead(entry);
    yield entry.ewah.slice();
  }
  yield lookupTable(entries, offsets);
}

/**
 * Yields the file in pieces.
 *
 * @param digest - A fresh hash of the repository's object format, for the trailer.
 */
export function encodePackBitmap(tables: BitmapTables, digest: Digest): Generator<Uint8Array<ArrayBuffer>> {
  return withTrailer(body(tables), digest);
}

function corrupt(why: string): never {
  throw new CorruptStore(`bitmap file: ${why}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A file's size in bytes, and the number of its commits. */
export type BitmapSize = { readonly bytes: number; readonly commits: number };

/** A range of a file. */
export type BitmapRange = { readonly offset: number; readonly length: number };

/** Returns the range of the lookup table in a file that this host has written. */
export function lookupTableRange({ bytes, commits }: BitmapSize, format: ObjectFormat): BitmapRange {
  const length = commits * ROW_BYTES;
  return { offset: bytes - format.rawSize - length, length };
}

/** The commits of a file by their positions in the index: where each bitmap is, and on which one it builds. */
export class BitmapTable {
  readonly #positions: Uint32Array<ArrayBuffer>;
  readonly #offsets: Float64Array<ArrayBuffer>;
  /** The row of each commit's base; -1 for none. */
  readonly #bases: Int32Array<ArrayBuffer>;
  /** The offsets in ascending order, and where the last bitmap ends. */
  readonly #ends: Float64Array<ArrayBuffer>;

  private constructor(rows: Pick<Rows, "positions" | "offsets" | "bases">, end: number) {
    this.#positions = rows.positions;
    this.#offsets = rows.offsets;
    this.#bases = rows.bases;
    this.#ends = new Float64Array([...rows.offsets.toSorted(), end]);
  }

  /**
   * Reads a lookup table. `end` is the offset at which it begins, and the last bitmap ends.
   *
   * @throws CorruptStore if it is none, as where the file is not as long as the caller was told.
   */
  static ofLookupTable(bytes: Uint8Array, end: number): BitmapTable {
    const view = viewOf(bytes);
    const count = bytes.length / ROW_BYTES;
    const rows = newRows(count);
    for (let row = 0; row < count; row++) {
      const base = view.getUint32(row * ROW_BYTES + 12);
      if (base !== NO_BASE && base >= count) corrupt("the row of a base is not in the lookup table");
      rows.positions[row] = view.getUint32(row * ROW_BYTES);
      rows.offsets[row] = Number(view.getBigUint64(row * ROW_BYTES + 4));
      rows.bases[row] = base === NO_BASE ? -1 : base;
      const isNext = row === 0 || u32At(rows.positions, row) > u32At(rows.positions, row - 1);
      if (!isNext || f64At(rows.offsets, row) >= end) corrupt("the lookup table is not where it should be");
    }
    return new BitmapTable(rows, end);
  }

  /** Reads through the commits of a whole file, as git does without a lookup table. @throws CorruptStore */
  static ofFile(bytes: Uint8Array, format: ObjectFormat): BitmapTable {
    const view = viewOf(bytes);
    const count = view.getUint32(COUNT_AT);
    const found = newRows(count);
    let at = CHECKSUM_AT + format.rawSize;
    for (let type = 0; type < TYPES; type++) at = ewahEnd(bytes, at);
    for (let entry = 0; entry < count; entry++) {
      if (at + ENTRY_HEAD_BYTES > bytes.length) corrupt("cut short");
      const before = view.getUint8(at + 4);
      if (before > entry) corrupt("the base of a bitmap is not in the file");
      found.positions[entry] = view.getUint32(at);
      found.offsets[entry] = at;
      found.bases[entry] = before === 0 ? -1 : entry - before;
      at = ewahEnd(bytes, at + ENTRY_HEAD_BYTES);
    }
    return new BitmapTable(byPosition(found), at);
  }

  /** The number of commits. */
  get count(): number {
    return this.#positions.length;
  }

  /** Returns the position in the index of the commit of a row. */
  positionAt(row: number): number {
    return u32At(this.#positions, row);
  }

  /** Returns the row of the commit at a position of the index; -1 if it has no bitmap. */
  rowOf(position: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = u32At(this.#positions, middle);
      if (found === position) return middle;
      if (found < position) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** Returns the rows of a commit's bitmap and of all that it builds on. @throws CorruptStore */
  chainOf(row: number): number[] {
    const chain: number[] = [];
    for (let at = row; at >= 0; at = i32At(this.#bases, at)) {
      chain.push(at);
      if (chain.length > this.count) corrupt("a bitmap builds on itself");
    }
    return chain;
  }

  /**
   * Returns the range of the file that has the bitmap of a row, with its head, which {@link ewahOf} takes away.
   *
   * @throws CorruptStore
   */
  rangeOf(row: number): BitmapRange {
    const offset = f64At(this.#offsets, row);
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (f64At(this.#ends, middle) <= offset) low = middle + 1;
      else high = middle;
    }
    const length = f64At(this.#ends, low) - offset;
    if (length <= ENTRY_HEAD_BYTES) corrupt("the offset of a bitmap is wrong");
    return { offset, length };
  }

  /**
   * Returns the bitmap in what was read of a row's range. The table may have been read of an earlier file of the pack than the range.
   *
   * @throws CorruptStore if it is the bitmap of another commit.
   */
  ewahOf(row: number, bytes: Uint8Array): Uint8Array {
    if (viewOf(bytes).getUint32(0) !== this.positionAt(row)) corrupt("the bitmap is of another commit");
    if ((bytes[4] === 0) !== i32At(this.#bases, row) < 0) corrupt("the bitmap has another base");
    return bytes.subarray(ENTRY_HEAD_BYTES);
  }
}

type Rows = {
  readonly positions: Uint32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly bases: Int32Array<ArrayBuffer>;
};

function newRows(count: number): Rows {
  return { positions: new Uint32Array(count), offsets: new Float64Array(count), bases: new Int32Array(count) };
}

/** Sorts rows by position. Each base is then the row that it has become. */
function byPosition({ positions, offsets, bases }: Rows): Rows {
  const order = positions.map((_, i) => i).sort((a, b) => u32At(positions, a) - u32At(positions, b));
  const rowOf = new Int32Array(order.length);
  for (const [row, entry] of order.entries()) rowOf[entry] = row;
  const sorted = newRows(order.length);
  for (const [row, entry] of order.entries()) {
    const base = i32At(bases, entry);
    sorted.positions[row] = u32At(positions, entry);
    sorted.offsets[row] = f64At(offsets, entry);
    sorted.bases[row] = base < 0 ? -1 : i32At(rowOf, base);
  }
  return sorted;
}

/**
 * Reads a whole file of any writer: returns the table of its commits.
 *
 * @throws CorruptStore if it is not a version 1 file of the pack with this checksum, or not of everything that is
 *   reached.
 */
export function parsePackBitmap(bytes: Uint8Array, format: ObjectFormat, packChecksum: Uint8Array): BitmapTable {
  if (bytes.length < CHECKSUM_AT + 2 * format.rawSize) corrupt("cut short");
  const view = viewOf(bytes);
  if (view.getUint32(0) !== SIGNATURE || view.getUint16(4) !== VERSION) corrupt("not version 1");
  const flags = view.getUint16(6);
  if ((flags & FULL_DAG) === 0 || (flags & ~(FULL_DAG | HASH_CACHE | LOOKUP_TABLE | PSEUDO_MERGES)) !== 0)
    corrupt(`unknown flags ${flags}`);
  if (!equal(bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + format.rawSize), packChecksum)) corrupt("of another pack");
  return BitmapTable.ofFile(bytes, format);
}

/** Returns a set that was read of a file. @throws CorruptStore if it has more than there are objects */
export function assertObjects(bits: Bits, objects: number): Bits {
  if (hasBitFrom(bits, objects)) corrupt("an object that is not in the pack");
  return bits;
}

/** Returns the bytes of a file that hold the bitmaps of the types, at most. */
export function mostTypeBytes(objects: number, format: ObjectFormat): number {
  return CHECKSUM_AT + format.rawSize + TYPES * mostEwahBytes(objects);
}

/**
 * Reads which objects of a pack are of which type, by the number of the type less one. The beginning of the file is enough.
 *
 * @throws CorruptStore
 */
export function readTypeBits(bytes: Uint8Array, objects: number, format: ObjectFormat): Bits[] {
  let at = CHECKSUM_AT + format.rawSize;
  return Array.from({ length: TYPES }, () => {
    const bits = newBits(objects);
    xorEwah(bytes, at, bits);
    at = ewahEnd(bytes, at);
    return assertObjects(bits, objects);
  });
}
