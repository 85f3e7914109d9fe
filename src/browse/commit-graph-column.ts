/**
 * The lanes of a list of commits: where each commit stands in the column beside it, and which lines lead from row to
 * row.
 *
 * ```text
 * row      o │      top: 0→0 1→1, the commit in lane 0, bottom: 0→0 1→1
 *          ├─╯      top: 0→0 1→0: two children, bottom: 0→0
 * ```
 *
 * @packageDocumentation
 * @see git-log(1), `--graph`
 */

/** A commit of the list, by its name and those of its parents, in order. */
export type ListedCommit = { readonly oid: string; readonly parents: readonly string[] };

/** A line from a lane at the top of a row, or at its middle, to one at its middle, or at its bottom. */
export type LaneLine = readonly [from: number, to: number];

/** A row of the column. */
export type GraphRow = {
  /** The lane of the commit; `undefined` if there are too many lanes. */
  readonly lane: number | undefined;
  readonly top: readonly LaneLine[];
  readonly bottom: readonly LaneLine[];
};

/** The most lanes of a column. Commits and lines that need more are left out. */
export const MOST_LANES = 12;

/** Returns the place of a name in the lanes, or the first free one; `undefined` if there is none. */
function laneFor(lanes: readonly (string | undefined)[], oid: string): number | undefined {
  const at = lanes.indexOf(oid);
  if (at >= 0) return at;
  const free = lanes.indexOf(undefined);
  if (free >= 0) return free;
  return lanes.length < MOST_LANES ? lanes.length : undefined;
}

/** Returns the rows of commits that are listed children first. */
export function graphRows(commits: readonly ListedCommit[]): GraphRow[] {
  let lanes: (string | undefined)[] = [];
  return commits.map(({ oid, parents }) => {
    const lane = laneFor(lanes, oid);
    const top: LaneLine[] = [];
    const bottom: LaneLine[] = [];
    const next: (string | undefined)[] = [];
    for (const [from, expected] of lanes.entries()) {
      if (expected === undefined) continue;
      if (expected === oid && lane !== undefined) {
        top.push([from, lane]);
        continue;
      }
      top.push([from, from]);
      bottom.push([from, from]);
      next[from] = expected;
    }
    const filled = (): (string | undefined)[] => Array.from(next);
    for (const parent of lane === undefined ? [] : parents) {
      // The first parent goes on in the commit's own lane, unless another child waits for it.
      const isFree = lane !== undefined && next[lane] === undefined && !next.includes(parent);
      const to = isFree ? lane : laneFor(filled(), parent);
      if (to === undefined || lane === undefined) continue;
      next[to] = parent;
      bottom.push([lane, to]);
    }
    lanes = filled();
    while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop();
    return { lane, top, bottom };
  });
}
