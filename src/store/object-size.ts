/**
 * Tells the size of a stored object without making it. The header of its entry has the size or, for a delta, the first
 * bytes of the delta.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { CorruptStore, type LimitExceeded, storedFault } from "../bytes/failure.ts";
import { deltaSizes } from "../format/delta-stream.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import { type Inflating, tooLargeToHold } from "./inflating.ts";
import type { PackHandle } from "./pack-handle.ts";

/** The most bytes at a delta's beginning that hold its two sizes: ten digits of seven bits hold any size. */
const DELTA_SIZES_BYTES = 20;
/** The most deflated bytes that inflate to those: a stream may begin with the code lengths of a block. */
const DEFLATED_BYTES = 512;

/**
 * The number of bytes at an entry's beginning that always tell its object's size. Fewer suffice only at the pack's end.
 */
export const ENTRY_BEGINNING_BYTES = MAX_ENTRY_HEADER_BYTES + DEFLATED_BYTES;

/** Returns the size in bytes of the object whose entry begins at `offset`. @throws CorruptStore */
export async function storedObjectSize(
  { handle, rawSize, inflating }: { handle: PackHandle; rawSize: number; inflating: Inflating },
  offset: number,
): Promise<number> {
  const beginning = await bytesFrom(handle, offset, ENTRY_BEGINNING_BYTES);
  try {
    return sizeFromBeginning(beginning, rawSize, inflating);
  } catch (error) {
    throw storedFault(error, { pack: handle.record.name, offset });
  }
}

/**
 * Returns the size in bytes of an object from its entry's first {@link ENTRY_BEGINNING_BYTES}, or more.
 *
 * @throws CorruptStore
 */
export function sizeFromBeginning(bytes: Uint8Array, rawSize: number, inflating: Inflating): number {
  const header = new EntryHeader();
  if (header.decode(bytes, 0, bytes.length, rawSize) === "short") {
    throw new CorruptStore("the pack ends within an entry");
  }
  if (header.type !== OFS_DELTA && header.type !== REF_DELTA) return header.size;
  const deflated = bytes.subarray(header.headerBytes);
  return deltaSizes(inflating.inflateHead(deflated, Math.min(header.size, DELTA_SIZES_BYTES))).resultSize;
}

/** The fault for an entry that is no blob: of the size that its object has or, where that is larger, its delta. */
export function tooLargeEntry(beginning: Uint8Array, rawSize: number, inflating: Inflating): LimitExceeded {
  const header = new EntryHeader();
  header.decode(beginning, 0, beginning.length, rawSize);
  const size = Math.max(header.size, sizeFromBeginning(beginning, rawSize, inflating));
  return tooLargeToHold("object that is no blob", size, inflating.wholeBytes);
}

/** Returns at least `wanted` bytes from `offset` on, or as many as the pack has. */
async function bytesFrom(handle: PackHandle, offset: number, wanted: number): Promise<Uint8Array> {
  const block = await handle.bytesFrom(offset);
  const next = offset + block.length;
  if (block.length >= wanted || next >= handle.record.packBytes) return block;
  const first = block.slice();
  const rest = (await handle.bytesFrom(next)).subarray(0, wanted - first.length);
  const joined = new Uint8Array(first.length + rest.length);
  joined.set(first);
  joined.set(rest, first.length);
  return joined;
}
