/**
 * Scores the places between lines at which a group of changed lines may begin or end. Good places are those at which a
 * person divides a text: blank lines, and lines that are indented less than their neighbours.
 *
 * The weights were found by git's developers with many diffs that people had rated.
 *
 * @packageDocumentation
 * @see https://github.com/mhagger/diff-slider-tools
 */
import { u32At, u8At } from "../bytes/assert.ts";
import type { DiffSide } from "./line-table.ts";
import { isSpace } from "./whitespace.ts";

/** The score of one or several places. Less is better. */
export type SplitScore = {
  /** The sum of the indents of the lines behind the places. */
  readonly indent: number;
  readonly penalty: number;
};

/** The indent of a line without text. */
const BLANK = -1;
const MOST_INDENT = 200;
const MOST_BLANKS = 20;
const TAB_WIDTH = 8;
const TAB = 9;
const SPACE = 32;

const WEIGHTS = {
  startOfFile: 1,
  endOfFile: 21,
  blank: -30,
  blankBehind: 6,
  indented: { plain: -4, blanks: 10 },
  outdented: { plain: 24, blanks: 17 },
  dedented: { plain: 23, blanks: 17 },
  indent: 60,
};

/** Returns the width of the white space at the beginning of a line; {@link BLANK} if there is nothing else. */
function indentOf({ bytes, starts }: DiffSide, line: number): number {
  const end = u32At(starts, line + 1);
  let indent = 0;
  for (let at = u32At(starts, line); at < end; at++) {
    const byte = u8At(bytes, at);
    if (!isSpace(byte)) return indent;
    if (byte === SPACE) indent++;
    else if (byte === TAB) indent += TAB_WIDTH - (indent % TAB_WIDTH);
    if (indent >= MOST_INDENT) return MOST_INDENT;
  }
  return BLANK;
}

/** The next line with text in one direction: its indent, {@link BLANK} without one, and the blank lines up to it. */
type Neighbour = { readonly indent: number; readonly blanks: number };

function neighbour(side: DiffSide, line: number, step: 1 | -1): Neighbour {
  let blanks = 0;
  for (let at = line; at >= 0 && at < side.count; at += step) {
    const indent = indentOf(side, at);
    if (indent !== BLANK) return { indent, blanks };
    if (++blanks === MOST_BLANKS) return { indent: 0, blanks };
  }
  return { indent: BLANK, blanks };
}

/** Returns the score of several places together. A place is given by the line behind it. */
export function splitScore(side: DiffSide, places: readonly number[]): SplitScore {
  let [indent, penalty] = [0, 0];
  for (const place of places) {
    const score = placeScore(side, place);
    indent += score.indent;
    penalty += score.penalty;
  }
  return { indent, penalty };
}

function placeScore(side: DiffSide, line: number): SplitScore {
  const isEnd = line >= side.count;
  const own = isEnd ? BLANK : indentOf(side, line);
  const above = neighbour(side, line - 1, -1);
  const below = neighbour(side, line + 1, 1);
  const blanksBehind = own === BLANK ? 1 + below.blanks : 0;
  const blanks = above.blanks + blanksBehind;
  const indent = own === BLANK ? below.indent : own;
  let penalty = WEIGHTS.blank * blanks + WEIGHTS.blankBehind * blanksBehind;
  if (above.indent === BLANK && above.blanks === 0) penalty += WEIGHTS.startOfFile;
  if (isEnd) penalty += WEIGHTS.endOfFile;
  if (indent !== BLANK && above.indent !== BLANK && indent !== above.indent) {
    const isOutdented = below.indent !== BLANK && below.indent > indent;
    const kind = indent > above.indent ? "indented" : isOutdented ? "outdented" : "dedented";
    penalty += WEIGHTS[kind][blanks > 0 ? "blanks" : "plain"];
  }
  return { indent, penalty };
}

/** Whether the first score is better than the second, or as good. */
export function isBetterOrSame(score: SplitScore, than: SplitScore): boolean {
  const order = Math.sign(score.indent - than.indent);
  return WEIGHTS.indent * order + score.penalty - than.penalty <= 0;
}
