/**
 * How large a stored object is, without making it: the header of its entry tells or, of a delta, the first bytes of the delta.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { CorruptStore, storedFault } from "../bytes/failure.ts";
import { DeltaReader } from "../format/delta.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-kind.ts";
import type { Inflating } from "./inflating.ts";
import type { PackHandle } from "./pack-handle.ts";

/** Bytes of a delta in which its two sizes are: ten digits of seven bits hold any. */
const DELTA_SIZES_BYTES = 20;
/** Deflated bytes that give them: a stream may begin with the code lengths of a block. */
const DEFLATED_BYTES = 512;

/** Bytes of an entry that always tell: fewer only where the pack ends. */
export const ENTRY_BEGINNING_BYTES = MAX_ENTRY_HEADER_BYTES + DEFLATED_BYTES;

/** Gives the bytes of the object whose entry begins at `offset`. @throws CorruptStore */
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

/** Gives the bytes of an object by what its entry begins with: {@link ENTRY_BEGINNING_BYTES}, or more. @throws CorruptStore */
export function sizeFromBeginning(bytes: Uint8Array, rawSize: number, inflating: Inflating): number {
  const header = new EntryHeader();
  if (header.decode(bytes, 0, bytes.length, rawSize) === "short") {
    throw new CorruptStore("the pack ends within an entry");
  }
  if (header.kind !== OFS_DELTA && header.kind !== REF_DELTA) return header.size;
  const deflated = bytes.subarray(header.headerBytes);
  return new DeltaReader(inflating.inflateHead(deflated, Math.min(header.size, DELTA_SIZES_BYTES))).resultSize;
}

/** Gives at least `wanted` bytes, where the pack has so many, from `offset` on. */
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
