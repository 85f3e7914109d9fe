/**
 * How a commit stands to another: what it has beyond it, what it lacks, and which files differ since they parted.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--left-right`; git-diff(1), `a...b`
 */
import { findDivergence } from "../graph/merge-base.ts";
import type { BrowseSession } from "./browse-session.ts";

/** Commits that are looked at to compare two. */
const MOST_COMMITS = 200_000;

/** The comparison of two commits. Raw names. */
export type Comparison = {
  readonly mergeBases: readonly Uint8Array[];
  /** Commits that only the first one reaches. */
  readonly behind: number;
  /** Commits that only the second one reaches. */
  readonly ahead: number;
  /** Those of them that were asked for, youngest first. */
  readonly commits: readonly Uint8Array[];
};

/**
 * Compares two commits, and gives those that only the second one reaches from number `first` on, `count` at most.
 *
 * @throws LimitExceeded where their histories parted too long ago.
 */
export async function compareCommits(
  session: BrowseSession,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
  { first, count }: { readonly first: number; readonly count: number },
): Promise<Comparison> {
  const { graph } = session;
  await session.expectMany();
  const commits = { left: graph.node(from), right: graph.node(to) };
  const { bases, left, right } = await findDivergence(graph, commits, MOST_COMMITS);
  return {
    mergeBases: bases.map((node) => graph.nameOf(node)),
    behind: left.length,
    ahead: right.length,
    commits: right.slice(first, first + count).map((node) => graph.nameOf(node)),
  };
}
