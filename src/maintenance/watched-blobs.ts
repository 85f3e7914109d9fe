/**
 * Shows the blobs of stored objects to the rules about Git LFS, where refs are set to what was pushed before the rules
 * were made.
 *
 * @packageDocumentation
 */
import { i32At, itemAt, numberAt, u32At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { LONGEST_POINTER } from "../object/lfs-pointer.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { LfsWatch } from "../repository/lfs-watch.ts";
import { objectSizes } from "../store/object-sizes.ts";
import { READING } from "../store/reading-policy.ts";

/** Steps charged to the pacer for an object. */
const OBJECT_STEPS = 20;

/** Shows a watch the blobs among these objects. @throws ObjectRejected, LimitExceeded as the watch does */
export async function watchBlobs(graph: GraphSession, names: readonly Uint8Array[], watch: LfsWatch): Promise<void> {
  const { database, inflating, reader, kernel } = graph;
  const { pacer } = database.context;
  const locations = await database.locate(concat(names));
  const types = await database.typesAt(locations);
  const sizes = await objectSizes(database, inflating, locations);
  for (const at of await database.inPackOrder(locations)) {
    pacer.add(OBJECT_STEPS);
    if (pacer.isDue) await pacer.pace();
    if (types[at] !== TYPE_NUMBER.blob) continue;
    const size = numberAt(sizes, at);
    const named = (): string => toHex(itemAt(names, at));
    if (size >= LONGEST_POINTER) {
      watch.see(size, undefined, named);
      continue;
    }
    const number = i32At(locations.packs, at);
    const handle = itemAt(database.packs, number);
    const offset = itemAt(await handle.offsets([u32At(locations.positions, at)]), 0);
    if (handle.bytesAtHand(offset) === undefined) await handle.loadAround(offset, READING.mostBlocks);
    const { held } = await reader.readAt(number, offset);
    const from = inflating.pointer(held);
    watch.see(size, kernel.memory.slice(from, from + held.size), named);
  }
}
