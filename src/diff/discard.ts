/**
 * Decides which lines take part in the search for common lines. A line that the other file does not have can't be
 * common. A line that occurs very often in the other file, such as a blank one, says little: where it stands among
 * lines that are only in its own file, it is left out too, so that it does not tear a changed passage apart.
 *
 * Leaving lines out makes the search faster, and decides which of several equally short results is found. So the rules
 * are those that git has.
 *
 * @packageDocumentation
 * @see git-diff(1), `--minimal`
 */
import { u32At, u8At } from "../bytes/assert.ts";
import type { DiffSide, LineTable } from "./line-table.ts";

/** The lines of one file that take part: their numbers, and their classes. */
export type Candidates = { readonly lines: Uint32Array; readonly classes: Uint32Array };

/** What is known about a line from how often the other file has it. */
const NOWHERE = 0;
const SOME = 1;
const OFTEN = 2;
/** A line is frequent from this many occurrences on, however long the other file is. */
const MOST_FREQUENT = 1024;
/** The lines on each side that are looked at around a frequent line. */
const WINDOW = 100;
/** A frequent line is left out if less than one line in this many around it is frequent, too. */
const RARE = 4;

/** Returns a power of two that is about the square root of a number. */
export function roughRoot(number: number): number {
  let root = 1;
  for (let left = number; left > 0; left >>= 2) root *= 2;
  return root;
}

/** The lines of both files that the common beginning and the common end leave over: `[start, end)`. */
export type Middle = { readonly start: number; readonly endBefore: number; readonly endAfter: number };

/** Returns the part of two files that is between their common beginning and their common end. */
export function middleOf({ before, after }: LineTable): Middle {
  const shorter = Math.min(before.count, after.count);
  let start = 0;
  while (start < shorter && before.classes[start] === after.classes[start]) start++;
  let end = 0;
  const most = shorter - start;
  while (end < most && before.classes[before.count - 1 - end] === after.classes[after.count - 1 - end]) end++;
  return { start, endBefore: before.count - end, endAfter: after.count - end };
}

/**
 * Returns the lines of `[start, end)` that take part, and marks the others as changed. `countsElsewhere` says how often
 * the other file has each class.
 */
export function candidatesOf(
  side: DiffSide,
  countsElsewhere: Uint32Array,
  { start, end }: { readonly start: number; readonly end: number },
): Candidates {
  const frequent = Math.min(roughRoot(side.count), MOST_FREQUENT);
  const kinds = new Uint8Array(end - start);
  for (let line = start; line < end; line++) {
    const count = u32At(countsElsewhere, u32At(side.classes, line));
    kinds[line - start] = count === 0 ? NOWHERE : count >= frequent ? OFTEN : SOME;
  }
  const lines = new Uint32Array(end - start);
  let length = 0;
  for (let at = 0; at < kinds.length; at++) {
    const kind = u8At(kinds, at);
    if (kind === SOME || (kind === OFTEN && !isAmongOthers(kinds, at))) lines[length++] = start + at;
    else side.changed[start + at] = 1;
  }
  const chosen = lines.subarray(0, length);
  return { lines: chosen, classes: chosen.map((line) => u32At(side.classes, line)) };
}

/**
 * Whether a frequent line stands in a run of lines that the other file mostly lacks: there is one on each side before
 * the next ordinary line, and frequent lines are few in the run.
 */
function isAmongOthers(kinds: Uint8Array, at: number): boolean {
  const above = run(kinds, at, -1);
  if (above.nowhere === 0) return false;
  const below = run(kinds, at, 1);
  if (below.nowhere === 0) return false;
  // The line itself is counted once for each side.
  const often = above.often + below.often + 2;
  return often * RARE < often + above.nowhere + below.nowhere;
}

/** Counts the lines next to a line in one direction, up to the next ordinary one. */
function run(kinds: Uint8Array, at: number, step: 1 | -1): { readonly nowhere: number; readonly often: number } {
  let nowhere = 0;
  let often = 0;
  for (let distance = 1; distance <= WINDOW; distance++) {
    const kind = kinds[at + distance * step];
    if (kind === NOWHERE) nowhere++;
    else if (kind === OFTEN) often++;
    else break;
  }
  return { nowhere, often };
}
