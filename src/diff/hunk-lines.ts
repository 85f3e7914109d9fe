/**
 * The lines of a hunk, one by one or as the text that `git diff` prints.
 *
 * @packageDocumentation
 * @see git-diff(1), "Generating patch text with -p"
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import type { DiffSide } from "./line-table.ts";
import type { Hunk, LineChange, LineDiff, LineRange } from "./line-diff.ts";

/** A line that is in both files, only in the first, or only in the second. */
export type DiffLine = {
  readonly sign: " " | "-" | "+";
  /** The line without its line feed: a view of the file. Of a common line, it is that of the second file. */
  readonly text: Uint8Array;
  /** Whether a line feed ends the line. Only the last line of a file may lack it. */
  readonly hasFeed: boolean;
  /** The line's number in the first file, counted from 1; 0 if it is not there. */
  readonly before: number;
  /** The line's number in the second file. */
  readonly after: number;
};

const FEED = 10;
const PIECE = 32_768;
const encoder = new TextEncoder();
const SIGNS = { " ": encoder.encode(" "), "-": encoder.encode("-"), "+": encoder.encode("+") };
const END = Uint8Array.of(FEED);
const NO_FEED = encoder.encode("\n\\ No newline at end of file\n");

/** Yields the lines of a hunk in the order in which they are shown. */
export function* hunkLines(diff: LineDiff, { after, changes }: Hunk): Generator<DiffLine, undefined> {
  let next = after.start;
  let previous: LineChange | undefined;
  for (const change of changes) {
    const shown = previous === undefined ? change.after.start - next : gapBetween(previous, change);
    yield* commonLines(diff, { start: next, end: next + shown }, change.before.start - shown);
    yield* linesOf(diff.before, change.before, "-");
    yield* linesOf(diff.after, change.after, "+");
    next = change.after.end;
    previous = change;
  }
  if (previous !== undefined) yield* commonLines(diff, { start: next, end: after.end }, previous.before.end);
}

/** The common lines between two changes. With ignored changes in between, they are fewer in one of the files. */
function gapBetween(one: LineChange, two: LineChange): number {
  return Math.min(two.before.start - one.before.end, two.after.start - one.after.end);
}

function* commonLines(diff: LineDiff, { start, end }: LineRange, before: number): Generator<DiffLine, undefined> {
  for (let line = start; line < end; line++) {
    yield { sign: " ", ...textOf(diff.after, line), before: before + line - start + 1, after: line + 1 };
  }
}

function* linesOf(side: DiffSide, { start, end }: LineRange, sign: "-" | "+"): Generator<DiffLine, undefined> {
  for (let line = start; line < end; line++) {
    const [before, after] = sign === "-" ? [line + 1, 0] : [0, line + 1];
    yield { sign, ...textOf(side, line), before, after };
  }
}

function textOf({ bytes, starts }: DiffSide, line: number): Pick<DiffLine, "text" | "hasFeed"> {
  const [start, end] = [u32At(starts, line), u32At(starts, line + 1)];
  const hasFeed = u8At(bytes, end - 1) === FEED;
  return { text: bytes.subarray(start, hasFeed ? end - 1 : end), hasFeed };
}

function rangeText({ start, end }: LineRange): string {
  const count = end - start;
  // An empty range is given by the line above it.
  return `${count === 0 ? start : start + 1}${count === 1 ? "" : `,${count}`}`;
}

/** Returns a hunk's head without its heading: `@@ -1,7 +1,8 @@`. */
export function hunkHead({ before, after }: Hunk): string {
  return `@@ -${rangeText(before)} +${rangeText(after)} @@`;
}

/** Yields the text of a hunk in pieces of some kilobytes. The bytes are the caller's. */
export function* hunkText(diff: LineDiff, hunk: Hunk): Generator<Uint8Array, undefined> {
  const head = encoder.encode(`${hunkHead(hunk)}${hunk.heading.length > 0 ? " " : ""}`);
  yield concat([head, hunk.heading, END]);
  yield* hunkBody(diff, hunk);
}

/** Yields the same without the line at its head. */
export function* hunkBody(diff: LineDiff, hunk: Hunk): Generator<Uint8Array, undefined> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const { sign, text, hasFeed } of hunkLines(diff, hunk)) {
    pieces.push(SIGNS[sign], text, hasFeed ? END : NO_FEED);
    bytes += text.length + 2;
    if (bytes < PIECE) continue;
    yield concat(pieces);
    pieces = [];
    bytes = 0;
  }
  if (pieces.length > 0) yield concat(pieces);
}
