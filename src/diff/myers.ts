/**
 * Marks the lines that only one of two files has, by a short way from the one to the other.
 *
 * @packageDocumentation
 * @see git-diff(1), `--diff-algorithm=myers`
 */
import { u32At } from "../bytes/assert.ts";
import { candidatesOf, middleOf } from "./discard.ts";
import { EditSearch } from "./edit-search.ts";
import type { LineTable } from "./line-table.ts";

/** Sets `changed` on both sides of a table. Yields the work that was done. */
export function* markChanged(table: LineTable): Generator<number, void, undefined> {
  const { start, endBefore, endAfter } = middleOf(table);
  yield start + endBefore + endAfter;
  const one = candidatesOf(table.before, table.countsAfter, { start, end: endBefore });
  const two = candidatesOf(table.after, table.countsBefore, { start, end: endAfter });
  yield 4 * (one.lines.length + two.lines.length);
  yield* new EditSearch(one.classes, two.classes).run(
    (from, to) => {
      for (let at = from; at < to; at++) table.before.changed[u32At(one.lines, at)] = 1;
    },
    (from, to) => {
      for (let at = from; at < to; at++) table.after.changed[u32At(two.lines, at)] = 1;
    },
  );
}
