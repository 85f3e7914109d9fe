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
import { learnNamed, selectNamed } from "./named-objects.ts";
import { NO_FILTER } from "./object-filter.ts";
import { type TreeWalk, selectWhole } from "./object-walk.ts";

const EVERYTHING: TreeWalk = { filter: NO_FILTER, count: async () => undefined };

/**
 * Returns for each of `names` (raw) whether any of `tips` reaches it, after a walk of everything: for trees and blobs.
 * {@link ReachedCommits} finds commits with less.
 */
export async function whichReached(
  session: GraphSession,
  names: readonly Uint8Array[],
  tips: Iterable<Uint8Array>,
): Promise<boolean[]> {
  const nodes = Array.from(tips, (tip) => session.node(tip));
  await learnNamed(session, nodes);
  const { commits, trees } = await selectNamed(session, nodes);
  const { interesting } = await walkCommits(session, commits, []);
  const roots = interesting.map((node) => session.commits.treeOf(node));
  await selectWhole(session, [...trees, ...roots], EVERYTHING);
  return names.map((name) => {
    const node = session.findNode(name);
    return node >= 0 && session.has(node, QUEUED | SELECTED);
  });
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

/** The least generation of commits that are looked for. A commit reaches none of them unless its own is greater. */
class GenerationFloor {
  readonly #session: GraphSession;
  readonly #nodes: readonly number[];
  #floor = Number.NaN;

  /** The nodes are of loaded commits. */
  constructor(session: GraphSession, nodes: readonly number[]) {
    this.#session = session;
    this.#nodes = [...nodes];
  }

  /** Whether the commit is too low to reach what is looked for. The commit-graph may come into memory in between. */
  isTooLow(node: number): boolean {
    const session = this.#session;
    if (!session.hasGenerations) return false;
    if (Number.isNaN(this.#floor)) {
      this.#floor = Number.POSITIVE_INFINITY;
      for (const each of this.#nodes) this.#floor = Math.min(this.#floor, session.generationOf(each));
    }
    const generation = session.generationOf(node);
    return generation < Number.POSITIVE_INFINITY && generation <= this.#floor;
  }
}

/**
 * The commits that tips reach, found out as far as it is asked for: youngest first, and every search goes on where the last one
 * ended. It uses a flag of its own, so a walk that selects objects may follow in the same session.
 */
export class ReachedCommits {
  readonly #session: GraphSession;
  readonly #queue = new CommitQueue();
  #walked = 0;
  /** Whether the values of all refs were added. */
  hasAllTips = false;

  constructor(session: GraphSession) {
    this.#session = session;
  }

  /** Adds tips (nodes), which are reached, and so are the tags and the commit that they name. */
  async addTips(tips: Iterable<number>): Promise<void> {
    const session = this.#session;
    const nodes = [...tips];
    await learnNamed(session, nodes);
    const commits: number[] = [];
    for (const tip of nodes) {
      const object = await session.peel(tip, REACHED);
      if ((await session.typeOf(object)) === TYPE_NUMBER.commit) commits.push(object);
    }
    const loading = session.loadCommits(commits);
    if (loading !== undefined) await loading;
    this.#reach(commits);
  }

  /** Whether the node was found to be reached. */
  has(node: number): boolean {
    return this.#session.has(node, REACHED);
  }

  /**
   * Looks for the commits among `nodes`, all of stored objects, and returns those that were not found. Tags are found
   * with the tips; trees and blobs never are, since a search for them would walk through everything.
   */
  async findAmong(nodes: readonly number[], limit: ReachLimit): Promise<number[]> {
    const session = this.#session;
    const unknown = nodes.filter((node) => !this.has(node));
    await learnNamed(session, unknown);
    const commits: number[] = [];
    // A blob may be too large to be read.
    for (const node of unknown) if ((await session.typeOf(node)) === TYPE_NUMBER.commit) commits.push(node);
    const loading = session.loadCommits(commits);
    if (loading !== undefined) await loading;
    return await this.find(commits, limit);
  }

  /** Looks for `nodes`, which are loaded commits. Returns those that were not found. */
  async find(nodes: readonly number[], limit: ReachLimit): Promise<number[]> {
    const { commits } = this.#session;
    // Oldest last: as those are found that come first, less has to be looked through for the others.
    const left = nodes.filter((node) => !this.has(node)).toSorted((a, b) => commits.timeOf(b) - commits.timeOf(a));
    const floor = new GenerationFloor(this.#session, left);
    const below: number[] = [];
    while (left.length > 0) {
      const oldest = commits.timeOf(itemAt(left, left.length - 1));
      if (limit.byTime && this.#queue.youngestTime < oldest - CLOCK_SLACK) break;
      const node = this.#walked < limit.mostCommits ? this.#queue.pop() : undefined;
      if (node === undefined) break;
      if (floor.isTooLow(node)) {
        below.push(node);
        continue;
      }
      this.#walked++;
      const parents = commits.parentsOf(node).slice();
      const loading = this.#session.loadCommits(parents);
      if (loading !== undefined) await loading;
      this.#reach(parents);
      while (left.length > 0 && this.has(itemAt(left, left.length - 1))) left.pop();
    }
    // A later search may look for what these reach.
    for (const node of below) this.#queue.push(node, commits.timeOf(node));
    return left.filter((node) => !this.has(node));
  }

  /** Records that commits, which are loaded, are reached. */
  #reach(nodes: Iterable<number>): void {
    const session = this.#session;
    for (const node of nodes) {
      if (session.has(node, REACHED)) continue;
      session.mark(node, REACHED);
      this.#queue.push(node, session.commits.timeOf(node));
    }
  }
}
