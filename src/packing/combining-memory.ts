/**
 * The memory that combining packs takes.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import { ENTRY_WINDOW_BYTES } from "./entry-reader.ts";

/** Bytes of the tables per entry of the packs, beside the names: see `CombinedEntries` and the columns of `combine-packs.ts`. */
const ENTRY_BYTES = 60;
/** Bytes by which an entry grows at most, or has in an index, beside a name; and more than an empty index has. */
const MORE_HEADER_BYTES = 12;
const EMPTY_INDEX_BYTES = 1200;

/** Returns the bytes of a buffer for parts: `most`, or less if the combined pack and its index are smaller than that. */
export function partBytesFor(packs: readonly PackRecord[], rawSize: number, most: number): number {
  let bytes = EMPTY_INDEX_BYTES;
  for (const pack of packs) {
    bytes += pack.packBytes + pack.objects * (MORE_HEADER_BYTES + rawSize);
    if (bytes >= most) return most;
  }
  return bytes;
}

/** Returns the bytes of memory that combining takes at most. */
export function memoryFor(packs: readonly PackRecord[], rawSize: number, partBytes: number): number {
  let objects = 0;
  for (const pack of packs) objects += pack.objects;
  return objects * (ENTRY_BYTES + 2 * rawSize) + 3 * partBytes + 4 * ENTRY_WINDOW_BYTES;
}
