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
import { itemAt } from "../bytes/assert.ts";
import { addBits, type Bits, hasBit, newBits } from "../bytes/bits.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { loadPackOrder, type PackOrder } from "../store/pack-order.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { StoredBitmaps } from "../store/stored-bitmaps.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { WalkedCommits } from "./commit-walk.ts";
import type { GraphSession } from "./graph-session.ts";
import { wantsBlobs, wantsTrees } from "./object-filter.ts";
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
  readonly types: Uint8Array;
};

function hasBitmaps({ record: { bitmap } }: PackHandle): boolean {
  return bitmap !== undefined && bitmap.bytes > 0;
}

/** Opens the bitmaps of the largest pack that has some; `undefined` if none has, or they can't be read. */
async function openBitmaps({ database, format }: GraphSession): Promise<Opened | undefined> {
  const [handle] = database.packs.filter(hasBitmaps).toSorted((a, b) => b.record.objects - a.record.objects);
  if (handle === undefined) return undefined;
  const [bitmaps, order, types] = await Promise.all([
    unlessCorrupt(StoredBitmaps.open(handle, format)),
    loadPackOrder(handle, format),
    handle.allTypes(),
  ]);
  return bitmaps === undefined ? undefined : { handle, order, bitmaps, types };
}

/** Bitmaps only save work: a fetch does without those that are damaged, as git does. */
async function unlessCorrupt<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CorruptStore) return undefined;
    throw error;
  }
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
      const reached = await unlessCorrupt(this.#opened.bitmaps.reachedFrom(position));
      if (reached === undefined) return false;
      addBits(this.#bits, reached);
      this.#isMet = true;
      return true;
    }
    await this.#session.loadCommit(node);
    this.#queue.push(node, this.#session.commits.timeOf(node));
    return true;
  }
}

/** The bits of a pack's objects, and what its files say of them. */
type Marked = { readonly opened: Opened; readonly bits: Bits };

/** Calls `visit` with the node and type of each object in a set whose type is wanted. */
async function visitObjects(
  session: GraphSession,
  { opened: { order, types }, bits }: Marked,
  wanted: ReadonlySet<number>,
  visit: (node: number, type: number) => void,
): Promise<void> {
  await session.database.context.pacer.forEach(order.count, MARK_STEPS, (rank) => {
    if (!hasBit(bits, rank)) return;
    const position = order.positionAt(rank);
    const type = typeAtPosition(types, position);
    if (wanted.has(type)) visit(session.node(order.index.nameAt(position)), type);
  });
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

/** Whether a walk of commits is over before it is worth opening the files of a large pack. */
async function isShort(session: GraphSession, wanted: readonly number[]): Promise<boolean> {
  const seen = new Set(wanted);
  for (const node of seen) {
    if (seen.size > SHORT_WALK) return false;
    await session.loadCommit(node);
    for (const parent of session.commits.parentsOf(node)) seen.add(parent);
  }
  return true;
}

/** The commits of which everything is to be sent that they reach, or what a walk has found of them. */
export type BitmapWants = {
  /** Nodes of the wanted commits. */
  readonly wanted: readonly number[];
  /** The commits to send, and the border commits, if the client has some history. Without it, all history is sent. */
  readonly walked?: WalkedCommits;
};

/**
 * Selects what commits reach and the client does not have. Returns false, with nothing selected, if no bitmap is of use:
 * then it takes a walk. What is selected is exact for the commits. Of trees and blobs, some may be selected that only
 * older commits of the client's have.
 */
export async function selectByBitmaps(
  session: GraphSession,
  { wanted, walked }: BitmapWants,
  walk: TreeWalk,
): Promise<boolean> {
  const { filter } = walk;
  if (filter.treeDepth !== 0 && filter.treeDepth !== Number.POSITIVE_INFINITY) return false;
  if (!session.database.packs.some(hasBitmaps)) return false;
  if (walked === undefined ? await isShort(session, wanted) : walked.interesting.length <= FEW_COMMITS) return false;
  const opened = await openBitmaps(session);
  if (opened === undefined) return false;
  const edges = walked === undefined ? [] : walked.edges;
  const client = edges.length === 0 ? undefined : await new BitmapWalk(session, opened).from(edges);
  const reached = await new BitmapWalk(session, opened).from(wanted);
  if (reached === undefined || (edges.length > 0 && client === undefined)) return false;
  if (client !== undefined) await markClient(session, { opened, bits: client.bits }, edges);
  await select(session, { opened, bits: reached.bits }, { commits: reached.commits, walked }, walk);
  return true;
}

async function select(
  session: GraphSession,
  marked: Marked,
  { commits, walked }: { readonly commits: readonly number[]; readonly walked: WalkedCommits | undefined },
  walk: TreeWalk,
): Promise<void> {
  const { filter } = walk;
  const types = new Set<number>();
  if (wantsTrees(filter)) types.add(TYPE_NUMBER.tree);
  if (wantsBlobs(filter)) types.add(TYPE_NUMBER.blob);
  // A bitmap has the client's commits, too. The walk knows better.
  if (walked === undefined) types.add(TYPE_NUMBER.commit);
  let selected = 0;
  await visitObjects(session, marked, types, (node, type) => {
    if (session.has(node, SELECTED | UNINTERESTING)) return;
    session.mark(node, SELECTED | itemAt(FLAG_OF_TYPE, type));
    selected++;
  });
  for (const node of walked === undefined ? commits : walked.interesting) session.mark(node, SELECTED);
  await walk.count(selected + (walked === undefined ? commits : walked.interesting).length);
  const isSent = (node: number): boolean => walked === undefined || session.has(node, SELECTED);
  await selectTreesOf(session, { interesting: commits.filter(isSent), edges: [] }, walk);
}
