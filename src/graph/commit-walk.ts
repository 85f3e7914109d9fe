/**
 * Which commits are to be sent: those that the wanted ones reach and the common ones don't.
 *
 * @packageDocumentation
 * @see git-rev-list(1), whose `limit_list` this follows
 */
import { QUEUED, UNINTERESTING } from "../kernel/object-flags.ts";
import { itemAt } from "../bytes/assert.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { GraphSession } from "./graph-session.ts";

/**
 * How many more commits are looked at once only uninteresting ones are left, where one of them is younger than some that is
 * listed: clocks are not always right. Where all are, git looks at as many; here each may cost a read of the bucket, and what
 * is saved are objects sent that the client has.
 */
const SLOP = 5;

/** What a walk found. */
export type WalkedCommits = {
  /** Nodes of the commits to send, youngest first. */
  readonly interesting: readonly number[];
  /** Nodes of the commits at the border: parents of those, and not to be sent. */
  readonly edges: readonly number[];
};

/** Where else a walk stops. */
export type WalkLimit = {
  /** At commits made before, in seconds since 1970, as `--max-age`. */
  readonly since: number;
};

/** Walks from `wanted`, and stops at what `common` (nodes of commits) reach. */
export async function walkCommits(
  session: GraphSession,
  wanted: Iterable<number>,
  common: readonly number[] | ReadonlySet<number>,
  { since }: WalkLimit = { since: Number.NEGATIVE_INFINITY },
): Promise<WalkedCommits> {
  const walk = new CommitWalk(session, since);
  for (const node of common) session.mark(node, UNINTERESTING);
  // of commits of the same second, first those to be sent: when they are through, the walk may be
  for (const node of wanted) await walk.enqueue(node);
  for (const node of common) await walk.enqueue(node);
  // before any more is read: what is new mostly stands on the client's tips, or right below them
  for (const node of common) walk.spread(node);
  return await walk.run();
}

class CommitWalk {
  readonly #session: GraphSession;
  readonly #queue = new CommitQueue();
  readonly #listed: number[] = [];
  #oldestListed = Number.POSITIVE_INFINITY;
  /** Interesting commits in the queue. */
  #interestingQueued = 0;

  readonly #since: number;

  constructor(session: GraphSession, since: number) {
    this.#session = session;
    this.#since = since;
  }

  async enqueue(node: number): Promise<void> {
    const session = this.#session;
    if (session.has(node, QUEUED)) return;
    session.mark(node, QUEUED);
    // loaded here, since the queue is ordered by what the commit says
    if (!session.commits.has(node)) await session.loadCommit(node);
    this.#queue.push(node, session.commits.timeOf(node));
    if (!session.has(node, UNINTERESTING)) this.#interestingQueued++;
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
        this.spread(node);
      } else {
        this.#listed.push(node);
        this.#oldestListed = Math.min(this.#oldestListed, session.commits.timeOf(node));
      }
      for (const parent of session.commits.parentsOf(node).slice()) await this.enqueue(parent);
      if (this.#interestingQueued > 0) slop = SLOP;
      else if (--slop < 0 || this.#queue.youngestTime <= this.#oldestListed) break;
    }
    return this.#result();
  }

  /** Makes all that is known to be reachable from an uninteresting commit uninteresting. */
  spread(node: number): void {
    const session = this.#session;
    const stack = [node];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (!session.commits.has(at)) continue;
      for (const parent of session.commits.parentsOf(at)) {
        if (session.has(parent, UNINTERESTING)) continue;
        session.mark(parent, UNINTERESTING);
        if (!session.commits.has(parent)) continue;
        // in the queue and not taken out of it yet, or listed: either way no longer interesting
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
