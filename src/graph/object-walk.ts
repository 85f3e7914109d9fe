/**
 * Which trees and blobs go with the commits that are sent. Without common commits: all that their trees reach. With them, tree
 * by tree along the paths that differ: at each path the client's trees (those of the border commits) are set against the ones to
 * send, so that only directories that changed are opened.
 *
 * @packageDocumentation
 * @see git-pack-objects(1), `--sparse`
 */
import { CorruptStore } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { REF_TREE, TREE_CORRUPT } from "../bytes/kernel.ts";
import { TreeReader, isGitlink, isTree } from "../object/tree.ts";
import { type GraphSession, SELECTED, UNINTERESTING } from "./graph-session.ts";
import type { WalkedCommits } from "./commit-walk.ts";

/** Selects (marks) the trees and blobs to send with `commits`; `count` is told of each as it is selected. */
export async function selectTreesOf(
  session: GraphSession,
  commits: WalkedCommits,
  count: (objects: number) => Promise<void>,
): Promise<void> {
  const roots = commits.interesting.map((node) => session.commits.treeOf(node));
  if (commits.edges.length === 0) {
    await selectWhole(session, roots, count);
    return;
  }
  const client = commits.edges.map((node) => session.commits.treeOf(node));
  await selectDifferences(session, roots, client, count);
}

/** Selects trees and all that they reach. */
export async function selectWhole(
  session: GraphSession,
  roots: readonly number[],
  count: (objects: number) => Promise<void>,
): Promise<void> {
  const stack: number[] = [];
  for (const root of roots) {
    if (session.has(root, SELECTED | UNINTERESTING)) continue;
    session.mark(root, SELECTED | REF_TREE);
    stack.push(root);
    for (let tree = stack.pop(); tree !== undefined; tree = stack.pop()) {
      await count(await selectEntries(session, tree, stack));
    }
  }
}

/** Selects what a tree refers to; subtrees go onto the stack. Gives how many were selected, itself and the blobs. */
async function selectEntries(session: GraphSession, tree: number, stack: number[]): Promise<number> {
  const { kernel } = session;
  const { held } = await session.reader.read(session.nameOf(tree));
  let selected = 1;
  let listed = kernel.collectTree(session.inflating.pointer(held), held.size, 0, 0, true);
  while (listed > 0) {
    for (let i = 0; i < listed; i++) {
      const node = kernel.collectedAt(i);
      if (session.has(node, SELECTED | UNINTERESTING)) continue;
      session.mark(node, SELECTED);
      if (session.has(node, REF_TREE)) stack.push(node);
      else selected++;
    }
    listed = kernel.collectMore();
  }
  if (listed === TREE_CORRUPT) throw new CorruptStore(`tree ${toHex(session.nameOf(tree))} is malformed`);
  return selected;
}

type Place = { readonly wanted: number[]; readonly client: number[] };

/** Selects what `wanted` trees reach and `client` trees at the same paths don't. */
async function selectDifferences(
  session: GraphSession,
  wanted: readonly number[],
  client: readonly number[],
  count: (objects: number) => Promise<void>,
): Promise<void> {
  for (const tree of client) session.mark(tree, UNINTERESTING | REF_TREE);
  const stack: Place[] = [{ wanted: [...new Set(wanted)], client: [...new Set(client)] }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const trees = place.wanted.filter((tree) => !session.has(tree, SELECTED | UNINTERESTING));
    if (trees.length === 0) continue;
    if (place.client.length === 0) {
      await selectWhole(session, trees, count);
      continue;
    }
    await session.prefetch([...place.client, ...trees]);
    const below = new Map<string, Place>();
    for (const tree of place.client) await readClientTree(session, tree, below);
    let selected = 0;
    for (const tree of trees) {
      session.mark(tree, SELECTED | REF_TREE);
      selected += 1 + (await readWantedTree(session, tree, below));
    }
    await count(selected);
    for (const next of below.values()) if (next.wanted.length > 0) stack.push(next);
  }
}

function placeAt(below: Map<string, Place>, name: string): Place {
  let place = below.get(name);
  if (place === undefined) {
    place = { wanted: [], client: [] };
    below.set(name, place);
  }
  return place;
}

async function readClientTree(session: GraphSession, tree: number, below: Map<string, Place>): Promise<void> {
  for (const { node, name, isSubtree } of await entriesOf(session, tree)) {
    session.mark(node, UNINTERESTING);
    if (isSubtree) placeAt(below, name).client.push(node);
  }
}

async function readWantedTree(session: GraphSession, tree: number, below: Map<string, Place>): Promise<number> {
  let selected = 0;
  for (const { node, name, isSubtree } of await entriesOf(session, tree)) {
    if (session.has(node, SELECTED | UNINTERESTING)) continue;
    if (isSubtree) {
      const place = placeAt(below, name);
      if (!place.wanted.includes(node)) place.wanted.push(node);
    } else {
      session.mark(node, SELECTED);
      selected++;
    }
  }
  return selected;
}

/** One entry that is an object of this repository (a submodule's commit is not); `name` is empty for what is no tree. */
type Entry = { readonly node: number; readonly name: string; readonly isSubtree: boolean };

async function entriesOf(session: GraphSession, tree: number): Promise<Entry[]> {
  const { held } = await session.reader.read(session.nameOf(tree));
  // copied: giving a name a node may move the memory
  const bytes = session.inflating.bytes(held).slice();
  const reader = new TreeReader(bytes, 0, bytes.length, session.format.rawSize);
  const entries: Entry[] = [];
  while (reader.next()) {
    if (isGitlink(reader.mode)) continue;
    const node = session.node(bytes.subarray(reader.oidAt, reader.oidAt + session.format.rawSize));
    const isSubtree = isTree(reader.mode);
    // only ever compared with each other: any encoding that keeps bytes apart will do
    entries.push({
      node,
      isSubtree,
      name: isSubtree ? String.fromCharCode(...bytes.subarray(reader.nameAt, reader.nameEnd)) : "",
    });
  }
  return entries;
}
