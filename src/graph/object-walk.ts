/**
 * Selects the trees and blobs that go with the commits that are sent. Without common commits, these are all that the
 * commits' trees reach. With them, the walk goes tree by tree along the paths that differ. At each path it compares the
 * client's trees (those of the border commits) with the ones to send, so that only directories that changed are opened.
 *
 * @packageDocumentation
 * @see git-pack-objects(1), `--sparse`
 */
import { REF_BLOB, REF_TREE, SELECTED, UNINTERESTING } from "../kernel/object-flags.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { TREE_CORRUPT } from "../kernel/kernel.ts";
import { textOf } from "../object/byte-text.ts";
import { TreeReader, isGitlink, isTree } from "../object/tree.ts";
import type { Held } from "../store/inflating.ts";
import type { GraphSession } from "./graph-session.ts";
import type { WalkedCommits } from "./commit-walk.ts";
import { type ObjectFilter, wantsBlobs, wantsTrees } from "./object-filter.ts";
import { markUnopened, type OpenTree, sweepTrees, takeUnopened } from "./tree-sweep.ts";

/** The options of a walk that selects trees and blobs. Types and sizes are left to `dropFiltered` afterwards. */
export type TreeWalk = {
  readonly filter: ObjectFilter;
  /** Receives the number of objects selected since the last call. */
  readonly count: (objects: number) => Promise<void>;
  /** Whether an object that the walk has come to is decided on already, with all that it reaches. */
  readonly isReached?: (node: number) => boolean;
};

/** Selects (marks) the trees and blobs to send with `commits`. */
export async function selectTreesOf(session: GraphSession, commits: WalkedCommits, walk: TreeWalk): Promise<void> {
  if (!wantsTrees(walk.filter)) return;
  const roots = commits.interesting.map((node) => session.commits.treeOf(node));
  if (commits.edges.length === 0) {
    await selectBelow(session, roots, walk);
    return;
  }
  const client = commits.edges.map((node) => session.commits.treeOf(node));
  await selectDifferences(session, roots, client, walk);
}

/** Selects trees that were asked for by name, and what is below them. Their entries are at level 0 of the filter. */
export async function selectGivenTrees(session: GraphSession, trees: readonly number[], walk: TreeWalk): Promise<void> {
  if (walk.filter.treeDepth === Number.POSITIVE_INFINITY) {
    await selectBelow(session, trees, walk);
    return;
  }
  const below: number[] = [];
  for (const tree of trees) {
    if (session.has(tree, SELECTED | UNINTERESTING)) continue;
    session.mark(tree, SELECTED | REF_TREE);
    if (wantsTrees(walk.filter)) await walk.count(await selectEntries(session, tree, below, walk));
  }
  await selectLevels(session, below, walk);
}

async function selectBelow(session: GraphSession, roots: readonly number[], walk: TreeWalk): Promise<void> {
  if (walk.filter.treeDepth === Number.POSITIVE_INFINITY) await selectWhole(session, roots, walk);
  else await selectLevels(session, notYetSelected(session, roots, walk), walk);
}

function notYetSelected(session: GraphSession, trees: readonly number[], walk: TreeWalk): number[] {
  return [...new Set(trees)].filter((tree) => !isDecided(session, tree, walk));
}

/** Whether an object is selected already, left to the client, or reached by other means. */
function isDecided(session: GraphSession, node: number, { isReached }: Pick<TreeWalk, "isReached">): boolean {
  return session.has(node, SELECTED | UNINTERESTING) || isReached?.(node) === true;
}

/**
 * Up to this many roots are walked level by level, each level read ahead. More are walked depth first, because a tree's
 * own subtrees lie nearest to it.
 */
const FEW_ROOTS = 16;
/** A commit brings about this many objects. If the roots may need most of what is stored, all trees are swept at once. */
const OBJECTS_OF_COMMIT = 32;
/** The part of the packs' bytes that a walk root by root may read before the rest is swept. */
const READ_BEFORE_SWEEP = 1 / 4;
/** With this many packs, the bytes read are looked at for each tree. With more, for fewer trees. */
const PACKS_LOOKED_AT = 8;
/** A walk root by root may always read this many bytes, which is a few dozen reads. */
const LEAST_READ_BEFORE_SWEEP = 8 * 1024 * 1024;

/** Selects trees and all that they reach. */
export async function selectWhole(session: GraphSession, roots: readonly number[], walk: TreeWalk): Promise<void> {
  if (roots.length <= FEW_ROOTS) {
    await selectLevels(session, notYetSelected(session, roots, walk), walk);
    return;
  }
  const left = new WalkAllowance(session, roots.length);
  const stack: number[] = [];
  for (const root of roots) {
    if (isDecided(session, root, walk)) continue;
    session.mark(root, SELECTED | REF_TREE);
    stack.push(root);
    if (!left.isSpent) await openFrom(session, stack, selecting(session, walk), left);
  }
  await openBySweeps(session, stack, selecting(session, walk));
}

/** Returns the function that selects what a tree refers to. */
function selecting(session: GraphSession, walk: TreeWalk): OpenTree {
  return async (tree, held, found) => await walk.count(selectHeld(session, { tree, held }, found, walk));
}

/** Marks what these trees of the client's, which are marked, reach. */
export async function markClientTrees(session: GraphSession, trees: ReadonlySet<number>): Promise<void> {
  const stack = [...trees];
  const open: OpenTree = (tree, held, found) => {
    listEntries(session, { tree, held, blobs: true }, (node) => {
      session.mark(node, UNINTERESTING);
      if (session.has(node, REF_TREE)) found.push(node);
    });
  };
  await openFrom(session, stack, open, new WalkAllowance(session));
  await openBySweeps(session, stack, open);
}

/** Opens the trees on a stack, and what they lead to, depth first until the allowance is spent. */
async function openFrom(
  session: GraphSession,
  stack: number[],
  open: OpenTree,
  left: { readonly isSpent: boolean },
): Promise<void> {
  while (!left.isSpent) {
    const tree = stack.pop();
    if (tree === undefined) return;
    const { held } = await session.reader.read(session.nameOf(tree));
    await open(tree, held, stack);
  }
}

/** Opens these trees, and what they lead to, by sweeps over the packs, and then one by one what is left. */
async function openBySweeps(session: GraphSession, trees: readonly number[], open: OpenTree): Promise<void> {
  if (trees.length === 0) return;
  markUnopened(session, trees);
  await sweepTrees(session, open);
  await openFrom(session, takeUnopened(session), open, { isSpent: false });
}

/** Decides how long a walk goes on root by root. */
class WalkAllowance {
  readonly #session: GraphSession;
  readonly #bytes: number;
  #asked = 0;
  #isSpent = false;

  /** `roots` is the number of commits whose whole trees are wanted. */
  constructor(session: GraphSession, roots = 0) {
    this.#session = session;
    let [objects, bytes] = [0, 0];
    for (const { record } of session.database.packs) {
      objects += record.objects;
      bytes += record.packBytes;
    }
    const mayNeedMost = roots * OBJECTS_OF_COMMIT >= objects;
    const most = Math.max(LEAST_READ_BEFORE_SWEEP, bytes * READ_BEFORE_SWEEP);
    this.#bytes = mayNeedMost ? -1 : this.#bytesRead + most;
  }

  get #bytesRead(): number {
    let bytes = 0;
    for (const { blockBytesRead } of this.#session.database.packs) bytes += blockBytesRead;
    return bytes;
  }

  get isSpent(): boolean {
    // There may be hundreds of packs, and hundreds of thousands of trees.
    const trees = Math.ceil(this.#session.database.packs.length / PACKS_LOOKED_AT);
    if (!this.#isSpent && this.#asked++ % trees === 0) this.#isSpent = this.#bytesRead > this.#bytes;
    return this.#isSpent;
  }
}

/**
 * Selects all of these trees and what they reach, level by level, so that each tree is met where it is nearest to a
 * root.
 */
async function selectLevels(session: GraphSession, trees: readonly number[], walk: TreeWalk): Promise<void> {
  const { filter, count } = walk;
  let level = trees;
  for (let depth = 0; depth < filter.treeDepth && level.length > 0; depth++) {
    const next: number[] = [];
    if (depth + 1 < filter.treeDepth) await session.prefetch(level);
    for (const tree of level) {
      session.mark(tree, SELECTED | REF_TREE);
      await count(depth + 1 < filter.treeDepth ? await selectEntries(session, tree, next, walk) : 1);
    }
    level = next;
  }
}

/**
 * Selects the entries of a tree, and pushes its subtrees onto the stack. Returns the number selected: the tree itself
 * and its blobs.
 */
async function selectEntries(session: GraphSession, tree: number, stack: number[], walk: TreeWalk): Promise<number> {
  const { held } = await session.reader.read(session.nameOf(tree));
  return selectHeld(session, { tree, held }, stack, walk);
}

/** Does as {@link selectEntries} does, for a tree that is held. */
function selectHeld(
  session: GraphSession,
  { tree, held }: { readonly tree: number; readonly held: Held },
  stack: number[],
  walk: TreeWalk,
): number {
  let selected = 1;
  listEntries(session, { tree, held, blobs: wantsBlobs(walk.filter) }, (node) => {
    if (walk.isReached?.(node) === true) return;
    session.mark(node, SELECTED);
    if (session.has(node, REF_TREE)) stack.push(node);
    else selected++;
  });
  return selected;
}

/** Visits what a tree that is held refers to and no walk has listed, selected or left to the client before. */
function listEntries(
  session: GraphSession,
  { tree, held, blobs }: { readonly tree: number; readonly held: Held; readonly blobs: boolean },
  visit: (node: number) => void,
): void {
  const { kernel } = session;
  let listed = kernel.collectTree(session.inflating.pointer(held), held.size, 0, 0, blobs);
  while (listed > 0) {
    for (let i = 0; i < listed; i++) {
      const node = kernel.collectedAt(i);
      if (!session.has(node, SELECTED | UNINTERESTING)) visit(node);
    }
    listed = kernel.collectMore();
  }
  if (listed === TREE_CORRUPT) throw new CorruptStore(`tree ${toHex(session.nameOf(tree))} is malformed`);
}

/** Trees of which it is noted what the client has at their path. Larger fetches make no deltas. */
const MOST_TREE_BASES = 1000;

type Place = { readonly wanted: Set<number>; readonly client: Set<number> };

/** Selects what the `wanted` trees reach and the `client` trees at the same paths don't, level by level. */
async function selectDifferences(
  session: GraphSession,
  wanted: readonly number[],
  client: readonly number[],
  walk: TreeWalk,
): Promise<void> {
  const { treeDepth } = walk.filter;
  for (const tree of client) session.mark(tree, UNINTERESTING | REF_TREE);
  const left = new WalkAllowance(session);
  let level: Place[] = [{ wanted: new Set(wanted), client: new Set(client) }];
  for (let depth = 0; depth < treeDepth && level.length > 0; depth++) {
    const next: Place[] = [];
    const opens = depth + 1 < treeDepth;
    for (const [index, place] of level.entries()) {
      if (left.isSpent && treeDepth === Number.POSITIVE_INFINITY) {
        await selectRest(session, [...level.slice(index), ...next], walk);
        return;
      }
      const trees = [...place.wanted].filter((tree) => !session.has(tree, SELECTED | UNINTERESTING));
      if (trees.length === 0) continue;
      // There is no client tree to compare with: without a limit to the depth, all of it goes.
      if (place.client.size === 0 && treeDepth === Number.POSITIVE_INFINITY) await selectWhole(session, trees, walk);
      else if (opens) next.push(...(await selectAt(session, { wanted: new Set(trees), client: place.client }, walk)));
      else await selectUnopened(session, trees, walk);
    }
    level = next;
  }
}

/**
 * Selects what the wanted trees at these places reach and none of the client's does. Path by path, the versions of each
 * directory are read from all over the packs. It takes less to mark all of the client's trees, and to sweep.
 */
async function selectRest(session: GraphSession, places: readonly Place[], walk: TreeWalk): Promise<void> {
  await markClientTrees(session, new Set(places.flatMap(({ client }) => [...client])));
  await selectWhole(session, [...new Set(places.flatMap(({ wanted }) => [...wanted]))], walk);
}

async function selectUnopened(session: GraphSession, trees: readonly number[], { count }: TreeWalk): Promise<void> {
  for (const tree of trees) session.mark(tree, SELECTED | REF_TREE);
  await count(trees.length);
}

/** Selects the trees at one place, and returns the places below it. */
async function selectAt(session: GraphSession, place: Place, walk: TreeWalk): Promise<Place[]> {
  await session.prefetch([...place.client, ...place.wanted]);
  const below = new Map<string, Place>();
  for (const tree of place.client) await readClientTree(session, tree, below);
  const [base] = place.client;
  let selected = 0;
  for (const tree of place.wanted) {
    session.mark(tree, SELECTED | REF_TREE);
    if (base !== undefined && session.treeBases.size < MOST_TREE_BASES) session.treeBases.set(tree, base);
    selected += 1 + (await readWantedTree(session, tree, below, wantsBlobs(walk.filter)));
  }
  await walk.count(selected);
  return [...below.values()].filter(({ wanted }) => wanted.size > 0);
}

function placeAt(below: Map<string, Place>, name: string): Place {
  let place = below.get(name);
  if (place === undefined) {
    place = { wanted: new Set(), client: new Set() };
    below.set(name, place);
  }
  return place;
}

async function readClientTree(session: GraphSession, tree: number, below: Map<string, Place>): Promise<void> {
  await visitEntries(session, tree, (node, entry) => {
    session.mark(node, UNINTERESTING);
    if (isTree(entry.mode)) placeAt(below, entry.name()).client.add(node);
  });
}

async function readWantedTree(
  session: GraphSession,
  tree: number,
  below: Map<string, Place>,
  blobs: boolean,
): Promise<number> {
  let selected = 0;
  await visitEntries(session, tree, (node, entry) => {
    if (session.has(node, SELECTED | UNINTERESTING)) return;
    if (isTree(entry.mode)) {
      placeAt(below, entry.name()).wanted.add(node);
    } else if (blobs) {
      session.mark(node, SELECTED | REF_BLOB);
      selected++;
    }
  });
  return selected;
}

/** The entry that a tree's reader is at. */
type CurrentEntry = { readonly mode: number; name(): string };

/**
 * Visits each entry that is an object of this repository, which a submodule's commit is not. Hundreds of commits have
 * trees that are mostly alike, so an entry's name is made only if `visit` asks for it.
 */
async function visitEntries(
  session: GraphSession,
  tree: number,
  visit: (node: number, entry: CurrentEntry) => void,
): Promise<void> {
  const { kernel, inflating, format } = session;
  const { held } = await session.reader.read(session.nameOf(tree));
  // Copied: giving a name a node may move the memory into another buffer, while its addresses stay.
  const bytes = inflating.bytes(held).slice();
  const start = inflating.pointer(held);
  const reader = new TreeReader(bytes, 0, bytes.length, format.rawSize);
  const entry = {
    mode: 0,
    // Names are only compared with each other: any encoding that keeps bytes apart will do.
    name: () => textOf(bytes.subarray(reader.nameAt, reader.nameEnd)),
  };
  while (reader.next()) {
    if (isGitlink(reader.mode)) continue;
    entry.mode = reader.mode;
    visit(kernel.oidAdd(start + reader.oidAt), entry);
  }
}
