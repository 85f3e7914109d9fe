/**
 * Lines whose origin is looked for, and where they are in an older version of their file.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import type { LineChange } from "../diff/line-diff.ts";

/** Lines of the file that are next to each other there and where they come from. Lines are counted from 0. */
export type BlamedLines = {
  readonly line: number;
  readonly count: number;
  /** The number of the first line in the file that it comes from. */
  readonly source: number;
};

/** Divides lines of the second file of a comparison: those that the first one has, with their numbers there, and others. */
export function divide(
  lines: readonly BlamedLines[],
  changes: readonly LineChange[],
): { readonly passed: BlamedLines[]; readonly kept: BlamedLines[] } {
  const passed: BlamedLines[] = [];
  const kept: BlamedLines[] = [];
  let at = 0;
  for (const each of lines.toSorted((a, b) => a.source - b.source)) {
    const end = each.source + each.count;
    while ((changes[at - 1]?.after.end ?? -1) > each.source) at--; // Before the first change there is none.
    for (let from = each.source; from < end;) {
      while ((changes[at]?.after.end ?? Number.POSITIVE_INFINITY) <= from) at++;
      const change = changes[at];
      const isKept = change !== undefined && change.after.start <= from;
      const to = Math.min(end, change === undefined ? end : isKept ? change.after.end : change.after.start);
      const last = changes[at - 1];
      const shift = last === undefined ? 0 : last.before.end - last.after.end;
      const part = { line: each.line + from - each.source, count: to - from, source: isKept ? from : from + shift };
      (isKept ? kept : passed).push(part);
      from = to;
    }
  }
  return { passed, kept };
}

/**
 * Divides lines of changes by what was guessed of them: those that come from a line of the first file, with its number,
 * and those that come from none. Lines stay together where both files have them next to each other.
 */
export function redirect(
  lines: readonly BlamedLines[],
  changes: readonly LineChange[],
  guesses: readonly Int32Array[],
): { readonly passed: BlamedLines[]; readonly kept: BlamedLines[] } {
  const passed: BlamedLines[] = [];
  const kept: BlamedLines[] = [];
  const guessOf = new Map<number, number>();
  changes.forEach(({ after }, at) =>
    guesses[at]?.forEach((guess, i) => {
      guessOf.set(after.start + i, guess);
    }),
  );
  for (const { line, count, source } of lines) {
    for (let i = 0; i < count; i++) {
      const guess = guessOf.get(source + i);
      assert(guess !== undefined, "only changed lines are guessed");
      const list = guess < 0 ? kept : passed;
      const from = guess < 0 ? source + i : guess;
      const last = list.at(-1);
      const follows = last !== undefined && last.line + last.count === line + i && last.source + last.count === from;
      if (follows) list[list.length - 1] = { ...last, count: last.count + 1 };
      else list.push({ line: line + i, count: 1, source: from });
    }
  }
  return { passed, kept };
}
