/**
 * The plan of a clone: which packs are sent whole, and which entries of the others. A pack must not have an object
 * twice, but packs of a catalog may share objects. So objects of an earlier pack are left out of a later one. Nor may
 * an object build on itself by way of several packs. So a pack is sent whole only if everything that it builds on is
 * sent whole.
 *
 * @packageDocumentation
 */
import { PENDING, PLACED } from "../kernel/object-flags.ts";
import { i32At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { type PackOrder, loadPackOrder, readOrdersAhead } from "../store/pack-order.ts";
import { READING } from "../store/reading-policy.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { type NumberedPack, type PackSelection, inBaseOrder, isCopy, selectByRank } from "./pack-selection.ts";

/** The packs that are sent whole, and the parts of others. */
export type WholePacks = { readonly whole: readonly PackHandle[]; readonly parts: readonly PackSelection[] };

/** Whether an object with this raw name is in a pack that is sent whole, or in a part whose turn has come. */
export function isPlaced(session: GraphSession, name: Uint8Array): boolean {
  const node = session.findNode(name);
  return node >= 0 && session.has(node, PLACED) && !session.has(node, PENDING);
}

/**
 * Plans to send every object of every pack, once. Reads the indexes of all packs except the largest that stands alone.
 */
export async function selectWholePacks(session: GraphSession): Promise<WholePacks> {
  const { packs } = session.database;
  const alone = packs.filter((handle) => !isCopy(handle) && handle.record.ownObjects === handle.record.objects);
  const largest = inBaseOrder(alone)[0]?.handle;
  const others = inBaseOrder(packs).filter(({ handle }) => handle !== largest);
  await readAhead(session, others, largest);
  if (largest !== undefined) await markSharedWith(session, largest, others);
  const whole = largest === undefined ? [] : [largest];
  const parts: PackSelection[] = [];
  for (const other of others) {
    const from = { ...other, order: await loadPackOrder(other.handle, session.format) };
    const own = await selectOwn(session, from);
    if (own.nodes.length === other.handle.record.ownObjects && basesGoOutWhole(session, from)) {
      whole.push(other.handle);
    } else if (own.nodes.length > 0) {
      for (const node of own.nodes) session.mark(node, PENDING);
      parts.push(own);
    }
  }
  return { whole, parts };
}

/**
 * Plans to send every object that `base` does not have, once. The client gets that pack elsewhere, and perhaps later: nothing may
 * build on what is in it, so its objects stay pending for good.
 */
export async function selectBeside(session: GraphSession, base: PackHandle): Promise<readonly PackSelection[]> {
  const others = inBaseOrder(session.database.packs).filter(({ handle }) => handle !== base);
  await readAhead(session, others, base);
  await markSharedWith(session, base, others, PLACED | PENDING);
  const parts: PackSelection[] = [];
  for (const other of others) {
    const own = await selectOwn(session, { ...other, order: await loadPackOrder(other.handle, session.format) });
    if (own.nodes.length === 0) continue;
    for (const node of own.nodes) session.mark(node, PENDING);
    parts.push(own);
  }
  return parts;
}

/** The objects of packs from which on most of the largest one's index has to be looked at. */
const MANY_OBJECTS = 64;
/** Steps of marking an object that several packs have. */
const NAME_STEPS = 50;

/** Reads the files that the plan takes side by side: one after the other, each would be a round trip to the bucket. */
async function readAhead(
  { format }: GraphSession,
  others: readonly NumberedPack[],
  largest: PackHandle | undefined,
): Promise<void> {
  const objects = others.reduce((sum, { handle }) => sum + handle.record.objects, 0);
  const isWhole = objects >= MANY_OBJECTS && (largest?.record.indexBytes ?? 0) <= READING.largeIndexBytes; // There may be none.
  await Promise.all([
    readOrdersAhead(
      others.map(({ handle }) => handle),
      format,
    ),
    isWhole ? largest?.loadIndex() : undefined,
  ]);
}

/** Marks the others' objects that a pack has, by one look-up for all of them. */
async function markSharedWith(
  session: GraphSession,
  largest: PackHandle,
  others: readonly NumberedPack[],
  flags = PLACED,
): Promise<void> {
  const { rawSize } = session.format;
  let count = 0;
  for (const { handle } of others) count += handle.record.objects;
  const names = new Uint8Array(count * rawSize);
  let used = 0;
  for (const { handle } of others) {
    const index = await handle.loadIndex();
    names.set(index.names, used);
    used += index.names.length;
  }
  const all = new Uint32Array(count);
  for (let i = 0; i < count; i++) all[i] = i;
  const found = await largest.find(names, all);
  await session.database.context.pacer.forEach(count, NAME_STEPS, (i) => {
    if (i32At(found, i) >= 0) session.mark(session.node(names.subarray(i * rawSize, (i + 1) * rawSize)), flags);
  });
  for (const list of [names, all, found]) freeMemory(list);
}

type Ordered = NumberedPack & { readonly order: PackOrder };

async function selectOwn(session: GraphSession, from: Ordered): Promise<PackSelection> {
  const { ownObjects } = from.handle.record;
  let rank = -1;
  return await selectByRank(session, from, (name) => {
    // Completion appended its bases behind the pack's own objects.
    if (++rank >= ownObjects) return -1;
    const node = session.node(name);
    if (session.has(node, PLACED)) return -1;
    session.mark(node, PLACED);
    return node;
  });
}

/** Whether the bases that completion appended to a pack are in packs that are sent whole. */
function basesGoOutWhole(session: GraphSession, { handle, order }: Ordered): boolean {
  for (let rank = handle.record.ownObjects; rank < order.count; rank++) {
    if (!isPlaced(session, order.index.nameAt(order.positionAt(rank)))) return false;
  }
  return true;
}
