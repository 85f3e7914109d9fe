/**
 * What cursors of last changes and of blame hold: entries and lines whose commit was not found yet.
 *
 * @packageDocumentation
 */
import type { PendingLines } from "../../browse/blame.ts";
import type { BlamedLines } from "../../browse/blamed-lines.ts";
import { itemAt } from "../../bytes/assert.ts";
import { Problem } from "../../http/problem.ts";

/** The characters of lines that a cursor may have, about. */
const MOST_CHARACTERS = 9000;
/** About the characters of a commit and a path beside the path's own. */
const PLACE_CHARACTERS = 60;

function refuse(): never {
  throw new Problem(422, "cursor: not one that this list gave");
}

/** Returns rising numbers as pairs: the first of each run, and the run's length. */
export function rangesOf(numbers: readonly number[]): number[] {
  const ranges: number[] = [];
  let end = -1;
  for (const number of numbers) {
    if (number === end) ranges.push((ranges.pop() ?? 0) + 1); // A run has a length.
    else ranges.push(number, 1);
    end = number + 1;
  }
  return ranges;
}

/**
 * Counts what the places of a cursor have. Each entry, and each line, is looked for in one of them: together they have no
 * more than there are, else a short cursor would stand for any amount of work.
 */
class Places {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Takes a run of numbers. @throws Problem if they are not below the most, or more than are left. */
  take(from: number, length: number): void {
    this.#left -= length;
    if (from + length > this.#most || this.#left < 0) refuse();
  }
}

function numbersIn(ranges: readonly number[], places: Places): number[] {
  const numbers: number[] = [];
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    const [from, length] = [itemAt(ranges, at), itemAt(ranges, at + 1)];
    places.take(from, length);
    if (from <= (numbers.at(-1) ?? -1)) refuse(); // The first run may begin anywhere.
    for (let number = from; number < from + length; number++) numbers.push(number);
  }
  return numbers;
}

/**
 * Returns the numbers of {@link rangesOf} for each place of a cursor.
 *
 * @throws Problem if they are not below `most`, or more than that together.
 */
export function numbersOf(places: readonly (readonly number[])[], most: number): number[][] {
  const all = new Places(most);
  return places.map((ranges) => numbersIn(ranges, all));
}

function linesIn(triples: readonly number[], places: Places): BlamedLines[] {
  const lines: BlamedLines[] = [];
  for (let at = 0; at + 2 < triples.length; at += 3) {
    const [line, count, source] = [itemAt(triples, at), itemAt(triples, at + 1), itemAt(triples, at + 2)];
    places.take(line, count);
    if (count === 0) refuse();
    lines.push({ line, count, source });
  }
  // A place without lines would take work for nothing.
  if (lines.length === 0) refuse();
  return lines;
}

/**
 * Returns lines from triples of numbers, for each place of a cursor.
 *
 * @throws Problem if they are not below `most`, or more than that together, or if a place has none.
 */
export function linesOf(places: readonly (readonly number[])[], most: number): BlamedLines[][] {
  const all = new Places(most);
  return places.map((triples) => linesIn(triples, all));
}

/**
 * Returns the pending lines that fit a cursor, those at the beginning of the file first, and the first line that did
 * not fit: all lines from there on are to be asked for again.
 */
export function cutPending(
  pending: readonly PendingLines[],
  end: number,
): { readonly fitting: readonly PendingLines[]; readonly rest: number } {
  let characters = pending.reduce((sum, { path }) => sum + PLACE_CHARACTERS + 2 * path.length, 0);
  const all = pending.flatMap(({ lines }) => lines).toSorted((a, b) => a.line - b.line);
  let rest = end;
  for (const { line, count, source } of all) {
    characters += `${line},${count},${source},`.length;
    if (characters <= MOST_CHARACTERS) continue;
    rest = Math.min(rest, line);
    break;
  }
  const fitting = pending
    .map((each) => ({ ...each, lines: each.lines.filter(({ line }) => line < rest) }))
    .filter(({ lines }) => lines.length > 0);
  return { fitting, rest };
}
