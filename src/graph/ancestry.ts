/**
 * Tells whether one commit is an ancestor of another. The result is exact, whatever committers' clocks said.
 *
 * @packageDocumentation
 * @see commit-reach.c `paint_down_to_common()`
 */
import { u8OrNul } from "../bytes/assert.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { GraphSession } from "./graph-session.ts";

/** The paint of commits that the supposed ancestor reaches. */
const FROM = 1;
/** The paint of commits that the supposed descendants reach. */
const TO = 2;
const BOTH = FROM | TO;

/** The paint of each node: one byte per node, in a table that grows with the session's names. */
class Paint {
  #bytes = new Uint8Array(4096);

  of(node: number): number {
    return u8OrNul(this.#bytes, node);
  }

  set(node: number, paint: number): void {
    if (node >= this.#bytes.length) {
      const grown = new Uint8Array(Math.max(node + 1, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[node] = paint;
  }
}

/** Whether the commit at node `from` is the commit at node `to` or one of its ancestors. */
export async function isAncestor(session: GraphSession, from: number, to: number): Promise<boolean> {
  return await isReachedByAny(session, from, [to]);
}

/**
 * Whether the commit at node `from` is one of those at the nodes `tips` or an ancestor of one, by one walk. History is read youngest first,
 * until both reach all commits that are left: for two branches, that is where they parted. With a commit-graph, it is
 * read no further than generations say that `from` may be reached.
 */
export async function isReachedByAny(session: GraphSession, from: number, tips: readonly number[]): Promise<boolean> {
  const paint = new Paint();
  const queue = new CommitQueue();
  // What has a lesser generation does not reach it, and neither does what is in the commit-graph where it is not itself.
  const isBelow = (node: number): boolean => session.generationOf(node) < session.generationOf(from);
  const add = (node: number, colours: number): void => {
    const before = paint.of(node);
    if ((before | colours) === before || (node !== from && isBelow(node))) return;
    paint.set(node, before | colours);
    queue.push(node, session.commits.timeOf(node));
  };
  await session.prefetch([from, ...tips]);
  await session.loadCommits([from, ...tips]);
  add(from, FROM);
  for (const tip of tips) add(tip, TO);
  while (paint.of(from) !== BOTH && queue.some((node) => paint.of(node) !== BOTH)) {
    const node = queue.pop();
    if (node === undefined) break;
    // The commit-graph may have come into memory since the commit was added.
    if (node !== from && isBelow(node)) continue;
    const colours = paint.of(node);
    const parents = session.commits.parentsOf(node).slice();
    const loading = session.loadCommits(parents);
    if (loading !== undefined) await loading;
    for (const parent of parents) add(parent, colours);
  }
  return paint.of(from) === BOTH;
}
