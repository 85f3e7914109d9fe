/**
 * Finds the pointers of Git LFS in a pack. A pointer is a small blob, and what lies beside the pack tells roughly how
 * large each object is, so that few blobs are read, in the order in which they lie.
 *
 * @packageDocumentation
 */
import { sizeClassAtPosition, sizesOfClass, typeAtPosition } from "../format/pack-types.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { type LfsPointer, lfsPointerIn, LONGEST_POINTER, SHORTEST_POINTER } from "../object/lfs-pointer.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { loadPackOrder } from "../store/pack-order.ts";
import { READING } from "../store/reading-policy.ts";

/** The steps charged to the pacer for an entry that is passed over. */
const ENTRY_STEPS = 5;

/** Whether an object's type and rough size are those of a pointer. */
function mayBePointer(types: Uint8Array, position: number): boolean {
  if (typeAtPosition(types, position) !== TYPE_NUMBER.blob) return false;
  const { least, most } = sizesOfClass(sizeClassAtPosition(types, position));
  return least < LONGEST_POINTER && most >= SHORTEST_POINTER;
}

/** A pointer in a pack, and the place behind its entry: how many entries come before. */
export type PackedPointer = { readonly pointer: LfsPointer; readonly next: number };

/**
 * Yields the pointers of a pack from the entry of a rank on. `isReached` tells whether a blob, by its raw name, counts.
 *
 * @throws CorruptStore
 */
export async function* pointersInPack(
  graph: GraphSession,
  [number, handle]: readonly [number, PackHandle],
  from: number,
  isReached: (name: Uint8Array) => boolean,
): AsyncGenerator<PackedPointer> {
  const { pacer } = graph.database.context;
  const [order, types] = await Promise.all([loadPackOrder(handle, graph.format), handle.allTypes()]);
  for (let rank = from; rank < order.count; rank++) {
    pacer.add(ENTRY_STEPS);
    if (pacer.isDue) await pacer.pace();
    const position = order.positionAt(rank);
    if (!mayBePointer(types, position) || !isReached(order.index.nameAt(position))) continue;
    const offset = order.offsetAt(rank);
    if (handle.bytesAtHand(offset) === undefined) await handle.loadAround(offset, READING.mostBlocks);
    const { held } = await graph.reader.readAt(number, offset);
    const at = graph.inflating.pointer(held);
    const pointer = lfsPointerIn(graph.kernel.memory.subarray(at, at + held.size));
    if (pointer !== undefined) yield { pointer, next: rank + 1 };
  }
}
