/**
 * Selects what commits reach by the bitmaps of a pack. The walk goes from the wanted commits to the first ones that have
 * a bitmap, or that such a bitmap has. Only the trees of the commits in between are opened.
 *
 * A bitmap is used only for a commit that the walk has reached. So nothing is selected that the wanted commits do not
 * reach, whatever else is in the pack.
 *
 * @packageDocumentation
 * @see pack-bitmap.c `prepare_bitmap_walk()`
 */
import { IS_COMMIT, IS_TAG, REF_BLOB, REF_TREE, SELECTED, UNINTERESTING } from "../kernel/object-flags.ts";
import { itemAt, u32At } from "../bytes/assert.ts";
import { addBits, type Bits, countBits, hasBit, keepBits, newBits, numbersIn } from "../bytes/bits.ts";
import { CorruptStore, isStorageFault } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { loadPackOrder, type PackOrder } from "../store/pack-order.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { READING } from "../store/reading-policy.ts";
import { StoredBitmaps } from "../store/stored-bitmaps.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { Reaches, WalkedCommits } from "./commit-walk.ts";
import type { GraphSession } from "./graph-session.ts";
import { NO_FILTER, type ObjectFilter, passingTypes, wantsBlobs, wantsTrees } from "./object-filter.ts";
import { markClientTrees, selectTreesOf, type TreeWalk } from "./object-walk.ts";

/** Up to this many commits to send, a walk along the paths that differ reads less than the files of a large pack. */
const FEW_COMMITS = 1000;
/** A walk of all history that is over after this many commits takes no bitmaps. */
const SHORT_WALK = 32;
/** The steps charged to the pacer for each object that is marked. */
const MARK_STEPS = 30;
const FLAG_OF_TYPE: readonly number[] = [0, IS_COMMIT, REF_TREE, REF_BLOB, IS_TAG];
const TREES_AND_BLOBS: readonly number[] = [TYPE_NUMBER.tree, TYPE_NUMBER.blob];

type Opened = {
  readonly handle: PackHandle;
  readonly order: PackOrder;
  readonly bitmaps: StoredBitmaps;
};

function hasBitmaps({ record: { bitmap } }: PackHandle): boolean {
  return bitmap !== undefined && bitmap.bytes > 0;
}

/** Opens the bitmaps of the largest pack that has some; `undefined` if none has, or they can't be read. */
async function openBitmaps({ database, format }: GraphSession): Promise<Opened | undefined> {
  const [handle] = database.packs.filter(hasBitmaps).toSorted((a, b) => b.record.objects - a.record.objects);
  if (handle === undefined) return undefined;
  const [bitmaps, order] = await Promise.all([
    unlessCorrupt(handle, StoredBitmaps.open(handle, format)),
    loadPackOrder(handle, format),
  ]);
  return bitmaps === undefined ? undefined : { handle, order, bitmaps };
}

/** Bitmaps only save work: a fetch does without those that are damaged, as git does, and notes them. */
async function unlessCorrupt<T>(handle: PackHandle, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!isStorageFault(error)) throw error;
    if (error instanceof CorruptStore) handle.noteDamage("bitmap");
    return undefined;
  }
}

/** Returns the ranks of a pack's objects by type, less one, as the file of its bitmaps has them; `undefined` if there is none that can be read. */
export async function typesByBitmaps(
  { format }: GraphSession,
  handle: PackHandle,
): Promise<readonly Bits[] | undefined> {
  if (!hasBitmaps(handle)) return undefined;
  const bitmaps = await unlessCorrupt(handle, StoredBitmaps.open(handle, format));
  return bitmaps === undefined ? undefined : await unlessCorrupt(handle, bitmaps.types());
}

/** What some commits reach: the objects of the pack, and the commits whose trees are still to be opened. */
type Reached = { readonly bits: Bits; readonly commits: readonly number[] };

/** A walk from commits to bitmaps. */
class BitmapWalk {
  readonly #session: GraphSession;
  readonly #opened: Opened;
  readonly #bits: Bits;
  readonly #commits: number[] = [];
  readonly #queue = new CommitQueue();
  readonly #met = new Set<number>();
  #isMet = false;

  constructor(session: GraphSession, opened: Opened) {
    this.#session = session;
    this.#opened = opened;
    this.#bits = newBits(opened.handle.record.objects);
  }

  /** Returns what the commits reach; `undefined` if a bitmap can't be read, or none was met. */
  async from(commits: Iterable<number>): Promise<Reached | undefined> {
    const { commits: table } = this.#session;
    for (const node of commits) if (!(await this.#meet(node))) return undefined;
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      if (this.#isKnown(node)) continue;
      this.#commits.push(node);
      for (const parent of table.parentsOf(node).slice()) if (!(await this.#meet(parent))) return undefined;
    }
    return this.#isMet ? { bits: this.#bits, commits: this.#commits } : undefined;
  }

  /** Whether the commits that were walked from reach a commit, as far as bitmaps tell. */
  reaches(node: number): boolean {
    return this.#met.has(node) || this.#isKnown(node);
  }

  #positionOf(node: number): number {
    return this.#opened.order.index.find(this.#session.nameOf(node));
  }

  #isKnown(node: number): boolean {
    const position = this.#positionOf(node);
    return position >= 0 && hasBit(this.#bits, this.#opened.order.rankAt(position));
  }

  /** Takes a commit's bitmap or, without one, has the commit looked at. Returns false if a bitmap can't be read. */
  async #meet(node: number): Promise<boolean> {
    if (this.#met.has(node)) return true;
    this.#met.add(node);
    if (this.#isKnown(node)) return true;
    const position = this.#positionOf(node);
    if (position >= 0 && this.#opened.bitmaps.has(position)) {
      const reached = await unlessCorrupt(this.#opened.handle, this.#opened.bitmaps.reachedFrom(position));
      if (reached === undefined) return false;
      addBits(this.#bits, reached);
      this.#isMet = true;
      return true;
    }
    await loadGraph(this.#session);
    const loading = this.#session.loadCommits([node]);
    if (loading !== undefined) await loading;
    this.#queue.push(node, this.#session.commits.timeOf(node));
    return true;
  }
}

/** The bits of a pack's objects, and what its files say of them. */
type Marked = { readonly opened: Opened; readonly bits: Bits };

/** Calls `visit` with the node and type of each object in a set whose type is wanted. */
async function visitObjects(
  session: GraphSession,
  { opened: { handle, order }, bits }: Marked,
  wanted: ReadonlySet<number>,
  visit: (node: number, type: number) => void,
): Promise<void> {
  const types = await handle.allTypes();
  const ranks = numbersIn(bits);
  await session.database.context.pacer.forEach(ranks.length, MARK_STEPS, (at) => {
    const position = order.positionAt(u32At(ranks, at));
    const type = typeAtPosition(types, position);
    if (wanted.has(type)) visit(session.node(order.index.nameAt(position)), type);
  });
  freeMemory(ranks);
}

/** Marks what the client has: what the border commits reach by bitmaps, and their own trees. */
async function markClient(session: GraphSession, marked: Marked, edges: readonly number[]): Promise<void> {
  await visitObjects(session, marked, new Set(TREES_AND_BLOBS), (node, type) => {
    session.mark(node, UNINTERESTING | itemAt(FLAG_OF_TYPE, type));
  });
  const trees = edges.map((node) => session.commits.treeOf(node)).filter((tree) => !session.has(tree, UNINTERESTING));
  for (const tree of trees) session.mark(tree, UNINTERESTING | REF_TREE);
  await markClientTrees(session, new Set(trees));
}

/** Reads the commit-graph before a walk goes on: a commit of a large pack takes three reads, and the graph one for all of them. */
async function loadGraph({ database: { graph } }: GraphSession): Promise<void> {
  await graph?.load();
}

/**
 * Makes known what some commits are, by the commit-graph alone, where bitmaps may be of use: each would take three reads of a large pack,
 * and the walk to the bitmaps takes the graph in any case.
 */
export async function learnByGraph(session: GraphSession, commits: readonly number[]): Promise<void> {
  if (!session.database.packs.some(hasBitmaps)) return;
  await loadGraph(session);
  session.takeFromGraph(commits);
}

/** Whether a walk of commits is over before it is worth opening the files of a large pack. */
async function isShort(session: GraphSession, wanted: readonly number[]): Promise<boolean> {
  const seen = new Set(wanted);
  let walked = 0;
  for (const node of seen) {
    if (seen.size > SHORT_WALK) return false;
    if (walked++ === wanted.length) await loadGraph(session);
    await session.loadCommit(node);
    for (const parent of session.commits.parentsOf(node)) seen.add(parent);
  }
  return true;
}

/** Opens bitmaps that may be of use for a filter. */
async function openFor(session: GraphSession, { filter }: TreeWalk): Promise<Opened | undefined> {
  if (filter.treeDepth !== 0 && filter.treeDepth !== Number.POSITIVE_INFINITY) return undefined;
  return await openBitmaps(session);
}

/** Objects of one pack that are selected without having nodes, by the ranks of their entries. */
export type SelectedRanks = { readonly handle: PackHandle; readonly order: PackOrder; readonly ranks: Bits };

/** Whether the object with this raw name is among those selected. */
export function isAmong({ order, ranks }: Pick<SelectedRanks, "order" | "ranks">, name: Uint8Array): boolean {
  const position = order.index.find(name);
  return position >= 0 && hasBit(ranks, order.rankAt(position));
}

/**
 * Selects all that commits reach, for a client that has nothing. What lies before the bitmaps is marked. Returns the
 * rest, which has no nodes; `undefined`, with nothing selected, if no bitmap is of use.
 */
export async function selectAllByBitmaps(
  session: GraphSession,
  wanted: readonly number[],
  walk: TreeWalk,
): Promise<SelectedRanks | undefined> {
  if (!session.database.packs.some(hasBitmaps) || (await isShort(session, wanted))) return undefined;
  const opened = await openFor(session, walk);
  const reached = opened === undefined ? undefined : await new BitmapWalk(session, opened).from(wanted);
  if (opened === undefined || reached === undefined) return undefined;
  const { order, handle } = opened;
  const { bits, commits } = reached;
  const ranks = await passing(session, { opened, bits }, walk.filter);
  if (ranks === undefined) return undefined;
  for (const node of commits) session.mark(node, SELECTED);
  await walk.count(commits.length + countBits(ranks));
  // What the bitmaps have needs no nodes: whether the walk has come to it is looked up when it comes to something new.
  const isReached = (node: number): boolean => isAmong({ order, ranks: bits }, session.nameOf(node));
  await selectTreesOf(session, { interesting: commits, edges: [] }, { ...walk, isReached });
  return { handle, order, ranks };
}

/**
 * Returns those of the objects reached that pass a filter at once, and selects the blobs whose sizes have to be looked at. Returns
 * `undefined`, with nothing selected, if the types can't be read.
 */
async function passing(
  session: GraphSession,
  { opened, bits }: Marked,
  filter: ObjectFilter,
): Promise<Bits | undefined> {
  if (filter === NO_FILTER) return bits;
  const types = await unlessCorrupt(opened.handle, opened.bitmaps.types());
  if (types === undefined) return undefined;
  const isMeasured = filter.blobBytes < Number.POSITIVE_INFINITY;
  const ranks = newBits(opened.order.count);
  for (const type of passingTypes(filter)) {
    if (type !== TYPE_NUMBER.blob || !isMeasured) addBits(ranks, itemAt(types, type - 1));
  }
  keepBits(ranks, bits);
  if (isMeasured && wantsBlobs(filter)) {
    await visitObjects(session, { opened, bits }, new Set([TYPE_NUMBER.blob]), (node) => {
      session.mark(node, SELECTED | REF_BLOB);
    });
  }
  return ranks;
}

/**
 * Marks what commits reach and the client, which has some history, does not have. `walked` are the commits to send, and
 * the border commits. Returns false, with nothing selected, if no bitmap is of use: then it takes a walk. The commits are
 * exact; trees and blobs may be selected that only older commits of the client's have.
 */
export async function selectByBitmaps(
  session: GraphSession,
  { wanted, walked }: { readonly wanted: readonly number[]; readonly walked: WalkedCommits },
  walk: TreeWalk,
): Promise<boolean> {
  const { interesting, edges } = walked;
  if (interesting.length <= FEW_COMMITS || !session.database.packs.some(hasBitmaps)) return false;
  const opened = await openFor(session, walk);
  if (opened === undefined) return false;
  const client = edges.length === 0 ? undefined : await new BitmapWalk(session, opened).from(edges);
  const reached = await new BitmapWalk(session, opened).from(wanted);
  if (reached === undefined || (edges.length > 0 && client === undefined)) return false;
  if (client !== undefined) await markClient(session, { opened, bits: client.bits }, edges);
  await select(session, { opened, bits: reached.bits }, { ...walked, interesting, reached: reached.commits }, walk);
  return true;
}

/**
 * Returns a test of whether commits reach a commit; `undefined` if no bitmap is of use. The youngest ones come first, since their
 * bitmaps mostly have the others: of many tags, few bitmaps are read.
 */
export async function reachedByBitmaps(
  session: GraphSession,
  commits: ReadonlySet<number>,
): Promise<Reaches | undefined> {
  const mayBeRead = ({ index, record }: PackHandle): boolean =>
    index !== undefined || record.indexBytes <= READING.largeIndexBytes;
  if (!session.database.packs.some((handle) => hasBitmaps(handle) && mayBeRead(handle))) return undefined;
  const opened = await openBitmaps(session);
  if (opened === undefined || !mayBeRead(opened.handle)) return undefined;
  await session.loadCommits(commits);
  const walk = new BitmapWalk(session, opened);
  const youngestFirst = [...commits].toSorted((a, b) => session.commits.timeOf(b) - session.commits.timeOf(a));
  const reached = await walk.from(youngestFirst);
  return reached === undefined ? undefined : (node) => walk.reaches(node);
}

async function select(
  session: GraphSession,
  marked: Marked,
  { interesting, reached }: WalkedCommits & { readonly reached: readonly number[] },
  walk: TreeWalk,
): Promise<void> {
  const types = new Set<number>();
  if (wantsTrees(walk.filter)) types.add(TYPE_NUMBER.tree);
  if (wantsBlobs(walk.filter)) types.add(TYPE_NUMBER.blob);
  let selected = interesting.length;
  await visitObjects(session, marked, types, (node, type) => {
    if (session.has(node, SELECTED | UNINTERESTING)) return;
    session.mark(node, SELECTED | itemAt(FLAG_OF_TYPE, type));
    selected++;
  });
  // A bitmap has the client's commits, too. The walk knows better.
  for (const node of interesting) session.mark(node, SELECTED);
  await walk.count(selected);
  const sent = reached.filter((node) => session.has(node, SELECTED));
  await selectTreesOf(session, { interesting: sent, edges: [] }, walk);
}
