/**
 * Moves groups of changed lines to where a person would expect them. A group whose first line equals the line below it
 * may as well begin one line later, and so on: the result is as short in each place. Groups that come to touch are
 * joined. A group stays beside a group of the other file if it can, so that both are shown as one change; otherwise the
 * indentation decides, as `diff.indentHeuristic` does it.
 *
 * @packageDocumentation
 * @see git-diff(1), `--indent-heuristic`
 */
import { assert, u8At } from "../bytes/assert.ts";
import { splitScore, isBetterOrSame, type SplitScore } from "./indent-score.ts";
import type { DiffSide } from "./line-table.ts";

/** The most lines by which indentation moves a group. */
const MOST_SLIDING = 100;

/** A group of changed lines, `[start, end)`, in one file. It may be empty: one stands between any two common lines. */
class Group {
  readonly #side: DiffSide;
  start = 0;
  end = 0;
  /** No line from the one to the other is changed: where groups follow that are not empty, lines are looked at once. */
  #lookedFrom = 0;
  #nextChanged = -1;

  constructor(side: DiffSide) {
    this.#side = side;
    this.#takeIn();
  }

  get length(): number {
    return this.end - this.start;
  }

  #isChanged(line: number): boolean {
    return line >= 0 && u8At(this.#side.changed, line) === 1;
  }

  #takeIn(): void {
    while (this.#isChanged(this.end)) this.end++;
  }

  /** Goes to the next group. Returns false at the end. */
  next(): boolean {
    if (this.end === this.#side.count) return false;
    this.start = this.end + 1;
    this.end = this.start;
    this.#takeIn();
    return true;
  }

  /** Returns how many groups follow, this one included, before one that is not empty, or the last one. */
  get empties(): number {
    if (this.length > 0) return 0;
    if (this.end < this.#lookedFrom || this.end > this.#nextChanged) {
      const { changed, count } = this.#side;
      const next = changed.indexOf(1, this.end);
      this.#lookedFrom = this.end;
      this.#nextChanged = next < 0 ? count : next;
    }
    return this.#nextChanged - this.end;
  }

  /** Goes on by as many groups, all of them empty but the one that is come to. */
  skip(groups: number): void {
    this.start += groups;
    this.end = this.start;
    this.#takeIn();
  }

  /** Goes to the group before. */
  previous(): void {
    assert(this.start > 0, "there is a group before this one");
    this.end = this.start - 1;
    this.start = this.end;
    while (this.#isChanged(this.start - 1)) this.start--;
  }

  /** Moves the group down by a line, and joins it with the next one if they touch. Returns whether that is possible. */
  slideDown(): boolean {
    const { classes, changed, count } = this.#side;
    if (this.end >= count || classes[this.start] !== classes[this.end]) return false;
    changed[this.start++] = 0;
    changed[this.end++] = 1;
    this.#nextChanged = -1;
    this.#takeIn();
    return true;
  }

  /** Moves the group up by a line, and joins it with the one before if they touch. Returns whether that is possible. */
  slideUp(): boolean {
    const { classes, changed } = this.#side;
    if (this.start === 0 || classes[this.start - 1] !== classes[this.end - 1]) return false;
    changed[--this.start] = 1;
    changed[--this.end] = 0;
    this.#nextChanged = -1;
    while (this.#isChanged(this.start - 1)) this.start--;
    return true;
  }
}

/** A group, and the group of the other file at the same place, which moves along. */
type Pair = { readonly group: Group; readonly other: Group };

/**
 * Moves the groups of one file. Yields the work that was done.
 *
 * @param byIndentation - Whether indentation decides where nothing else does. If not, such groups come as far down as they can.
 */
export function* slideGroups(
  side: DiffSide,
  otherSide: DiffSide,
  byIndentation: boolean,
): Generator<number, void, undefined> {
  const pair = { group: new Group(side), other: new Group(otherSide) };
  let steps = 0;
  for (;;) {
    const empties = Math.min(pair.group.empties, pair.other.empties);
    if (empties > 1) {
      pair.group.skip(empties);
      pair.other.skip(empties);
      steps += empties >> 4;
    }
    if (pair.group.length > 0) steps += settle(side, pair, byIndentation);
    steps += 4;
    if (!pair.group.next()) break;
    assert(pair.other.next(), "both files have the same common lines");
    if (steps > 500_000) {
      yield steps;
      steps = 0;
    }
  }
  yield steps;
}

/** Finds the place of one group. Returns the work that it took. */
function settle(side: DiffSide, { group, other }: Pair, byIndentation: boolean): number {
  let steps = 0;
  let length: number;
  let highest: number;
  let beside: boolean;
  do {
    ({ length } = group);
    while (group.slideUp()) {
      other.previous();
      steps += 4;
    }
    highest = group.end;
    beside = other.length > 0;
    while (group.slideDown()) {
      assert(other.next(), "both files have the same common lines");
      beside ||= other.length > 0;
      steps += 4;
    }
    // A group that was joined with another may be able to move further.
  } while (length !== group.length);
  if (group.end === highest) return steps;
  if (beside) {
    while (other.length === 0) moveUp({ group, other });
    return steps;
  }
  if (!byIndentation) return steps;
  const best = bestEnd(side, group, highest);
  steps += 64 * (group.end - highest);
  while (group.end > best) moveUp({ group, other });
  return steps;
}

function moveUp({ group, other }: Pair): void {
  assert(group.slideUp(), "a group can move back to where it was");
  other.previous();
}

/** Returns where a group ends at its best place, from `highest` to where it is now. */
function bestEnd(side: DiffSide, { end, length }: Group, highest: number): number {
  const first = Math.max(highest, end - length - 1, end - MOST_SLIDING);
  let best = first;
  let bestScore: SplitScore | undefined;
  for (let at = first; at <= end; at++) {
    const score = splitScore(side, [at, at - length]);
    if (bestScore !== undefined && !isBetterOrSame(score, bestScore)) continue;
    best = at;
    bestScore = score;
  }
  return best;
}
