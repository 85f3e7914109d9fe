/** The lanes beside a list of commits. */
import { describe, expect, it } from "vitest";
import { graphRows, type GraphRow, type ListedCommit, MOST_LANES } from "../../../src/browse/commit-graph-column.ts";

/** A history of commits with random parents among the later ones, children first. */
function randomHistory(seed: number, count: number, most: number): ListedCommit[] {
  let state = seed;
  const random = (bound: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * bound);
  };
  return Array.from({ length: count }, (_, at) => {
    const wanted = Math.min(1 + (random(4) === 0 ? 1 + random(most) : 0), count - 1 - at);
    const parents = new Set(Array.from({ length: wanted }, () => at + 1 + random(Math.min(6, count - 1 - at))));
    return { oid: `c${at}`, parents: Array.from(parents, (parent) => `c${parent}`) };
  });
}

/** Returns the rows at whose commits a line ends that begins at the bottom of a row in a lane. */
function endsOf(rows: readonly GraphRow[], row: number, lane: number): number | undefined {
  let at = lane;
  for (let next = row + 1; next < rows.length; next++) {
    const { top = [], bottom = [], lane: own } = rows[next] ?? {};
    const to = top.find(([from]) => from === at)?.[1];
    if (to === undefined) return undefined;
    if (to === own && !bottom.some(([from, end]) => from === at && end === at && at !== own)) return next;
    at = to;
  }
  return undefined;
}

describe("the graph beside a list of commits", () => {
  it("is one lane for a history without merges", () => {
    const commits = ["c", "b", "a"].map((oid, at, all) => ({ oid, parents: all.slice(at + 1, at + 2) }));
    expect(graphRows(commits)).toEqual([
      { lane: 0, top: [], bottom: [[0, 0]] },
      { lane: 0, top: [[0, 0]], bottom: [[0, 0]] },
      { lane: 0, top: [[0, 0]], bottom: [] },
    ]);
  });

  it("opens a lane for the second parent of a merge, and closes it where both meet", () => {
    const commits = [
      { oid: "m", parents: ["a", "b"] },
      { oid: "b", parents: ["r"] },
      { oid: "a", parents: ["r"] },
      { oid: "r", parents: [] },
    ];
    expect(graphRows(commits).map(({ lane }) => lane)).toEqual([0, 1, 0, 1]);
    const rows = graphRows(commits);
    expect(rows[0]?.bottom).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(rows[3]).toEqual({ lane: 1, top: [[1, 1]], bottom: [] });
  });

  it("leads from each commit to each of its parents, and nowhere else", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const commits = randomHistory(seed, 40, 2);
      const rows = graphRows(commits);
      for (const [row, { parents }] of commits.entries()) {
        const { lane, bottom = [] } = rows[row] ?? {};
        if (lane === undefined) continue;
        const own = bottom.filter(([from, to]) => from === lane && (to !== lane || !isPassing(rows, row, lane)));
        const ends = own.map(([, to]) => endsOf(rows, row, to));
        expect(ends.map((end) => `c${end}`).toSorted()).toEqual([...parents].toSorted());
      }
    }
  });

  it("joins each row with the next: what leaves one at the bottom enters the other at the top", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const rows = graphRows(randomHistory(seed, 40, 3));
      for (const [at, { bottom }] of rows.slice(0, -1).entries()) {
        const leaving = [...new Set(bottom.map(([, to]) => to))].toSorted((a, b) => a - b);
        const entering = rows[at + 1]?.top.map(([from]) => from) ?? [];
        expect(entering).toEqual(leaving);
      }
    }
  });

  it("has no more lanes than its bound, whatever parents a commit names", () => {
    const parents = Array.from({ length: 1000 }, (_, at) => `p${at}`);
    const rows = graphRows([{ oid: "m", parents }, ...parents.map((oid) => ({ oid, parents: ["root"] }))]);
    const lanes = rows.flatMap(({ lane = 0, top, bottom }) => [lane, ...top.flat(), ...bottom.flat()]);
    expect(Math.max(...lanes)).toBe(MOST_LANES - 1);
  });
});

/** Whether the lane of a row's commit is passed by a line of another commit: it never is. */
function isPassing(rows: readonly GraphRow[], row: number, lane: number): boolean {
  return rows[row]?.top.some(([from, to]) => from === lane && to !== rows[row]?.lane) === true;
}
