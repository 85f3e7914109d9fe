/**
 * The graph beside a list of commits, drawn for each row by itself: it works without a script, and in any height of a row.
 *
 * @packageDocumentation
 */
import type { GraphRow, LaneLine } from "../browse/commit-graph-column.ts";

/** Pixels of a lane. */
const LANE_WIDTH = 14;
/** Pixels of the radius of a commit. */
const RADIUS = 4;

const middleOf = (lane: number): number => lane * LANE_WIDTH + LANE_WIDTH / 2;

function Line({ line: [from, to], y }: { readonly line: LaneLine; readonly y: readonly [string, string] }) {
  return <line x1={middleOf(from)} y1={y[0]} x2={middleOf(to)} y2={y[1]} />;
}

/** Returns how many lanes the rows take. */
export function lanesOf(rows: readonly GraphRow[]): number {
  const used = rows.flatMap(({ lane = 0, top, bottom }) => [lane, ...top.flat(), ...bottom.flat()]);
  return used.reduce((most, lane) => Math.max(most, lane + 1), 1);
}

/** A row of the graph, which is `lanes` wide. It says nothing that the list does not: readers of a screen pass it over. */
export function GraphCell({ row, lanes }: { readonly row: GraphRow; readonly lanes: number }) {
  const { lane, top, bottom } = row;
  const width = lanes * LANE_WIDTH;
  return (
    <td class="graph">
      <svg width={width} height="100%" aria-hidden="true" focusable="false">
        {top.map((line) => (
          <Line line={line} y={["0", "50%"]} />
        ))}
        {bottom.map((line) => (
          <Line line={line} y={["50%", "100%"]} />
        ))}
        {lane === undefined ? null : <circle cx={middleOf(lane)} cy="50%" r={RADIUS} />}
      </svg>
      <svg width={width} height="1" aria-hidden="true" focusable="false" />
    </td>
  );
}
