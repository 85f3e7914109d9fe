/**
 * Tells whether objects can be reached from refs.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { QUEUED, REACHED, SELECTED } from "../kernel/object-flags.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { CommitQueue } from "./commit-queue.ts";
import { walkCommits } from "./commit-walk.ts";
import type { GraphSession } from "./graph-session.ts";
import { NO_FILTER } from "./object-filter.ts";
import { type TreeWalk, selectWhole } from "./object-walk.ts";

const EVERYTHING: TreeWalk = { filter: NO_FILTER, count: async () => undefined };

/**
 * Returns for each of `names` (raw) whether any of `tips` reaches it. A commit takes a walk of commits only; a tree or
 * blob takes a walk of everything.
 */
export async function whichReached(
  session: GraphSession,
  names: readonly Uint8Array[],
  tips: Iterable<Uint8Array>,
): Promise<boolean[]> {
  const commits: number[] = [];
  const others: number[] = [];
  for (const tip of tips) {
    const object = await session.peel(session.node(tip), SELECTED);
    if ((await session.typeOf(object)) === TYPE_NUMBER.commit) commits.push(object);
    else others.push(object);
  }
  const { interesting } = await walkCommits(session, commits, []);
  const isReached = (name: Uint8Array): boolean => {
    const node = session.findNode(name);
    return node >= 0 && session.has(node, QUEUED | SELECTED);
  };
  if (
    !(await anyMayBeInTrees(
      session,
      names.filter((name) => !isReached(name)),
    ))
  )
    return names.map(isReached);
  await selectOthers(session, others);
  await selectWhole(
    session,
    interesting.map((node) => session.commits.treeOf(node)),
    EVERYTHING,
  );
  return names.map(isReached);
}

/** Whether some of `names` may be found in trees, where commits and tags are not found. */
async function anyMayBeInTrees(session: GraphSession, names: readonly Uint8Array[]): Promise<boolean> {
  for (const name of names) {
    const type = await session.typeOf(session.node(name));
    if (type === TYPE_NUMBER.tree || type === TYPE_NUMBER.blob) return true;
  }
  return false;
}

async function selectOthers(session: GraphSession, nodes: readonly number[]): Promise<void> {
  for (const node of nodes) {
    if ((await session.typeOf(node)) === TYPE_NUMBER.tree) await selectWhole(session, [node], EVERYTHING);
    else session.mark(node, SELECTED);
  }
}

/** Seconds by which the clocks of those who commit may differ before a commit is overlooked that is reached. */
const CLOCK_SLACK = 24 * 3600;

/** How far a search goes. */
export type ReachLimit = {
  /**
   * Whether a search ends where all that is left is older than what it looks for, and may so overlook a commit whose children have
   * clocks that are wrong. Else it goes on to the roots.
   */
  readonly byTime: boolean;
  /** Commits that the searches of a session look at together. */
  readonly mostCommits: number;
};

/**
 * The commits that tips reach, found out as far as it is asked for: youngest first, and every search goes on where the last one
 * ended. It uses a flag of its own, so a walk that selects objects may follow in the same session.
 */
export class ReachedCommits {
  readonly #session: GraphSession;
  readonly #queue = new CommitQueue();
  #walked = 0;

  constructor(session: GraphSession) {
    this.#session = session;
  }

  /** Adds tips (nodes), which are reached, and so are the tags and the commit that they name. */
  async addTips(tips: Iterable<number>): Promise<void> {
    const session = this.#session;
    for (const tip of tips) {
      const object = await session.peel(tip, REACHED);
      if ((await session.typeOf(object)) === TYPE_NUMBER.commit) await this.#reach(object);
    }
  }

  /** Whether the node was found to be reached. */
  has(node: number): boolean {
    return this.#session.has(node, REACHED);
  }

  /** Looks for `nodes`, which are loaded commits. Gives those that were not found. */
  async find(nodes: readonly number[], limit: ReachLimit): Promise<number[]> {
    const { commits } = this.#session;
    // Oldest last: as those are found that come first, less has to be looked through for the others.
    const left = nodes.filter((node) => !this.has(node)).toSorted((a, b) => commits.timeOf(b) - commits.timeOf(a));
    while (left.length > 0) {
      const oldest = commits.timeOf(itemAt(left, left.length - 1));
      if (limit.byTime && this.#queue.youngestTime < oldest - CLOCK_SLACK) break;
      const node = this.#walked < limit.mostCommits ? this.#queue.pop() : undefined;
      if (node === undefined) break;
      this.#walked++;
      for (const parent of commits.parentsOf(node).slice()) await this.#reach(parent);
      while (left.length > 0 && this.has(itemAt(left, left.length - 1))) left.pop();
    }
    return left.filter((node) => !this.has(node));
  }

  async #reach(node: number): Promise<void> {
    const session = this.#session;
    if (session.has(node, REACHED)) return;
    session.mark(node, REACHED);
    await session.loadCommit(node);
    this.#queue.push(node, session.commits.timeOf(node));
  }
}
