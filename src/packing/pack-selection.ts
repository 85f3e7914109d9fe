/**
 * Maps the selected objects to the places that they are copied from: for each pack, its entries to send, in pack order.
 *
 * Two packs may have the same two objects, each as a delta on the other. So an entry may build on an object of the same
 * selection, where the stored pack rules out a cycle, or on one of an earlier selection. It may not build on one that
 * is still to come.
 *
 * @packageDocumentation
 */
import { PENDING, PLACED, SELECTED } from "../kernel/object-flags.ts";
import { i32At, u32At } from "../bytes/assert.ts";
import { addBit, type Bits, numbersIn } from "../bytes/bits.ts";
import { MissingObject } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { toHex } from "../bytes/hex.ts";
import { NumberList } from "../bytes/number-list.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { isAmong, type SelectedRanks } from "../graph/bitmap-walk.ts";
import type { GraphSession } from "../graph/graph-session.ts";

/** Steps of looking an entry of a pack up among the nodes. */
const RANK_STEPS = 40;

/** Entries of one pack, by the offsets at which they begin and end, ascending. */
export type PackSelection = {
  readonly pack: number;
  readonly handle: PackHandle;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly ends: Float64Array<ArrayBuffer>;
  /** The nodes of these entries, in no order. They are marked {@link PENDING} until their turn comes. */
  readonly nodes: Uint32Array<ArrayBuffer>;
  /** The ranks of these entries, in place of nodes, if it is the first selection. */
  readonly ranks?: Bits;
  /** The order of the whole pack, if it had to be loaded. */
  readonly order: PackOrder | undefined;
  /** Entries that were made anew and are sent in place of those that begin at these offsets. */
  readonly made?: ReadonlyMap<number, Uint8Array>;
};

/** A pack with its number in the database. */
export type NumberedPack = { readonly pack: number; readonly handle: PackHandle };

/** Up to this many objects are looked up one by one. More are found by going through the packs' indexes. */
const FEW_OBJECTS = 4096;

/** Whether the pack is a tip pack, all of whose objects are in other packs. */
export function isCopy({ record }: PackHandle): boolean {
  return record.source === "copy";
}

function selectedNodes(session: GraphSession): number[] {
  const nodes: number[] = [];
  for (let node = 0; node < session.kernel.oidCount; node++) if (isToPlace(session, node)) nodes.push(node);
  return nodes;
}

function isToPlace(session: GraphSession, node: number): boolean {
  return session.has(node, SELECTED) && !session.has(node, PLACED);
}

function countSelected(session: GraphSession): number {
  let count = 0;
  for (let node = 0; node < session.kernel.oidCount; node++) if (isToPlace(session, node)) count++;
  return count;
}

/**
 * Returns the packs in an order in which bases usually come before the deltas on them: the largest first, then by age.
 * Tip packs are left out, because all of their objects are in the others.
 */
export function inBaseOrder(packs: readonly PackHandle[]): NumberedPack[] {
  const numbered = packs.map((handle, pack) => ({ handle, pack })).filter(({ handle }) => !isCopy(handle));
  const largest = Math.max(0, ...numbered.map(({ handle }) => handle.record.objects));
  const rank = ({ record }: PackHandle): number => (record.objects === largest ? -1 : record.createdAt);
  return numbered.sort((a, b) => rank(a.handle) - rank(b.handle) || a.pack - b.pack);
}

/**
 * Places every selected object, and marks all {@link PENDING} that have nodes. `direct` are further objects of one pack,
 * which is placed first. @throws MissingObject if one is in no pack.
 */
export async function placeSelected(session: GraphSession, direct?: SelectedRanks): Promise<PackSelection[]> {
  const first = direct === undefined ? [] : [placeDirect(session, direct)];
  const others = countSelected(session) <= FEW_OBJECTS ? await placeFew(session) : await placeMany(session, direct);
  for (const { nodes } of others) for (const node of nodes) session.mark(node, PENDING);
  return [...first, ...others];
}

/** Places objects of a pack, and all other selected objects that are in it. */
function placeDirect(session: GraphSession, { handle, order, ranks }: SelectedRanks): PackSelection {
  for (const node of selectedNodes(session)) {
    const position = order.index.find(session.nameOf(node));
    if (position < 0) continue;
    addBit(ranks, order.rankAt(position));
    session.mark(node, PLACED);
  }
  const pack = session.database.packs.indexOf(handle);
  return selectRanks({ pack, handle, order }, ranks);
}

async function placeMany(session: GraphSession, direct?: SelectedRanks): Promise<PackSelection[]> {
  const selections: PackSelection[] = [];
  // What is selected of many packs fits no tip pack, and all that is selected of the direct pack is placed.
  const copies = direct === undefined ? await fittingCopies(session) : [];
  let left = countSelected(session);
  for (const { pack, handle } of [...copies, ...inBaseOrder(session.database.packs)]) {
    if (left === 0) break;
    if (handle === direct?.handle) continue;
    const order = await loadPackOrder(handle, session.format);
    const selection = await selectByRank(session, { pack, handle, order }, (name) => {
      const node = session.findNode(name);
      if (node < 0 || !session.has(node, SELECTED) || session.has(node, PLACED)) return -1;
      session.mark(node, PLACED);
      return node;
    });
    if (selection.offsets.length > 0) selections.push(selection);
    left -= selection.offsets.length;
  }
  return selections;
}

/**
 * Returns the tip packs that hold most of the selected objects, and little else. There they lie in one place. For any
 * other selection the entries of the other packs lie nearer to each other.
 */
async function fittingCopies(session: GraphSession): Promise<NumberedPack[]> {
  const selected = countSelected(session);
  const fitting: NumberedPack[] = [];
  for (const [pack, handle] of session.database.packs.entries()) {
    const { objects } = handle.record;
    if (!isCopy(handle) || selected > 2 * objects || objects > 2 * selected) continue;
    const index = await handle.loadIndex();
    let shared = 0;
    await session.database.context.pacer.forEach(index.count, RANK_STEPS, (position) => {
      const node = session.findNode(index.nameAt(position));
      if (node >= 0 && session.has(node, SELECTED)) shared++;
    });
    if (2 * shared >= selected && 2 * shared >= objects) fitting.push({ pack, handle });
  }
  return fitting;
}

/**
 * Selects the entries of a pack for which `choose` returns a node (and not -1). It is called with the raw name, a view,
 * and the position in the index. Others run in between, since a pack may have a million entries.
 */
export async function selectByRank(
  session: GraphSession,
  from: NumberedPack & { readonly order: PackOrder },
  choose: (name: Uint8Array, position: number) => number,
): Promise<PackSelection> {
  const { order } = from;
  const ranks = new NumberList();
  const nodes = new NumberList();
  await session.database.context.pacer.forEach(order.count, RANK_STEPS, (rank) => {
    const position = order.positionAt(rank);
    const node = choose(order.index.nameAt(position), position);
    if (node < 0) return;
    ranks.push(rank);
    nodes.push(node);
  });
  const extents = extentsOf(order, ranks.view);
  ranks.free();
  return { ...from, nodes: nodes.view, ...extents };
}

/** Returns where the entries of ranks begin and end. */
function extentsOf(order: PackOrder, ranks: Uint32Array): Pick<PackSelection, "offsets" | "ends"> {
  const offsets = new Float64Array(ranks.length);
  const ends = new Float64Array(ranks.length);
  let [next, end] = [-1, 0];
  for (let i = 0; i < ranks.length; i++) {
    const rank = u32At(ranks, i);
    offsets[i] = rank === next ? end : order.offsetAt(rank);
    next = rank + 1;
    end = order.offsetAt(next);
    ends[i] = end;
  }
  return { offsets, ends };
}

/** Selects the entries of a pack that have these ranks. None of them gets a node. */
export function selectRanks(from: NumberedPack & { readonly order: PackOrder }, ranks: Bits): PackSelection {
  const numbers = numbersIn(ranks);
  const extents = extentsOf(from.order, numbers);
  freeMemory(numbers);
  return { ...from, nodes: new Uint32Array(0), ranks, ...extents };
}

/** Whether a selection without nodes has the object with this raw name. */
export function hasWithoutNode({ order, ranks }: PackSelection, name: Uint8Array): boolean {
  return order !== undefined && ranks !== undefined && isAmong({ order, ranks }, name);
}

/** Frees the memory of a selection. It must not be used afterwards. */
export function freeSelection({ nodes, offsets, ends }: PackSelection): void {
  for (const view of [nodes, offsets, ends]) freeMemory(view);
}

type Found = { readonly nodes: number[]; readonly positions: number[] };

async function placeFew(session: GraphSession): Promise<PackSelection[]> {
  const nodes = selectedNodes(session);
  const { rawSize } = session.format;
  const names = new Uint8Array(nodes.length * rawSize);
  for (const [i, node] of nodes.entries()) names.set(session.nameOf(node), i * rawSize);
  const locations = await session.database.locate(names);
  const byPack = new Map<number, Found>();
  for (const [i, node] of nodes.entries()) {
    const pack = i32At(locations.packs, i);
    if (pack < 0) throw new MissingObject(toHex(session.nameOf(node)));
    const found = byPack.get(pack) ?? { nodes: [], positions: [] };
    byPack.set(pack, found);
    found.nodes.push(node);
    found.positions.push(u32At(locations.positions, i));
  }
  const selections: PackSelection[] = [];
  const copies = session.database.packs
    .map((handle, pack) => ({ handle, pack }))
    .filter(({ handle }) => isCopy(handle));
  for (const from of [...copies, ...inBaseOrder(session.database.packs)]) {
    const found = byPack.get(from.pack);
    if (found !== undefined) selections.push(await placeInPack(session, from, found));
  }
  return selections;
}

async function placeInPack(session: GraphSession, from: NumberedPack, found: Found): Promise<PackSelection> {
  const offsets = Float64Array.from(await from.handle.offsets(found.positions)).sort();
  const ends = new Float64Array(offsets.length);
  // If the index is in memory, the pack's order usually costs no read. Otherwise the entries themselves tell where they
  // end.
  let order = from.handle.index === undefined ? undefined : await loadPackOrder(from.handle, session.format);
  for (const [i, offset] of offsets.entries()) {
    const end = order === undefined ? await session.reader.entryEnd(from.pack, offset) : undefined;
    if (end === undefined) order ??= await loadPackOrder(from.handle, session.format);
    ends[i] = end ?? order?.offsetAt(order.rankOf(offset) + 1) ?? offset;
  }
  return { ...from, nodes: Uint32Array.from(found.nodes), offsets, ends, order };
}
