/**
 * The last change of each entry of a directory: the commit that `git log -1 -- <path>` shows for it.
 *
 * All entries are followed at once. While a commit has an entry as one of its parents has it, the first such parent is
 * followed, as git simplifies history; the commit where that ends is the one that is looked for. Entries that came to
 * the same commit go on together, so that a directory takes hardly more than its oldest entry.
 *
 * @packageDocumentation
 * @see git-log(1), "History Simplification"
 */
import { itemAt, u8At, u8OrNul } from "../bytes/assert.ts";
import { equal } from "../bytes/chunk.ts";
import { fromHex } from "../bytes/hex.ts";
import { CommitQueue } from "../graph/commit-queue.ts";
import { bytesOf } from "../object/byte-text.ts";
import { canonicalMode, isTree, TreeReader } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { PathContent } from "./path-content.ts";
import type { DirectoryEntry } from "./tree-at.ts";

/** An entry and the commit that changed it last. */
export type LastChange = {
  /** The entry's number among those that were asked for. */
  readonly entry: number;
  /** A raw name. */
  readonly commit: Uint8Array;
};

/** Entries, by their numbers, that no commit up to this one (raw name) changed. */
export type PendingEntries = { readonly commit: Uint8Array; readonly entries: readonly number[] };

/** The steps after which a page ends: about two seconds. */
const WALK_STEPS = 200_000_000;
/** The steps of taking a commit out of the queue, and of comparing an entry. */
const COMMIT_STEPS = 200;
const BYTE_STEPS = 0.3;
/** The steps of asking the filter of a commit for one entry. */
const FILTER_STEPS = 10;

type Wanted = {
  /** With a slash at the end if it is a directory's. */
  readonly name: Uint8Array;
  readonly mode: number;
  readonly oid: Uint8Array;
  readonly content: PathContent;
};

/** A search for last changes. */
export class LastChanges {
  readonly #session: BrowseSession;
  readonly #wanted: readonly Wanted[];
  readonly #directory: PathContent;
  readonly #queue = new CommitQueue();
  /** The entries that each commit in the queue has as the first commit had them. */
  readonly #entries = new Map<number, number[]>();

  private constructor(session: BrowseSession, path: string, entries: readonly DirectoryEntry[]) {
    this.#session = session;
    this.#directory = new PathContent(session, path);
    const directory = path === "" ? "" : `${path}/`;
    this.#wanted = entries.map(({ name, mode, oid }) => {
      const content = new PathContent(session, directory + name);
      return { name: bytesOf(isTree(mode) ? `${name}/` : name), mode: canonicalMode(mode), oid, content };
    });
  }

  /**
   * Begins or continues a search. `entries` are some of the directory at `path`, in git's order. Returns `undefined` if
   * `pending` is impossible; a stranger may have made it up.
   */
  static async start(
    session: BrowseSession,
    path: string,
    entries: readonly DirectoryEntry[],
    pending: readonly PendingEntries[],
  ): Promise<LastChanges | undefined> {
    await session.expectMany();
    const names = pending.map(({ commit }) => commit);
    if ((await session.shownOf(names)).length < names.length) return undefined;
    return await LastChanges.resume(session, path, entries, pending);
  }

  /** As {@link LastChanges.start}, where `pending` begins with a commit that is shown, or is what a search from there had left. */
  static async resume(
    session: BrowseSession,
    path: string,
    entries: readonly DirectoryEntry[],
    pending: readonly PendingEntries[],
  ): Promise<LastChanges | undefined> {
    await session.expectMany();
    const search = new LastChanges(session, path, entries);
    for (const { commit, entries: numbers } of pending) {
      const node = session.graph.node(commit);
      if (numbers.some((number) => number >= entries.length) || !(await session.graph.loadCommit(node)))
        return undefined;
      search.#follow(node, numbers);
    }
    return search;
  }

  /**
   * Yields last changes as they are found. Ends when all are, or when the request has taken this many steps, or the search
   * has read the store this often.
   */
  async *run(steps = WALK_STEPS, reads = Number.POSITIVE_INFINITY): AsyncGenerator<LastChange, undefined> {
    const most = this.#session.reads + reads;
    const isOver = (): boolean => this.#session.hasSpent(steps) || this.#session.reads >= most;
    // At least one commit, so that each page comes further.
    for (let isFirst = true; isFirst || !isOver(); isFirst = false) {
      const node = this.#queue.pop();
      if (node === undefined) return;
      const entries = this.#entries.get(node) ?? [];
      this.#entries.delete(node);
      const changed = await this.#passOn(node, entries);
      if (changed.length === 0) continue;
      const commit = this.#session.graph.nameOf(node);
      for (const entry of changed) yield { entry, commit };
    }
  }

  /** Returns the entries whose last change was not found. */
  pending(): PendingEntries[] {
    return [...this.#entries].map(([node, entries]) => ({ commit: this.#session.graph.nameOf(node), entries }));
  }

  #follow(node: number, entries: readonly number[]): void {
    if (entries.length === 0) return;
    const together = this.#entries.get(node);
    if (together !== undefined) {
      this.#entries.set(
        node,
        [...together, ...entries].sort((a, b) => a - b),
      );
      return;
    }
    this.#entries.set(node, [...entries]);
    this.#queue.push(node, this.#session.graph.commits.timeOf(node));
  }

  /** Gives entries to the parents that have them unchanged. Returns those that no parent has so. */
  async #passOn(node: number, entries: readonly number[]): Promise<readonly number[]> {
    const { commits } = this.#session.graph;
    await this.#session.work(COMMIT_STEPS);
    const parents = commits.parentsOf(node).slice();
    let left = await this.#passByFilter(node, parents, entries);
    if (left.length === 0) return left;
    const own = await this.#directory.of(node);
    for (const parent of parents) {
      const theirs = await this.#directory.of(parent);
      const same = theirs === own ? left : await this.#unchanged(left, theirs);
      this.#follow(parent, same);
      const gone = new Set(same);
      left = left.filter((entry) => !gone.has(entry));
      if (left.length === 0) break;
    }
    return left;
  }

  /** Gives those entries to the first parent of which a filter says that the commit did not change them. Returns the others. */
  async #passByFilter(node: number, parents: Uint32Array, entries: readonly number[]): Promise<readonly number[]> {
    const [first] = parents;
    if (first === undefined) return entries;
    const same: number[] = [];
    const left: number[] = [];
    for (const entry of entries) {
      const isUnchanged = await itemAt(this.#wanted, entry).content.isUnchanged(node);
      (isUnchanged ? same : left).push(entry);
    }
    await this.#session.work(entries.length * FILTER_STEPS);
    if (same.length > 0) await this.#session.graph.loadCommit(first);
    this.#follow(first, same);
    return left;
  }

  /** Returns the entries that a directory has, too. */
  async #unchanged(entries: readonly number[], content: string): Promise<number[]> {
    const [mode = "", hex = ""] = content.split(" ");
    const tree = fromHex(hex);
    if (tree === undefined || !isTree(Number.parseInt(mode, 8))) return [];
    const { reader, inflating } = this.#session.graph;
    const { held } = reader.readAtHand(tree) ?? (await reader.read(tree));
    const same = sameEntries(inflating.bytes(held), this.#session.format.rawSize, this.#wanted, entries);
    await this.#session.work(held.size * BYTE_STEPS);
    return same;
  }
}

/** Returns the numbers of the wanted entries that a tree has. Both are in git's order. */
function sameEntries(
  tree: Uint8Array,
  rawSize: number,
  wanted: readonly Wanted[],
  numbers: readonly number[],
): number[] {
  const same: number[] = [];
  const reader = new TreeReader(tree, 0, tree.length, rawSize);
  let at = 0;
  while (at < numbers.length && reader.next()) {
    let order = -1;
    for (; at < numbers.length; at++) {
      order = nameOrder(tree, reader, itemAt(wanted, itemAt(numbers, at)).name);
      if (order <= 0) break;
    }
    if (order !== 0 || at >= numbers.length) continue;
    const number = itemAt(numbers, at++);
    const { mode, oid } = itemAt(wanted, number);
    if (mode === canonicalMode(reader.mode) && equal(oid, tree.subarray(reader.oidAt, reader.oidAt + rawSize)))
      same.push(number);
  }
  return same;
}

/** Compares the name of a tree's entry with one that ends in a slash if it is a directory's, as git orders trees. */
function nameOrder(tree: Uint8Array, { nameAt, nameEnd, mode }: TreeReader, name: Uint8Array): number {
  const length = nameEnd - nameAt + (isTree(mode) ? 1 : 0);
  const shorter = Math.min(length, name.length);
  for (let i = 0; i < shorter; i++) {
    const byte = nameAt + i < nameEnd ? u8At(tree, nameAt + i) : 0x2f;
    const difference = byte - u8OrNul(name, i);
    if (difference !== 0) return difference;
  }
  return length - name.length;
}
