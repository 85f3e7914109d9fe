/**
 * From the objects that are selected to the places they are copied from: for each pack, its entries to send, in its order.
 *
 * @packageDocumentation
 */
import type { PackHandle } from "../store/pack-handle.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { type GraphSession, PLACED, SELECTED } from "./graph-session.ts";

/** Entries of one pack, by where they begin and end; ascending. */
export type PackSelection = {
  readonly pack: number;
  readonly handle: PackHandle;
  readonly offsets: Float64Array;
  readonly ends: Float64Array;
  /** The order of the whole pack, where it had to be known. */
  readonly order: PackOrder | undefined;
};

/** Up to so many objects are looked up one by one; more are found by going through the packs' indexes. */
const FEW_OBJECTS = 4096;

function selectedNodes(session: GraphSession): number[] {
  const nodes: number[] = [];
  for (let node = 0; node < session.kernel.oidCount; node++) if (session.has(node, SELECTED)) nodes.push(node);
  return nodes;
}

/** Counts the selected objects. */
export function countSelected(session: GraphSession): number {
  let count = 0;
  for (let node = 0; node < session.kernel.oidCount; node++) if (session.has(node, SELECTED)) count++;
  return count;
}

/** Places every selected object. @throws MissingObject where one is in no pack. */
export async function placeSelected(session: GraphSession): Promise<PackSelection[]> {
  return countSelected(session) <= FEW_OBJECTS ? await placeFew(session) : await placeMany(session);
}

async function placeMany(session: GraphSession): Promise<PackSelection[]> {
  const selections: PackSelection[] = [];
  for (const [pack, handle] of session.database.packs.entries()) {
    const order = await loadPackOrder(handle, session.format);
    const selection = selectByRank({ pack, handle, order }, (name) => {
      const node = session.findNode(name);
      if (node < 0 || !session.has(node, SELECTED) || session.has(node, PLACED)) return false;
      session.mark(node, PLACED);
      return true;
    });
    if (selection.offsets.length > 0) selections.push(selection);
  }
  return selections;
}

/** Selects those entries of a pack whose raw name passes the test. */
export function selectByRank(
  from: { readonly pack: number; readonly handle: PackHandle; readonly order: PackOrder },
  test: (name: Uint8Array) => boolean,
): PackSelection {
  const { order } = from;
  const offsets = new Float64Array(order.count);
  const ends = new Float64Array(order.count);
  let used = 0;
  for (let rank = 0; rank < order.count; rank++) {
    if (!test(order.index.nameAt(order.positionAt(rank)))) continue;
    offsets[used] = order.offsetAt(rank);
    ends[used++] = order.offsetAt(rank + 1);
  }
  return { ...from, offsets: offsets.slice(0, used), ends: ends.slice(0, used) };
}

async function placeFew(session: GraphSession): Promise<PackSelection[]> {
  const nodes = selectedNodes(session);
  const { rawSize } = session.format;
  const names = new Uint8Array(nodes.length * rawSize);
  for (const [i, node] of nodes.entries()) names.set(session.nameOf(node), i * rawSize);
  const locations = await session.database.locate(names);
  const byPack = new Map<number, number[]>();
  for (const [i, pack] of locations.packs.entries()) {
    const list = byPack.get(pack);
    if (list === undefined) byPack.set(pack, [locations.positions[i] ?? 0]);
    else list.push(locations.positions[i] ?? 0);
  }
  const selections: PackSelection[] = [];
  for (const [pack, positions] of [...byPack].sort(([a], [b]) => a - b)) {
    const handle = session.database.packs[pack];
    // the catalog is closed: what a walk selects is in some pack
    if (handle !== undefined) selections.push(await placeInPack(session, { pack, handle }, positions));
  }
  return selections;
}

async function placeInPack(
  session: GraphSession,
  from: { readonly pack: number; readonly handle: PackHandle },
  positions: readonly number[],
): Promise<PackSelection> {
  const offsets = Float64Array.from(await from.handle.offsets(positions)).sort();
  const ends = new Float64Array(offsets.length);
  // the order of a pack whose index is at hand costs no read; else the entries tell where they end
  let order = from.handle.index === undefined ? undefined : await loadPackOrder(from.handle, session.format);
  for (const [i, offset] of offsets.entries()) {
    const end = order === undefined ? await session.reader.entryEnd(from.pack, offset) : undefined;
    if (end === undefined) order ??= await loadPackOrder(from.handle, session.format);
    ends[i] = end ?? order?.offsetAt(order.rankOf(offset) + 1) ?? offset;
  }
  return { ...from, offsets, ends, order };
}
