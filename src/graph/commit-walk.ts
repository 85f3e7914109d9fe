/**
 * Lists the commits to send: those that the wanted commits reach and the common ones don't.
 *
 * @packageDocumentation
 * @see git-rev-list(1), whose `limit_list` this follows
 */
import { QUEUED, UNINTERESTING } from "../kernel/object-flags.ts";
import { itemAt } from "../bytes/assert.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { GraphSession } from "./graph-session.ts";

/**
 * The number of further commits that are examined when only uninteresting ones are left, since clocks are not always
 * right. It applies only while one of them is younger than a listed commit. Git examines as many when all are older.
 * Here each may cost a read of the bucket, and at worst the client is sent objects that it has.
 */
const SLOP = 5;

/** The result of a walk. */
export type WalkedCommits = {
  /** Nodes of the commits to send, youngest first. */
  readonly interesting: readonly number[];
  /** Nodes of the border commits: parents of the commits to send that are not sent themselves. */
  readonly edges: readonly number[];
};

/**
 * The number of commits after which a walk asks what the common commits reach. A shorter walk takes less than opening the files that
 * tell it.
 */
const LONG_WALK = 1000;

/** Tells whether some commits reach a commit. */
export type Reaches = (node: number) => boolean;

/** Further limits of a walk. */
export type WalkLimit = {
  /** Commits older than this, in seconds since 1970, end the walk, as with `--max-age`. */
  readonly since?: number;
  /** Tells a walk that has become long what the common commits reach; `undefined` if nothing tells it without walking there. */
  readonly reachedByCommon?: () => Promise<Reaches | undefined>;
};

/** Walks from `wanted`, and stops at what `common` (nodes of commits) reach, and at what is uninteresting already. */
export async function walkCommits(
  session: GraphSession,
  wanted: readonly number[] | ReadonlySet<number>,
  common: readonly number[] | ReadonlySet<number>,
  limit: WalkLimit = {},
): Promise<WalkedCommits> {
  const walk = new CommitWalk(session, limit);
  for (const node of common) session.mark(node, UNINTERESTING);
  // Of commits of the same second, those to be sent come first: the walk may be over once they are through.
  await session.loadCommits(wanted);
  walk.enqueue(wanted);
  await session.loadCommits(common);
  walk.enqueue(common);
  // Before any more is read: new commits usually stand on the client's tips, or right below them.
  for (const node of common) walk.spread(node);
  return await walk.run();
}

class CommitWalk {
  readonly #session: GraphSession;
  readonly #queue = new CommitQueue();
  readonly #listed: number[] = [];
  #oldestListed = Number.POSITIVE_INFINITY;
  /** The number of interesting commits in the queue. */
  #interestingQueued = 0;

  readonly #since: number;
  readonly #askCommon: WalkLimit["reachedByCommon"];
  /** Whether the common commits reach a commit, once that was asked for. */
  #isReached: Reaches | undefined;
  #walked = 0;

  constructor(session: GraphSession, { since = Number.NEGATIVE_INFINITY, reachedByCommon }: WalkLimit) {
    this.#session = session;
    this.#since = since;
    this.#askCommon = reachedByCommon;
  }

  /** Adds commits to the queue. They are loaded, because the queue is ordered by their own times. */
  enqueue(nodes: Iterable<number>): void {
    for (const node of nodes) if (!this.#session.has(node, QUEUED)) this.#push(node);
  }

  #push(node: number): void {
    const session = this.#session;
    session.mark(node, QUEUED);
    if (this.#isReached !== undefined) this.#settle(node, this.#isReached);
    this.#queue.push(node, session.commits.timeOf(node));
    if (!session.has(node, UNINTERESTING)) this.#interestingQueued++;
  }

  /** Marks a commit uninteresting that common commits reach. Returns whether it was not marked yet. */
  #settle(node: number, isReached: Reaches): boolean {
    if (this.#session.has(node, UNINTERESTING) || !isReached(node)) return false;
    this.#session.mark(node, UNINTERESTING);
    return true;
  }

  /**
   * Asks what the common commits reach. Old commits that are wanted, as by tags, would otherwise take a walk from the common ones down
   * to them.
   */
  async #settleAll(): Promise<void> {
    const isReached = await this.#askCommon?.();
    if (isReached === undefined) return;
    this.#isReached = isReached;
    for (const node of this.#queue) if (this.#settle(node, isReached)) this.#interestingQueued--;
    for (const node of this.#listed) this.#settle(node, isReached);
  }

  async run(): Promise<WalkedCommits> {
    const session = this.#session;
    let slop = SLOP;
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      if (!session.has(node, UNINTERESTING)) {
        this.#interestingQueued--;
        if (session.commits.timeOf(node) < this.#since) session.mark(node, UNINTERESTING);
      }
      if (session.has(node, UNINTERESTING)) {
        // All that it reaches is known to be reached, too.
        if (this.#isReached?.(node) === true) continue;
        this.spread(node);
      } else {
        this.#listed.push(node);
        this.#oldestListed = Math.min(this.#oldestListed, session.commits.timeOf(node));
      }
      const parents = session.commits.parentsOf(node).slice();
      const loading = session.loadCommits(parents);
      if (loading !== undefined) await loading;
      this.enqueue(parents);
      if (++this.#walked === LONG_WALK && this.#interestingQueued > 0) await this.#settleAll();
      if (this.#interestingQueued > 0) slop = SLOP;
      else if (--slop < 0 || this.#queue.youngestTime <= this.#oldestListed) break;
    }
    return this.#result();
  }

  /** Marks every commit uninteresting that is known to be reachable from an uninteresting commit. */
  spread(node: number): void {
    const session = this.#session;
    const stack = [node];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (!session.commits.has(at)) continue;
      for (const parent of session.commits.parentsOf(at)) {
        if (session.has(parent, UNINTERESTING)) continue;
        session.mark(parent, UNINTERESTING);
        if (!session.commits.has(parent)) continue;
        // It is in the queue or listed; either way it is no longer interesting.
        if (session.has(parent, QUEUED) && !this.#isListed(parent)) this.#interestingQueued--;
        stack.push(parent);
      }
    }
  }

  readonly #listedSet = new Set<number>();
  #listedSeen = 0;

  #isListed(node: number): boolean {
    for (; this.#listedSeen < this.#listed.length; this.#listedSeen++)
      this.#listedSet.add(itemAt(this.#listed, this.#listedSeen));
    return this.#listedSet.has(node);
  }

  #result(): WalkedCommits {
    const session = this.#session;
    const interesting = this.#listed.filter((node) => !session.has(node, UNINTERESTING));
    const edges = new Set<number>();
    for (const node of interesting) {
      for (const parent of session.commits.parentsOf(node)) {
        if (session.has(parent, UNINTERESTING) && session.commits.has(parent)) edges.add(parent);
      }
    }
    return { interesting, edges: [...edges] };
  }
}
