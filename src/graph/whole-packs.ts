/**
 * The plan of a clone: which packs go out whole, and what of the others does. A pack must not have an object twice, and packs of
 * a catalog may share some, so what is in one of the packs before is left out of the next.
 *
 * @packageDocumentation
 */
import type { PackHandle } from "../store/pack-handle.ts";
import { loadPackOrder } from "../store/pack-order.ts";
import { type GraphSession, PLACED } from "./graph-session.ts";
import { type PackSelection, selectByRank } from "./pack-selection.ts";

/** What goes out. */
export type WholePacks = { readonly whole: readonly PackHandle[]; readonly parts: readonly PackSelection[] };

/** Plans to send every object of every pack, once. Reads the indexes of all packs but the largest. */
export async function selectWholePacks(session: GraphSession): Promise<WholePacks> {
  const { packs } = session.database;
  const largest = packs.reduce<PackHandle | undefined>(
    (a, b) => (a === undefined || b.record.objects > a.record.objects ? b : a),
    undefined,
  );
  if (largest === undefined) return { whole: [], parts: [] };
  const others = packs.map((handle, pack) => ({ handle, pack })).filter(({ handle }) => handle !== largest);
  await markSharedWith(session, largest, others);
  const whole = [largest];
  const parts: PackSelection[] = [];
  for (const { handle, pack } of others) {
    const order = await loadPackOrder(handle, session.format);
    const own = selectOwn(session, { handle, pack, order });
    if (own.offsets.length === handle.record.ownObjects) whole.push(handle);
    else if (own.offsets.length > 0) parts.push(own);
  }
  return { whole, parts };
}

type Numbered = { readonly handle: PackHandle; readonly pack: number };

/** Marks what the largest pack has of the others' objects as placed: one question for all of them. */
async function markSharedWith(session: GraphSession, largest: PackHandle, others: readonly Numbered[]): Promise<void> {
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
  const found = await largest.find(
    names,
    Uint32Array.from({ length: count }, (_, i) => i),
  );
  for (const [i, position] of found.entries()) {
    if (position >= 0) session.mark(session.node(names.subarray(i * rawSize, (i + 1) * rawSize)), PLACED);
  }
}

function selectOwn(session: GraphSession, from: Parameters<typeof selectByRank>[0]): PackSelection {
  const { ownObjects } = from.handle.record;
  let rank = -1;
  return selectByRank(from, (name) => {
    // completion appended its bases behind the pack's own objects
    if (++rank >= ownObjects) return false;
    const node = session.node(name);
    if (session.has(node, PLACED)) return false;
    session.mark(node, PLACED);
    return true;
  });
}
