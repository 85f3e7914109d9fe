/**
 * Compares two commits: finds their merge bases, and the commits that only one of them reaches.
 *
 * Both histories are painted from their tips, youngest first, until both sides reach all commits that are left. Commits
 * that the commit-graph has come after the others, and by their generations: then none comes before one that reaches it,
 * whatever clocks said, and nothing beyond has to be examined.
 *
 * @packageDocumentation
 * @see git-merge-base(1); `paint_down_to_common` in git's commit-reach.c, whose results these are
 */
import { FRESH, LEFT, LISTED, RIGHT, STALE } from "../kernel/object-flags.ts";
import { Budget } from "../bytes/budget.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { GraphSession } from "./graph-session.ts";

const BOTH = LEFT | RIGHT;
const ALL = BOTH | STALE | FRESH | LISTED;

/**
 * The number of further commits that are examined when all that are left are common and old, because clocks are not
 * always right.
 */
const SLOP = 5;
/** The same number when they are not old: somebody's clock may have stood at the beginning of time. */
const MOST_SLOP = 20_000;

/** More than any generation: commits that the commit-graph does not have come before all that it has. */
const OUTSIDE = 2 ** 50;

/** Steps of looking at a parent, or at a tip, and of what all comparisons of a request may take together. */
const EDGE_STEPS = 50;
const MOST_STEPS = 100_000_000;

/** What comparisons of commits may take that share it: all of a request. */
export type Comparing = {
  /** Commits that are looked at in one go. */
  readonly most: number;
  /** Steps of all: a commit with thousands of parents is cheap to make, and each may have to be compared with the others. */
  readonly budget: Budget;
};

/** Returns bounds for the comparisons of a request, each of which may look at `most` commits. */
export function comparing(session: GraphSession, most: number): Comparing {
  const message = "the histories take too much computing to be compared";
  return {
    most,
    budget: new Budget({ limit: "compared-commits", max: MOST_STEPS, message }, session.database.context.pacer),
  };
}

/** The relation of two commits. All members are nodes, and lists are youngest first. */
export type Divergence = {
  /** The best common ancestors: several after a criss-cross merge, none if the histories are unrelated. */
  readonly bases: readonly number[];
  /** Commits that only the left one reaches. */
  readonly left: readonly number[];
  /** Commits that only the right one reaches. */
  readonly right: readonly number[];
};

/** Compares two commits. @throws LimitExceeded */
export async function findDivergence(
  session: GraphSession,
  { left, right }: { readonly left: number; readonly right: number },
  bounds: Comparing,
): Promise<Divergence> {
  if (left === right) return { bases: [left], left: [], right: [] };
  const painting = new Painting(session, bounds);
  await painting.paint(left, [right]);
  const listed = painting.byTime([left, right]);
  const only = (side: number): number[] => listed.filter((node) => (session.kernel.flagsOf(node) & BOTH) === side);
  const found = { left: only(LEFT), right: only(RIGHT) };
  const candidates = listed.filter((node) => painting.isCommon(node));
  painting.clear();
  return { ...found, bases: await withoutRedundant(session, candidates, bounds) };
}

/**
 * Returns the best common ancestors of a commit and of what any of `others` reaches, youngest first.
 *
 * @throws LimitExceeded
 */
export async function findMergeBases(
  session: GraphSession,
  commit: number,
  others: readonly number[],
  bounds: Comparing,
): Promise<number[]> {
  if (others.includes(commit)) return [commit];
  const painting = new Painting(session, bounds);
  await painting.paint(commit, others);
  const candidates = painting.byTime([commit, ...others]).filter((node) => painting.isCommon(node));
  painting.clear();
  return await withoutRedundant(session, candidates, bounds);
}

/** Leaves out every candidate that another candidate reaches. */
async function withoutRedundant(
  session: GraphSession,
  candidates: readonly number[],
  bounds: Comparing,
): Promise<number[]> {
  const redundant = new Set<number>();
  for (const candidate of candidates) {
    const others = candidates.filter((other) => other !== candidate && !redundant.has(other));
    if (redundant.has(candidate) || others.length === 0) continue;
    const painting = new Painting(session, bounds);
    await painting.paint(candidate, others);
    if (session.has(candidate, RIGHT)) redundant.add(candidate);
    for (const other of others) if (session.has(other, LEFT)) redundant.add(other);
    painting.clear();
  }
  return candidates.filter((candidate) => !redundant.has(candidate));
}

class Painting {
  readonly #session: GraphSession;
  readonly #bounds: Comparing;
  #queue = new CommitQueue();
  /** Whether the queue is ordered by generations. */
  #isByGeneration = false;
  /** Whether it ever was, so that what was examined is in another order than by time. */
  #wasByGeneration = false;
  /** The number of commits in the queue that are not stale. */
  #fresh = 0;
  /** The commits that were examined, youngest first. */
  readonly listed: number[] = [];
  readonly #common = new Set<number>();
  /** The commits that have flags. */
  readonly #coloured: number[] = [];
  #oldest: number | undefined;

  constructor(session: GraphSession, bounds: Comparing) {
    this.#session = session;
    this.#bounds = bounds;
  }

  /** Whether both sides reach the commit, and no other common ancestor found so far does. */
  isCommon(node: number): boolean {
    return this.#common.has(node) && !this.#session.has(node, STALE);
  }

  async paint(left: number, rights: readonly number[]): Promise<void> {
    const { commits, kernel } = this.#session;
    this.#spend(1 + rights.length);
    await this.#session.loadCommits([left, ...rights]);
    this.#add([left], LEFT);
    this.#add(rights, RIGHT);
    let [slop, most] = [SLOP, MOST_SLOP];
    while (this.#fresh > 0 || (slop > 0 && most-- > 0)) {
      this.#orderByGeneration();
      // A common ancestor may be younger than a commit that reaches it: go on while there may be such a one.
      if (this.#fresh === 0 && this.#queue.youngestTime < this.#oldestOneSided()) {
        if (this.#queue.youngestTime < OUTSIDE && this.#isByGeneration) break;
        slop--;
      }
      const node = this.#queue.pop();
      if (node === undefined) break;
      this.#list(node);
      let colours = kernel.flagsOf(node) & (BOTH | STALE);
      if (colours === BOTH) {
        this.#common.add(node);
        colours |= STALE;
      }
      const parents = commits.parentsOf(node).slice();
      this.#spend(1 + parents.length);
      const loading = this.#session.loadCommits(parents);
      if (loading !== undefined) await loading;
      this.#add(parents, colours);
    }
    this.#spreadRest();
  }

  /** Orders the queue by generations while the commit-graph is at hand, and by times before and after. */
  #orderByGeneration(): void {
    if (this.#isByGeneration === this.#session.hasGenerations) return;
    this.#isByGeneration = !this.#isByGeneration;
    this.#wasByGeneration = true;
    this.#oldest = undefined;
    const old = this.#queue;
    this.#queue = new CommitQueue();
    for (let node = old.pop(); node !== undefined; node = old.pop()) this.#queue.push(node, this.#placeOf(node));
  }

  /** Returns the number by which the queue is ordered, the greatest first. */
  #placeOf(node: number): number {
    const time = this.#session.commits.timeOf(node);
    if (!this.#isByGeneration) return time;
    const generation = this.#session.generationOf(node);
    return generation < OUTSIDE ? generation : OUTSIDE + time;
  }

  /** Returns the commits that were examined by their times, youngest first, but none before one that reaches it. */
  byTime(tips: readonly number[]): readonly number[] {
    if (!this.#wasByGeneration) return this.listed;
    const { commits } = this.#session;
    const queue = new CommitQueue();
    // What is stale is reached through no other commit, and nobody asks for it. It is most of what was examined.
    const left = new Set(this.listed.filter((node) => !this.#session.has(node, STALE)));
    const add = (node: number): void => {
      if (left.delete(node)) queue.push(node, commits.timeOf(node));
    };
    for (const tip of tips) add(tip);
    const ordered: number[] = [];
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      ordered.push(node);
      for (const parent of commits.parentsOf(node)) add(parent);
    }
    return ordered;
  }

  /** Returns the place in the queue of the last commit that only one side is known to reach. */
  #oldestOneSided(): number {
    const { kernel } = this.#session;
    if (this.#oldest === undefined) {
      this.#oldest = Number.POSITIVE_INFINITY;
      for (const node of this.listed) {
        if ((kernel.flagsOf(node) & BOTH) !== BOTH) this.#oldest = Math.min(this.#oldest, this.#placeOf(node));
      }
    }
    return this.#oldest;
  }

  #list(node: number): void {
    const session = this.#session;
    this.#isNoLongerFresh(node);
    if (session.has(node, LISTED)) return;
    session.mark(node, LISTED);
    this.listed.push(node);
    const { most } = this.#bounds;
    if (this.listed.length > most)
      throw new LimitExceeded("compared-commits", most, `no more than ${most} commits can be compared`);
  }

  /** Gives commits, which are loaded, these colours. */
  #add(nodes: Iterable<number>, colours: number): void {
    for (const node of nodes) if ((this.#session.kernel.flagsOf(node) & colours) !== colours) this.#push(node, colours);
  }

  #push(node: number, colours: number): void {
    const session = this.#session;
    this.#colour(node, colours);
    if (!session.has(node, STALE | FRESH)) {
      session.mark(node, FRESH);
      this.#fresh++;
    }
    this.#queue.push(node, this.#placeOf(node));
  }

  #colour(node: number, colours: number): void {
    if (!this.#session.has(node, ALL)) this.#coloured.push(node);
    this.#session.mark(node, colours);
    if (colours & STALE) this.#isNoLongerFresh(node);
  }

  #isNoLongerFresh(node: number): void {
    if (!this.#session.has(node, FRESH)) return;
    this.#session.unmark(node, FRESH);
    this.#fresh--;
  }

  /**
   * Spreads staleness from the commits that are left, which are all stale. Where a clock is wrong, a commit that they
   * reach was listed before its child.
   */
  #spreadRest(): void {
    const session = this.#session;
    const stack: number[] = [];
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) stack.push(node);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      for (const parent of session.commits.parentsOf(node)) {
        if (!session.commits.has(parent) || session.has(parent, STALE)) continue;
        this.#colour(parent, BOTH | STALE);
        stack.push(parent);
      }
    }
  }

  /** Clears all flags that painting set. */
  clear(): void {
    for (const node of this.#coloured) this.#session.unmark(node, ALL);
  }

  #spend(edges: number): void {
    this.#bounds.budget.spend(edges * EDGE_STEPS);
  }
}
