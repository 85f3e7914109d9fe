/**
 * Compares two files line by line, as `git diff` does: the same lines are shown as removed and added, in the same
 * hunks.
 *
 * Everything is computed in generators that yield the work done since the last yield, in steps of about 10 ns. So the
 * caller can let others run, and can give up: a comparison that was left in the middle has no result.
 *
 * @packageDocumentation
 * @see git-diff(1), `--diff-algorithm=myers`
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { characterBytes } from "../object/escaped-bytes.ts";
import { type DiffSide, type LineTable, tabulate, wholeSide } from "./line-table.ts";
import { markChanged } from "./myers.ts";
import { slideGroups } from "./slide.ts";
import { isSpace, type Whitespace } from "./whitespace.ts";

/** How two files are compared, and what is shown. */
export type DiffOptions = {
  readonly whitespace: Whitespace;
  /** Whether changes of blank lines alone are left out, as with `--ignore-blank-lines`. */
  readonly ignoreBlankLines: boolean;
  /** The lines that are shown around changes, as with `-U`. */
  readonly context: number;
};

/** The options of `git diff` without options. */
export const DEFAULT_OPTIONS: DiffOptions = { whitespace: "exact", ignoreBlankLines: false, context: 3 };

/** Options of a comparison of which only the changed lines are of interest. */
export const NO_CONTEXT: DiffOptions = { ...DEFAULT_OPTIONS, context: 0 };

/** Lines of one file, `[start, end)`, counted from 0. */
export type LineRange = { readonly start: number; readonly end: number };

/** Lines of the first file that are replaced by lines of the second. One of the ranges may be empty. */
export type LineChange = { readonly before: LineRange; readonly after: LineRange };

/** Changes near each other, and the lines around them. */
export type Hunk = {
  readonly before: LineRange;
  readonly after: LineRange;
  readonly changes: readonly LineChange[];
  /** The last line above the hunk that looks like the head of a function, cut to 80 bytes; empty without one. */
  readonly heading: Uint8Array;
};

/** The result of a comparison. */
export type LineDiff = {
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly options: DiffOptions;
};

/** The bytes of a heading that are shown. */
const HEADING_BYTES = 80;
/** A common end is looked for in blocks of this many bytes. */
export const TAIL_BLOCK = 1024;
const FEED = 10;
const NO_BYTES = new Uint8Array(0);

/** Compares two files. Yields the work that was done. */
export function* diffLines(
  before: Uint8Array,
  after: Uint8Array,
  options: DiffOptions,
): Generator<number, LineDiff, undefined> {
  if (before.length === 0 || after.length === 0) {
    yield before.length + after.length;
    return { before: wholeSide(before), after: wholeSide(after), options };
  }
  const tail = options.context === 0 ? commonTail(before, after) : 0;
  const left = before.subarray(0, before.length - tail);
  const table = yield* tabulate(left, after.subarray(0, after.length - tail), options.whitespace);
  return yield* diffTable(table, options);
}

/** Compares two files whose lines are in a table. Yields the work that was done. */
export function* diffTable(table: LineTable, options: DiffOptions): Generator<number, LineDiff, undefined> {
  yield* markChanged(table);
  yield* slideGroups(table.before, table.after, true);
  yield* slideGroups(table.after, table.before, true);
  return { before: table.before, after: table.after, options };
}

/**
 * Returns the length of a common end that nobody will see, where no context is shown. Its lines take no part in
 * anything, as in git, where they would else say how frequent a line is.
 */
function commonTail(before: Uint8Array, after: Uint8Array): number {
  const shorter = Math.min(before.length, after.length);
  let length = 0;
  while (length + TAIL_BLOCK <= shorter && isSameBlock(before, after, length)) length += TAIL_BLOCK;
  if (length === 0) return 0;
  // The first line of the tail may have begun before it.
  const feed = before.indexOf(FEED, before.length - length);
  return feed < 0 ? 0 : before.length - feed - 1;
}

function isSameBlock(before: Uint8Array, after: Uint8Array, tail: number): boolean {
  for (let back = tail + 1; back <= tail + TAIL_BLOCK; back++)
    if (before[before.length - back] !== after[after.length - back]) return false;
  return true;
}

/** Yields all changes, from the first line on. */
export function* lineChanges({ before, after }: Pick<LineDiff, "before" | "after">): Generator<LineChange, undefined> {
  let [next, nextAfter] = [-1, -1];
  for (let [one, two] = [0, 0]; one < before.count || two < after.count; one++, two++) {
    // Lines that both have are passed over at once, and each is looked at once.
    if (next < one) next = nextChanged(before, one);
    if (nextAfter < two) nextAfter = nextChanged(after, two);
    const common = Math.min(next - one, nextAfter - two);
    one += common;
    two += common;
    const [from, fromAfter] = [one, two];
    while (u8At(before.changed, one) === 1) one++;
    while (u8At(after.changed, two) === 1) two++;
    if (one > from || two > fromAfter)
      yield { before: { start: from, end: one }, after: { start: fromAfter, end: two } };
  }
}

/** Returns the number of the first changed line from one on; that of all lines if none is. */
function nextChanged({ changed, count }: DiffSide, line: number): number {
  const next = changed.indexOf(1, line);
  return next < 0 ? count : next;
}

/** Yields the hunks, from the first line on. */
export function* diffHunks(diff: LineDiff): Generator<Hunk, undefined> {
  const { before, after, options } = diff;
  const { context } = options;
  let heading: Uint8Array = NO_BYTES;
  let searched = -1;
  for (const changes of grouped(diff)) {
    const [first, last] = [changes[0], changes.at(-1)];
    if (first === undefined || last === undefined) continue;
    const start = Math.max(first.before.start - context, 0);
    const below = Math.min(context, before.count - last.before.end, after.count - last.after.end);
    heading = headingAbove(before, start, searched) ?? heading;
    searched = start - 1;
    yield {
      before: { start, end: last.before.end + below },
      after: { start: Math.max(first.after.start - context, 0), end: last.after.end + below },
      changes,
      heading,
    };
  }
}

/** Yields the changes of each hunk. */
function* grouped(diff: LineDiff): Generator<LineChange[], undefined> {
  if (diff.options.ignoreBlankLines) {
    yield* groupedWithoutBlanks(diff);
    return;
  }
  const most = 2 * diff.options.context;
  let group: LineChange[] = [];
  for (const change of lineChanges(diff)) {
    const last = group.at(-1);
    if (last !== undefined && change.before.start - last.before.end > most) {
      yield group;
      group = [];
    }
    group.push(change);
  }
  if (group.length > 0) yield group;
}

/** A change, and whether only blank lines come and go in it. */
type Judged = { readonly change: LineChange; readonly isBlank: boolean };

/**
 * Yields the changes of each hunk where changes of blank lines don't make a hunk. They are shown where they lie within
 * the context of another change.
 */
function* groupedWithoutBlanks(diff: LineDiff): Generator<LineChange[], undefined> {
  const judged = [...lineChanges(diff)].map((change) => ({ change, isBlank: isBlankChange(diff, change) }));
  for (let at = 0; ;) {
    at = firstShown(judged, at, diff.options.context);
    if (at >= judged.length) return;
    const end = endOfHunk(judged, at, diff.options.context);
    yield judged.slice(at, end).map(({ change }) => change);
    at = end;
  }
}

function gap(one: Judged, two: Judged): number {
  return two.change.before.start - one.change.before.end;
}

/** Returns the number of the first change of a hunk: blank ones that are too far above another are passed over. */
function firstShown(judged: readonly Judged[], from: number, context: number): number {
  let first = from;
  for (let at = from; judged[at]?.isBlank === true; at++) {
    const [change, next] = [judged[at], judged[at + 1]];
    if (change === undefined || next === undefined || gap(change, next) >= context) first = at + 1;
  }
  return first;
}

/** Returns the number behind the last change of the hunk that begins at `first`. */
function endOfHunk(judged: readonly Judged[], first: number, context: number): number {
  let last = first;
  /** Blank lines that were added since the last change of the hunk. */
  let blanks = 0;
  for (let at = first + 1; at < judged.length; at++) {
    const [one, two, shown] = [judged[at - 1], judged[at], judged[last]];
    if (one === undefined || two === undefined || shown === undefined) break;
    const distance = gap(one, two);
    if (distance > 2 * context) break;
    const isNear = distance < context;
    const follows = last === at - 1;
    const reaches = two.change.before.start + blanks - shown.change.before.end > 2 * context;
    if (!isNear && !follows && reaches) break;
    if (!two.isBlank || (isNear && follows)) {
      last = at;
      blanks = 0;
    } else {
      blanks += two.change.after.end - two.change.after.start;
    }
  }
  return last + 1;
}

function isBlankChange({ before, after, options }: LineDiff, change: LineChange): boolean {
  const isExact = options.whitespace === "exact";
  return areBlank(before, change.before, isExact) && areBlank(after, change.after, isExact);
}

function areBlank({ bytes, starts }: DiffSide, { start, end }: LineRange, isExact: boolean): boolean {
  for (let line = start; line < end; line++) {
    const [from, to] = [u32At(starts, line), u32At(starts, line + 1)];
    if (isExact ? to - from > 1 : bytes.subarray(from, to).some((byte) => !isSpace(byte))) return false;
  }
  return true;
}

/** Returns the nearest heading above a line, but not above line `searched`, where the search for the last hunk began. */
function headingAbove({ bytes, starts }: DiffSide, line: number, searched: number): Uint8Array | undefined {
  for (let at = line - 1; at > searched; at--) {
    const start = u32At(starts, at);
    if (!beginsHeading(u8At(bytes, start))) continue;
    let end = Math.min(u32At(starts, at + 1), start + HEADING_BYTES);
    while (end > start && isSpace(u8At(bytes, end - 1))) end--;
    return wellFormed(bytes.subarray(start, end));
  }
  return undefined;
}

/** Returns the part of a heading before the first byte that is not UTF-8: its last character may have been cut. */
function wellFormed(heading: Uint8Array): Uint8Array {
  let at = 0;
  while (at < heading.length) {
    const length = characterBytes(heading, at);
    if (length === 0 || isNoCharacter(heading, at)) break;
    at += length;
  }
  return heading.subarray(0, at);
}

/** Whether U+FFFE or U+FFFF is encoded here, which git takes for damage. */
function isNoCharacter(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && u8At(bytes, at + 2) >= 0xbe;
}

/** Whether a line that begins with this byte counts as a function's head: a letter, `_` or `$`. */
function beginsHeading(byte: number): boolean {
  return (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte === 36;
}
