/**
 * Opens very many trees in the order in which they lie in their packs. A walk that opens them root by root meets each
 * directory of each commit where the last one left off, all over the pack, and reads the same blocks again and again
 * once they don't fit the cache.
 *
 * A sweep reads the trees of a pack from its beginning to its end, each byte once. It makes every tree whose base is
 * still in the ring: the base of a delta lies before it, and usually not far in terms of trees. It opens those that the
 * walk has found. What they lead to usually lies behind them, and is opened in the same sweep. A tree that was passed
 * over before it was found is opened at once if it is still in the ring, and else by the next sweep.
 *
 * A sweep is a way to read, and decides nothing: the trees that it could not open are still marked afterwards.
 *
 * @packageDocumentation
 * @see git-pack-objects(1), which writes trees together, and the bases of deltas before them
 */
import { UNOPENED } from "../kernel/object-flags.ts";
import { i32At, itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { OFS_DELTA, REF_DELTA, TYPE_NUMBER } from "../object/object-type.ts";
import { BLOCK_BYTES } from "../store/block-cache.ts";
import type { Held } from "../store/inflating.ts";
import { loadPackOrder, type PackOrder } from "../store/pack-order.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { READING } from "../store/reading-policy.ts";
import type { GraphSession } from "./graph-session.ts";

/** A larger entry of a tree is left to be read by itself. */
const MOST_ENTRY_BYTES = 1024 * 1024;
/** Fewer trees than this in one pack are not worth a sweep. */
const FEW_TREES = 64;
/** The sweeps of a pack. Trees that are left then lie before what leads to them, again and again. */
const MOST_SWEEPS = 4;
/** The steps charged to the pacer for an entry that is passed over. */
const ENTRY_STEPS = 5;

/** Opens a tree whose content is held. Adds the subtrees that no walk has met to `found`. */
export type OpenTree = (tree: number, held: Held, found: number[]) => Promise<void> | void;

/** Marks trees as found and not opened yet. */
export function markUnopened(session: GraphSession, trees: Iterable<number>): void {
  for (const tree of trees) session.mark(tree, UNOPENED);
}

/** Returns the trees that are found and not opened yet, and takes the mark off them. */
export function takeUnopened(session: GraphSession): number[] {
  const trees = unopened(session);
  for (const tree of trees) session.unmark(tree, UNOPENED);
  return trees;
}

function unopened(session: GraphSession): number[] {
  const trees: number[] = [];
  for (let node = 0; node < session.kernel.oidCount; node++) if (session.has(node, UNOPENED)) trees.push(node);
  return trees;
}

/**
 * Opens the trees that are marked, and all that they lead to, as far as that goes in sweeps. The others stay marked, and
 * the caller has to read them one by one.
 */
export async function sweepTrees(session: GraphSession, open: OpenTree): Promise<void> {
  const { packs } = session.database;
  const sweeps = new Map<number, PackSweeps>();
  // Every tree is looked up in them, and they are needed to place what is selected.
  await session.database.loadIndexes();
  try {
    for (;;) {
      const next = await nextPack(session, (pack) => sweeps.get(pack)?.isDone === true);
      if (next === undefined) return;
      let sweep = sweeps.get(next);
      if (sweep === undefined) {
        sweep = await PackSweeps.open(session, { pack: next, handle: itemAt(packs, next) }, open);
        sweeps.set(next, sweep);
      }
      await sweep.run();
    }
  } finally {
    for (const sweep of sweeps.values()) sweep.free();
  }
}

/** Returns the pack to sweep next; `undefined` if no pack has enough of the trees. */
async function nextPack(session: GraphSession, isDone: (pack: number) => boolean): Promise<number | undefined> {
  const { packs } = session.database;
  const counts = await countByPack(session, unopened(session));
  const isWorthIt = (handle: PackHandle, pack: number): boolean =>
    numberOf(counts, pack) >= FEW_TREES && handle.record.packBytes > READING.smallPackBytes && !isDone(pack);
  // What leads to other packs' trees is usually in the younger pack.
  const [next] = [...packs.entries()]
    .filter(([pack, handle]) => isWorthIt(handle, pack))
    .sort(([, a], [, b]) => b.record.createdAt - a.record.createdAt);
  return next?.[0];
}

/** Returns the numbers of the packs that have these trees, with the number of trees in each. */
async function countByPack(session: GraphSession, trees: readonly number[]): Promise<Map<number, number>> {
  const { rawSize } = session.format;
  const names = new Uint8Array(trees.length * rawSize);
  for (const [i, tree] of trees.entries()) names.set(session.nameOf(tree), i * rawSize);
  const { packs } = await session.database.locate(names);
  freeMemory(names);
  const counts = new Map<number, number>();
  for (const pack of packs) counts.set(pack, numberOf(counts, pack) + 1);
  return counts;
}

function numberOf(counts: ReadonlyMap<number, number>, pack: number): number {
  // A pack that was not counted has none of the trees.
  return counts.get(pack) ?? 0;
}

type NumberedPack = { readonly pack: number; readonly handle: PackHandle };
type PackFiles = { readonly order: PackOrder; readonly types: Uint8Array };

/** In place of the rank of a base: the entry is not a delta, or was not looked at. */
const NO_BASE = -1;

/** The sweeps over the trees of one pack. The first makes all of them; the next ones only what is needed. */
class PackSweeps {
  readonly #session: GraphSession;
  readonly #pack: number;
  readonly #handle: PackHandle;
  readonly #openTree: OpenTree;
  readonly #order: PackOrder;
  readonly #types: Uint8Array;
  readonly #header = new EntryHeader();
  /** The rank of each tree's base, as far as sweeps have seen it. */
  readonly #bases: Int32Array<ArrayBuffer>;
  /** By rank: whether a tree has to be made. Absent in the first sweep, which makes them all. */
  #needed: Uint8Array<ArrayBuffer> | undefined;
  /** The number of trees that are to be opened, in whatever pack they are. */
  #pending = 0;
  #opened = 0;
  #runs = 0;
  #isDone = false;

  private constructor(session: GraphSession, from: NumberedPack & PackFiles, open: OpenTree) {
    this.#session = session;
    this.#pack = from.pack;
    this.#handle = from.handle;
    this.#order = from.order;
    this.#types = from.types;
    this.#openTree = open;
    this.#bases = new Int32Array(from.order.count).fill(NO_BASE);
  }

  static async open(session: GraphSession, from: NumberedPack, open: OpenTree): Promise<PackSweeps> {
    const [order, types] = await Promise.all([loadPackOrder(from.handle, session.format), from.handle.allTypes()]);
    return new PackSweeps(session, { ...from, order, types }, open);
  }

  /** Whether the sweeps are over: another would bring little. */
  get isDone(): boolean {
    return this.#isDone;
  }

  free(): void {
    freeMemory(this.#bases);
    if (this.#needed !== undefined) freeMemory(this.#needed);
  }

  async run(): Promise<void> {
    this.#runs++;
    this.#opened = 0;
    const pending = unopened(this.#session);
    this.#pending = pending.length;
    if (this.#runs > 1) this.#prepareAnother(pending);
    for (let rank = 0; rank < this.#order.count && this.#pending > 0; rank++) {
      if (this.#isWanted(rank)) await this.#pass(rank);
      else await this.#pace(ENTRY_STEPS);
    }
    this.#isDone = this.#opened === 0 || this.#runs === MOST_SWEEPS;
  }

  async #pace(steps: number): Promise<void> {
    const { pacer } = this.#session.database.context;
    pacer.add(steps);
    if (pacer.isDue) await pacer.pace();
  }

  #prepareAnother(pending: readonly number[]): void {
    this.#needed ??= new Uint8Array(this.#order.count);
    this.#needed.fill(0);
    for (const tree of pending) this.#need(tree);
  }

  /** Notes that a tree has to be made, with what it builds on. */
  #need(tree: number): void {
    const needed = this.#needed;
    const place = this.#session.database.offsetAtHand(this.#session.nameOf(tree));
    if (needed === undefined || place?.pack !== this.#pack) return;
    let rank = this.#order.rankOf(place.offset);
    while (rank !== NO_BASE && needed[rank] === 0) {
      needed[rank] = 1;
      rank = i32At(this.#bases, rank);
    }
  }

  #isWanted(rank: number): boolean {
    if (this.#needed !== undefined) return this.#needed[rank] === 1;
    return typeAtPosition(this.#types, this.#order.positionAt(rank)) === TYPE_NUMBER.tree;
  }

  /** Makes a tree if what it builds on is in memory, and opens it if the walk has found it. */
  async #pass(rank: number): Promise<void> {
    const session = this.#session;
    const offset = this.#order.offsetAt(rank);
    if (!(await this.#load(offset, this.#order.offsetAt(rank + 1)))) return;
    const base = this.#baseOf(offset);
    if (base === "unreadable") return;
    this.#bases[rank] = base;
    if (!this.#isAtHand(base)) return;
    const node = session.findNode(this.#order.index.nameAt(this.#order.positionAt(rank)));
    if (node >= 0 && session.has(node, UNOPENED)) await this.#open(node, offset);
    else await session.reader.readAtIfHeld(this.#pack, offset);
  }

  /** Reads an entry on, with what lies around it. Returns false if it is too large for that. */
  async #load(offset: number, end: number): Promise<boolean> {
    if (end - offset > MOST_ENTRY_BYTES) return false;
    for (let at = offset; at < end; at = Math.floor(at / BLOCK_BYTES + 1) * BLOCK_BYTES) {
      if (this.#handle.bytesAtHand(at) === undefined) await this.#handle.loadAround(at, READING.groupBlocks);
    }
    return true;
  }

  /** Whether an entry, and all that it builds on up to what is in the ring, is in memory. */
  #isAtHand(rank: number): boolean {
    for (let at = rank; at !== NO_BASE; at = i32At(this.#bases, at)) {
      const offset = this.#order.offsetAt(at);
      if (this.#session.reader.isHeld(this.#pack, offset)) return true;
      const last = this.#order.offsetAt(at + 1) - 1;
      if (this.#handle.bytesAtHand(offset) === undefined || this.#handle.bytesAtHand(last) === undefined) return false;
    }
    return true;
  }

  /** Returns the rank of the base of an entry that is in memory. */
  #baseOf(offset: number): number | "unreadable" {
    const { format, inflating } = this.#session;
    const order = this.#order;
    const header = this.#header;
    const head = this.#headOf(offset);
    if (header.decode(head, 0, head.length, format.rawSize) !== "ok") return "unreadable";
    if (header.size > inflating.wholeBytes) return "unreadable";
    if (header.type === OFS_DELTA) return order.rankOf(offset - header.distance);
    if (header.type !== REF_DELTA) return NO_BASE;
    const base = order.index.find(head.slice(header.baseAt, header.baseAt + format.rawSize));
    return base < 0 ? "unreadable" : order.rankOf(order.index.offsetAt(base));
  }

  /** Returns the beginning of an entry, which may lie in two blocks. */
  #headOf(offset: number): Uint8Array {
    const first = this.#handle.bytesAtHand(offset) ?? new Uint8Array(0);
    if (first.length >= MAX_ENTRY_HEADER_BYTES) return first;
    return concat([first, this.#handle.bytesAtHand(offset + first.length) ?? new Uint8Array(0)]);
  }

  /** Opens a tree, and those that it leads to which lie before it and are still in the ring. */
  async #open(node: number, offset: number): Promise<void> {
    const session = this.#session;
    const stack = [{ node, offset }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      // What was in the ring may have been overwritten meanwhile.
      if (next.node !== node && !session.reader.isHeld(this.#pack, next.offset)) continue;
      const object = await session.reader.readAtIfHeld(this.#pack, next.offset);
      // One that is too large stays marked: whoever reads it says so.
      if (object === undefined) continue;
      session.unmark(next.node, UNOPENED);
      this.#pending--;
      this.#opened++;
      const found: number[] = [];
      await this.#openTree(next.node, object.held, found);
      for (const tree of found) {
        session.mark(tree, UNOPENED);
        this.#pending++;
        this.#need(tree);
        const place = session.database.offsetAtHand(session.nameOf(tree));
        if (place?.pack !== this.#pack || place.offset > offset) continue;
        if (session.reader.isHeld(this.#pack, place.offset)) stack.push({ node: tree, offset: place.offset });
      }
    }
  }
}
