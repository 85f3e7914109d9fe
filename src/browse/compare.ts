/**
 * Compares two commits: the commits that each has beyond the other, and the files that differ since their histories
 * parted.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--left-right`; git-diff(1), `a...b`
 */
import { comparing, findDivergence } from "../graph/merge-base.ts";
import type { BrowseSession } from "./browse-session.ts";

/** The most commits that a comparison looks at. */
const MOST_COMMITS = 200_000;

/** The comparison of two commits. Names are raw. */
export type Comparison = {
  readonly mergeBases: readonly Uint8Array[];
  /** The number of commits that only the first one reaches. */
  readonly behind: number;
  /** The number of commits that only the second one reaches. */
  readonly ahead: number;
  /** The requested ones of them, youngest first. */
  readonly commits: readonly Uint8Array[];
};

/**
 * Compares two commits. Returns up to `count` of the commits that only the second one reaches, from number `first` on.
 *
 * @throws LimitExceeded if their histories parted too long ago.
 */
export async function compareCommits(
  session: BrowseSession,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
  { first, count }: { readonly first: number; readonly count: number },
): Promise<Comparison> {
  const { graph } = session;
  await session.expectMany();
  const commits = { left: graph.node(from), right: graph.node(to) };
  const { bases, left, right } = await findDivergence(graph, commits, comparing(graph, MOST_COMMITS));
  return {
    mergeBases: bases.map((node) => graph.nameOf(node)),
    behind: left.length,
    ahead: right.length,
    commits: right.slice(first, first + count).map((node) => graph.nameOf(node)),
  };
}
