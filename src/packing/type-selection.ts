/**
 * The plan of a partial clone of everything: selects objects by their types, which lie beside the packs. No tree is
 * opened. It is correct if every pack carries the mark, because then all objects in the packs are to be sent, except
 * those that the filter excludes.
 *
 * @packageDocumentation
 */
import { PENDING, PLACED, SELECTED } from "../kernel/object-flags.ts";
import { u8At } from "../bytes/assert.ts";
import { addBit, addBits, newBits } from "../bytes/bits.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { typesByBitmaps } from "../graph/bitmap-walk.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { BlobSizes, type ObjectFilter, passingTypes } from "../graph/object-filter.ts";
import {
  hasWithoutNode,
  inBaseOrder,
  type NumberedPack,
  type PackSelection,
  selectByRank,
  selectRanks,
} from "./pack-selection.ts";

/** The greatest type number. */
const MOST_TYPE = TYPE_NUMBER.tag;

/** Selects and places every object of every pack that passes the filter, and the objects of `exempt` (nodes). */
export async function selectByTypes(
  session: GraphSession,
  filter: ObjectFilter,
  exempt: readonly number[],
): Promise<PackSelection[]> {
  const selections: PackSelection[] = [];
  let first: PackSelection | undefined;
  for (const numbered of inBaseOrder(session.database.packs)) {
    const { handle } = numbered;
    const [order, types] = await Promise.all([loadPackOrder(handle, session.format), handle.allTypes()]);
    const from = { ...numbered, order, types };
    const passing = {
      types: typeTable(passingTypes(filter)),
      large: await largeBlobs(session, from, filter),
      exempt: new Set(exempt.map((node) => order.index.find(session.nameOf(node)))),
    };
    const selection =
      first === undefined
        ? await selectFirst(session, from, passing)
        : await selectPassing(session, from, passing, first);
    first ??= selection;
    if (selection.offsets.length > 0) selections.push(selection);
  }
  for (const { nodes } of selections) for (const node of nodes) session.mark(node, PENDING);
  return selections;
}

/** Steps of looking at an entry of a pack. */
const RANK_STEPS = 5;

type Known = NumberedPack & { readonly order: PackOrder; readonly types: Uint8Array };
type Passing = {
  /** By type number: 1 for one that passes. */
  readonly types: Uint8Array;
  /** By index position: 1 for a blob that is too large. */
  readonly large: Uint8Array | undefined;
  /** Index positions of objects that pass in any case; -1 for one that the pack does not have. */
  readonly exempt: ReadonlySet<number>;
};

function typeTable(types: ReadonlySet<number>): Uint8Array {
  return Uint8Array.from({ length: MOST_TYPE + 1 }, (_, type) => Number(types.has(type)));
}

function passes({ types, large, exempt }: Passing, known: Uint8Array, position: number): boolean {
  if (u8At(types, typeAtPosition(known, position)) === 1 && large?.[position] !== 1) return true;
  return exempt.size > 0 && exempt.has(position);
}

/** Selects of the first pack. No pack before it has its objects, so they need no nodes. */
async function selectFirst(session: GraphSession, from: Known, passing: Passing): Promise<PackSelection> {
  const { types, order } = from;
  const { ownObjects, objects } = from.handle.record;
  const ranks = newBits(order.count);
  const sets =
    passing.large === undefined && ownObjects === objects ? await typesByBitmaps(session, from.handle) : undefined;
  if (sets !== undefined) {
    for (const [at, set] of sets.entries()) if (u8At(passing.types, at + 1) === 1) addBits(ranks, set);
    for (const position of passing.exempt) if (position >= 0) addBit(ranks, order.rankAt(position));
    return selectRanks(from, ranks);
  }
  await session.database.context.pacer.forEach(ownObjects, RANK_STEPS, (rank) => {
    if (passes(passing, types, order.positionAt(rank))) addBit(ranks, rank);
  });
  return selectRanks(from, ranks);
}

async function selectPassing(
  session: GraphSession,
  from: Known,
  passing: Passing,
  first: PackSelection,
): Promise<PackSelection> {
  const { ownObjects } = from.handle.record;
  let rank = -1;
  return await selectByRank(session, from, (name, position) => {
    // Completion appended bases behind the pack's own objects. They are in other packs as own objects.
    if (++rank >= ownObjects) return -1;
    if (!passes(passing, from.types, position)) return -1;
    if (hasWithoutNode(first, name)) return -1;
    const node = session.node(name);
    if (session.has(node, PLACED)) return -1;
    session.mark(node, PLACED | SELECTED);
    return node;
  });
}

async function largeBlobs(session: GraphSession, from: Known, filter: ObjectFilter): Promise<Uint8Array | undefined> {
  if (filter.blobBytes === Number.POSITIVE_INFINITY || !passingTypes(filter).has(TYPE_NUMBER.blob)) return undefined;
  const sizes = await BlobSizes.open(session, from.handle, filter.blobBytes);
  const large = new Uint8Array(from.order.count);
  for (let rank = 0; rank < from.order.count; rank++) {
    const position = from.order.positionAt(rank);
    if (typeAtPosition(from.types, position) !== TYPE_NUMBER.blob) continue;
    // In pack order, so that entries that have to be read are read in order.
    const small = sizes.atOnce(position) ?? (await sizes.isSmall(position));
    if (!small) large[position] = 1;
  }
  return large;
}
