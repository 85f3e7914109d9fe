/**
 * The encoder of pack indexes. It makes an index, chunk by chunk, from the tables that reading the pack has
 * filled. The index of a pack of millions of objects is too large to be held beside them.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { f64At, u32At, u8At } from "../bytes/assert.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { INDEX_HEAD_BYTES, packIndexBytes } from "./pack-index.ts";

/** A hash in progress. This layer has no hash function of its own, so callers pass one. */
export interface Digest {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/**
 * The objects of a pack, as tables with one row per **entry**. The rows may be in any order; that of the pack is usual.
 */
export type PackTables = {
  readonly format: ObjectFormat;
  /** The number of entries; the tables may be longer. */
  readonly count: number;
  /** The entry numbers in the order of the names: see {@link sortNames}. */
  readonly order: Uint32Array;
  /** The raw names; the name of entry i begins at `i × stride`. */
  readonly names: Uint8Array;
  readonly stride: number;
  /** The CRC-32 of each entry's bytes in the pack. */
  readonly crcs: Uint32Array;
  /** The offset in the pack of each entry. */
  readonly offsets: Float64Array;
  /** The trailer of the pack, raw. */
  readonly packChecksum: Uint8Array;
};

/** The smallest offset that needs the table of large offsets. */
const FIRST_LARGE = 0x80000000;
/** Bytes of the largest chunk. */
const CHUNK_BYTES = 1 << 18;

function countLarge(tables: PackTables): number {
  let large = 0;
  for (let entry = 0; entry < tables.count; entry++) if (f64At(tables.offsets, entry) >= FIRST_LARGE) large++;
  return large;
}

/** Returns how many bytes {@link encodePackIndex} will yield. */
export function encodedIndexBytes(tables: PackTables): number {
  return packIndexBytes(tables.count, countLarge(tables), tables.format);
}

function encodeHead(tables: PackTables): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(INDEX_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  const counts = new Uint32Array(256);
  for (let entry = 0; entry < tables.count; entry++) {
    const first = u8At(tables.names, entry * tables.stride);
    counts[first] = u32At(counts, first) + 1;
  }
  let upTo = 0;
  for (let first = 0; first < 256; first++) {
    upTo += u32At(counts, first);
    view.setUint32(8 + first * 4, upTo);
  }
  return head;
}

/**
 * Yields chunks of rows of a fixed size. `fill` writes the row of one entry at an offset of a chunk. The rows are in
 * `order`.
 */
function* rows(
  order: Uint32Array,
  rowSize: number,
  fill: (chunk: Uint8Array, view: DataView, at: number, entry: number) => void,
): Generator<Uint8Array<ArrayBuffer>> {
  const perChunk = Math.floor(CHUNK_BYTES / rowSize);
  const buffer = new Uint8Array(Math.min(perChunk, order.length) * rowSize);
  const view = new DataView(buffer.buffer);
  for (let first = 0; first < order.length; first += perChunk) {
    const last = Math.min(first + perChunk, order.length);
    const chunk = buffer.subarray(0, (last - first) * rowSize);
    for (let i = first; i < last; i++) fill(chunk, view, (i - first) * rowSize, u32At(order, i));
    yield chunk;
  }
}

function* body(tables: PackTables): Generator<Uint8Array<ArrayBuffer>> {
  const { names, stride, crcs, offsets, format } = tables;
  const { rawSize } = format;
  const order = tables.order.subarray(0, tables.count);
  yield encodeHead(tables);
  yield* rows(order, rawSize, (chunk, _, at, entry) => {
    const from = entry * stride;
    for (let i = 0; i < rawSize; i++) chunk[at + i] = u8At(names, from + i);
  });
  yield* rows(order, 4, (_, view, at, entry) => {
    view.setUint32(at, u32At(crcs, entry));
  });
  let large = 0;
  yield* rows(order, 4, (_, view, at, entry) => {
    const offset = f64At(offsets, entry);
    view.setUint32(at, offset < FIRST_LARGE ? offset : FIRST_LARGE + large++);
  });
  if (large > 0) {
    const far = order.filter((entry) => f64At(offsets, entry) >= FIRST_LARGE);
    yield* rows(far, 8, (_, view, at, entry) => {
      const offset = f64At(offsets, entry);
      view.setUint32(at, Math.floor(offset / 2 ** 32));
      view.setUint32(at + 4, offset % 2 ** 32);
    });
  }
  yield tables.packChecksum.slice();
}

/** Yields the chunks, each after `digest` was updated with it, and at the end the digest. */
export function* withTrailer(
  chunks: Iterable<Uint8Array<ArrayBuffer>>,
  digest: Digest,
): Generator<Uint8Array<ArrayBuffer>> {
  for (const chunk of chunks) {
    digest.update(chunk);
    yield chunk;
  }
  yield digest.digest().slice();
}

/**
 * Yields the index in chunks of at most 256 KiB. A chunk is valid until the next one is requested, since chunks share a
 * buffer: otherwise they would make as much garbage as the index is long. The tables must stay unchanged until the last
 * chunk.
 *
 * @param digest - A fresh hash of the repository's object format, for the trailer.
 */
export function encodePackIndex(tables: PackTables, digest: Digest): Generator<Uint8Array<ArrayBuffer>> {
  return withTrailer(body(tables), digest);
}
