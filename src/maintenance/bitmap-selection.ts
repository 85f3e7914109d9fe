/**
 * Decides which commits of a pack get a bitmap: those that branches name, the tips, the youngest hundred, and then one of each stretch,
 * which is the longer the older its commits are. In a stretch, merges are preferred. The choice depends on the pack and the branches alone,
 * so that two runs write the same file.
 *
 * @packageDocumentation
 * @see pack-bitmap-write.c `bitmap_writer_select_commits()`
 */
import { itemAt } from "../bytes/assert.ts";

/** All of this many youngest commits are chosen. */
const MUST_REGION = 100;
/** Up to this many commits, a stretch is as long as the commits before it beyond the first, and at most the next figure. */
const MIN_REGION = 20_000;
const MIN_STRETCH = 100;
/** The longest stretch. Git's is 5,000, which are then walked wherever a ref is in the middle of one. */
const MAX_STRETCH = 1000;
/** The most commits named by branches that are chosen, and the most tips. The youngest come first; further ones are preferred in their stretches. */
const MOST_TIPS = 200;

/** A commit to choose from. */
export type Candidate = {
  /** The rank of its entry in the pack. */
  readonly rank: number;
  /** Whether the commit is without children in the pack. */
  readonly isTip: boolean;
  /** Whether a branch names the commit: a clone of it alone then opens no tree. */
  readonly isNamed: boolean;
  readonly isMerge: boolean;
};

/** Returns the number of commits that are passed over after the one with this number. */
function stretchAt(number: number): number {
  if (number <= MUST_REGION) return 0;
  if (number <= MIN_REGION) return Math.min(number - MUST_REGION, MIN_STRETCH);
  return Math.max(Math.min(number - MIN_REGION, MAX_STRETCH), MIN_STRETCH);
}

/** Returns the commit of a stretch that is chosen: a branch's, else a tip, else the last merge, else the last one. */
function bestOf(stretch: readonly Candidate[]): Candidate {
  const merge = stretch.findLast(({ isMerge }) => isMerge);
  const wanted = stretch.find(({ isNamed }) => isNamed) ?? stretch.find(({ isTip }) => isTip);
  return wanted ?? merge ?? itemAt(stretch, stretch.length - 1);
}

/** Returns the ranks of the commits that get a bitmap. `commits` are all of the pack, youngest first. */
export function selectCommits(commits: readonly Candidate[]): number[] {
  const named = commits.filter(({ isNamed }) => isNamed).slice(0, MOST_TIPS);
  const tips = commits.filter(({ isTip }) => isTip).slice(0, MOST_TIPS);
  const chosen = new Set([...named, ...tips].map(({ rank }) => rank));
  for (let at = 0; at < commits.length;) {
    const stretch = commits.slice(at, at + stretchAt(at) + 1);
    chosen.add(bestOf(stretch).rank);
    at += stretch.length;
  }
  return [...chosen];
}
