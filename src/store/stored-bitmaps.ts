/**
 * The bitmaps of a stored pack, open for reading. A small file is read whole, and of a larger one its lookup table and
 * then the bitmaps that are wanted.
 *
 * @packageDocumentation
 */
import { itemAt, present } from "../bytes/assert.ts";
import { type Bits, newBits } from "../bytes/bits.ts";
import { fromHex } from "../bytes/hex.ts";
import { xorEwah } from "../format/ewah.ts";
import {
  assertObjects,
  type BitmapRange,
  BitmapTable,
  lookupTableRange,
  mostTypeBytes,
  parsePackBitmap,
  readTypeBits,
} from "../format/pack-bitmap.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { PackHandle } from "./pack-handle.ts";
import { READING } from "./reading-policy.ts";
import { assertSound } from "./whole-file.ts";

/** The bitmaps of one pack. */
export class StoredBitmaps {
  readonly #handle: PackHandle;
  readonly #format: ObjectFormat;
  readonly #table: BitmapTable;
  /** The whole file, if it was read. */
  readonly #whole: Uint8Array | undefined;

  private constructor(handle: PackHandle, format: ObjectFormat, table: BitmapTable, whole?: Uint8Array) {
    this.#handle = handle;
    this.#format = format;
    this.#table = table;
    this.#whole = whole;
  }

  /** Opens the bitmaps of a pack; `undefined` if it has none. @throws CorruptStore */
  static async open(handle: PackHandle, format: ObjectFormat): Promise<StoredBitmaps | undefined> {
    const { bitmap, checksum } = handle.record;
    const packChecksum = fromHex(checksum);
    if (bitmap === undefined || bitmap.bytes === 0 || packChecksum === undefined) return undefined;
    if (bitmap.bytes <= READING.wholeBitmapBytes) {
      const whole = await handle.readFile("bitmap", bitmap.bytes);
      assertSound(whole, { format, hash: handle.context.hash });
      return new StoredBitmaps(handle, format, parsePackBitmap(whole, format, packChecksum), whole);
    }
    const { offset, length } = lookupTableRange(bitmap, format);
    const rows = await handle.readFile("bitmap", length, offset);
    return new StoredBitmaps(handle, format, BitmapTable.ofLookupTable(rows, offset));
  }

  /** Whether the commit at a position of the index has a bitmap. */
  has(position: number): boolean {
    return this.#table.rowOf(position) >= 0;
  }

  /**
   * Returns the ranks of the objects of each type, by the number of the type less one.
   *
   * @throws CorruptStore
   */
  async types(): Promise<readonly Bits[]> {
    const { objects, bitmap } = this.#handle.record;
    const format = this.#format;
    const most = Math.min(present(bitmap, "a file of bitmaps").bytes, mostTypeBytes(objects, format));
    const bytes = this.#whole ?? (await this.#handle.readFile("bitmap", most));
    return readTypeBits(bytes, objects, format);
  }

  /**
   * Returns the ranks of the objects that the commit at a position reaches; `undefined` if it has no bitmap.
   *
   * @throws CorruptStore
   */
  async reachedFrom(position: number): Promise<Bits | undefined> {
    const row = this.#table.rowOf(position);
    if (row < 0) return undefined;
    const rows = this.#table.chainOf(row);
    const pieces = await this.#read(rows.map((each) => this.#table.rangeOf(each)));
    const { objects } = this.#handle.record;
    const bits = newBits(objects);
    for (const [at, each] of rows.entries()) xorEwah(this.#table.ewahOf(each, itemAt(pieces, at)), 0, bits);
    return assertObjects(bits, objects);
  }

  /** Returns the bytes of ranges. What a bitmap builds on lies shortly before it, so one read usually has all. */
  async #read(ranges: readonly BitmapRange[]): Promise<Uint8Array[]> {
    const whole = this.#whole;
    if (whole !== undefined) return ranges.map(({ offset, length }) => whole.subarray(offset, offset + length));
    const first = Math.min(...ranges.map(({ offset }) => offset));
    const last = Math.max(...ranges.map(({ offset, length }) => offset + length));
    if (last - first <= READING.wholeBitmapBytes) {
      const bytes = await this.#handle.readFile("bitmap", last - first, first);
      return ranges.map(({ offset, length }) => bytes.subarray(offset - first, offset - first + length));
    }
    const pieces: Uint8Array[] = [];
    for (const { offset, length } of ranges) pieces.push(await this.#handle.readFile("bitmap", length, offset));
    return pieces;
  }
}
