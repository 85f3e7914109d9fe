/**
 * The reverse index of a pack: the index position of each entry, in the order of the pack. It tells which entry comes
 * after another, and so how long an entry is.
 *
 * ```
 * 0   "RIDX" · version 1 · hash: 1 sha1, 2 sha256
 * 12  index positions, u32, by offset in the pack
 * …   the pack's checksum · the checksum of all before
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { f64At, u32At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { ObjectFormat, ObjectFormatName } from "../object/object-id.ts";
import { withTrailer, type Digest, type PackTables } from "./pack-index-encoder.ts";

const SIGNATURE = 0x52494458;
const VERSION = 1;
const HEADER_BYTES = 12;
const HASH_ID = { sha1: 1, sha256: 2 } as const satisfies Record<ObjectFormatName, number>;
const ROWS_PER_CHUNK = 1 << 16;

/** Returns the bytes of the reverse index of a pack of `count` objects. */
export function reverseIndexBytes(count: number, format: ObjectFormat): number {
  return HEADER_BYTES + count * 4 + 2 * format.rawSize;
}

function isAscending(offsets: Float64Array, count: number): boolean {
  for (let entry = 1; entry < count; entry++) if (f64At(offsets, entry - 1) >= f64At(offsets, entry)) return false;
  return true;
}

/**
 * Returns the index position of every entry, in the order of the pack. It sorts nothing if the tables are in that order
 * already, as they are when a pack was read into them.
 */
export function packOrder(tables: PackTables): Uint32Array<ArrayBuffer> {
  const { count, order, offsets } = tables;
  const positions = new Uint32Array(count);
  for (let position = 0; position < count; position++) positions[u32At(order, position)] = position;
  if (isAscending(offsets, count)) return positions;
  const entries = new Uint32Array(count).map((_, entry) => entry);
  entries.sort((a, b) => f64At(offsets, a) - f64At(offsets, b));
  return entries.map((entry) => u32At(positions, entry));
}

function* body(
  positions: Uint32Array,
  { format, packChecksum }: Pick<PackTables, "format" | "packChecksum">,
): Generator<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(HEADER_BYTES);
  const headerView = new DataView(header.buffer);
  headerView.setUint32(0, SIGNATURE);
  headerView.setUint32(4, VERSION);
  headerView.setUint32(8, HASH_ID[format.name]);
  yield header;
  const buffer = new Uint8Array(Math.min(ROWS_PER_CHUNK, positions.length) * 4);
  const view = new DataView(buffer.buffer);
  for (let first = 0; first < positions.length; first += ROWS_PER_CHUNK) {
    const part = positions.subarray(first, first + ROWS_PER_CHUNK);
    const chunk = buffer.subarray(0, part.length * 4);
    for (let i = 0; i < part.length; i++) view.setUint32(i * 4, u32At(part, i));
    yield chunk;
  }
  yield packChecksum.slice();
}

/**
 * Yields the reverse index in chunks of at most 256 KiB. A chunk is valid until the next one is requested. The tables
 * must stay unchanged until the last chunk.
 *
 * @param digest - A fresh hash of the repository's object format, for the trailer.
 */
export function encodeReverseIndex(tables: PackTables, digest: Digest): Generator<Uint8Array<ArrayBuffer>> {
  return encodeRanks(packOrder(tables), tables, digest);
}

/** As {@link encodeReverseIndex}, of the index position of each entry in the order of the pack. */
export function encodeRanks(
  positions: Uint32Array,
  pack: Pick<PackTables, "format" | "packChecksum">,
  digest: Digest,
): Generator<Uint8Array<ArrayBuffer>> {
  return withTrailer(body(positions, pack), digest);
}

/** Returns the offset in the file of the row of the pack's i-th entry, for a reader that has the file in a bucket. */
export function reverseIndexRowAt(entry: number): number {
  return HEADER_BYTES + entry * 4;
}

/** A reverse index that is held in memory as a whole. Keeps a view of the given bytes. */
export class ReverseIndex {
  /** The number of objects in the pack. */
  readonly count: number;
  readonly #view: DataView;

  /**
   * Reads a reverse index.
   *
   * @throws CorruptStore if the bytes are not one of this object format, or have the wrong length.
   */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    this.count = (bytes.length - reverseIndexBytes(0, format)) / 4;
    if (this.count < 0 || !Number.isInteger(this.count)) throw new CorruptStore("reverse index: wrong size");
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isOne = this.#view.getUint32(0) === SIGNATURE && this.#view.getUint32(4) === VERSION;
    if (!isOne || this.#view.getUint32(8) !== HASH_ID[format.name]) {
      throw new CorruptStore("reverse index: not version 1 of this object format");
    }
  }

  /** Returns the index position of the i-th entry of the pack. @throws RangeError outside the pack. */
  positionOf(entry: number): number {
    if (entry < 0 || entry >= this.count) throw new RangeError(`entry ${entry} of ${this.count}`);
    return this.#view.getUint32(reverseIndexRowAt(entry));
  }
}

/** Parses a whole reverse index. @throws CorruptStore if the bytes are not one. */
export function parseReverseIndex(bytes: Uint8Array, format: ObjectFormat): ReverseIndex {
  return new ReverseIndex(bytes, format);
}
