/**
 * Finds out what becomes of each passage of a file that two sides have changed: taken from the one, from the other, or
 * in conflict.
 *
 * @packageDocumentation
 * @see git-merge-file(1), git-merge(1), "How conflicts are presented"
 */
import { itemAt, u32At } from "../bytes/assert.ts";
import { equal } from "../bytes/chunk.ts";
import { markByHistogram } from "./histogram.ts";
import { type LineChange, lineChanges } from "./line-diff.ts";
import { type DiffSide, type LineTable, tabulate } from "./line-table.ts";
import { slideGroups } from "./slide.ts";

/** What becomes of a passage. `same` is a conflict in which both sides turned out to be equal. */
export type Outcome = "conflict" | "ours" | "theirs" | "both" | "same";

/** Lines of both sides that replace a passage: `[at, at + count)` of each. */
export type MergeHunk = {
  outcome: Outcome;
  ours: number;
  oursCount: number;
  theirs: number;
  theirsCount: number;
};

/** Both sides compared with their common ancestor. */
export type TwoDiffs = { readonly ours: LineTable; readonly theirs: LineTable };

/** Conflicts with this many common lines between them, or fewer, are one conflict. */
const CLOSE = 3;

/** Compares two files as a merge does. Yields the work that was done. */
export function* diffForMerge(before: Uint8Array, after: Uint8Array): Generator<number, LineTable, undefined> {
  const table = yield* tabulate(before, after, "exact");
  yield* markByHistogram(table);
  yield* slideGroups(table.before, table.after, false);
  yield* slideGroups(table.after, table.before, false);
  return table;
}

/** Returns the bytes of lines of a file, `[start, start + count)`. */
export function bytesOfLines({ bytes, starts }: DiffSide, start: number, count: number): Uint8Array {
  return bytes.subarray(u32At(starts, start), u32At(starts, start + count));
}

/** Returns the hunks of a merge, where both sides have changed something. Yields the work that was done. */
export function* mergeHunks(diffs: TwoDiffs): Generator<number, readonly MergeHunk[], undefined> {
  const joined = new JoinedChanges(diffs).join();
  return withoutShortGaps(yield* refined(joined, diffs));
}

/** A hunk with the lines of the ancestor that it replaces: needed while hunks are joined. */
type Change = Pick<LineChange, "before" | "after">;

/** Walks through the changes of both sides at once. */
class JoinedChanges {
  readonly #diffs: TwoDiffs;
  readonly #ours: readonly Change[];
  readonly #theirs: readonly Change[];
  readonly #hunks: MergeHunk[] = [];

  constructor(diffs: TwoDiffs) {
    this.#diffs = diffs;
    this.#ours = [...lineChanges(diffs.ours)];
    this.#theirs = [...lineChanges(diffs.theirs)];
  }

  join(): readonly MergeHunk[] {
    let [left, right] = [0, 0];
    while (left < this.#ours.length || right < this.#theirs.length) {
      const [mine, other] = [this.#ours[left], this.#theirs[right]];
      if (other === undefined || (mine !== undefined && mine.before.end < other.before.start)) {
        this.#takeOurs(itemAt(this.#ours, left++), other);
      } else if (mine === undefined || other.before.end < mine.before.start) {
        this.#takeTheirs(other, mine);
        right++;
      } else {
        if (!this.#isSame(mine, other)) this.#conflict(mine, other);
        if (mine.before.end >= other.before.end) right++;
        if (other.before.end >= mine.before.end) left++;
      }
    }
    return this.#hunks;
  }

  /** Only our side changes these lines. `next` is the other side's change after them. */
  #takeOurs({ before, after }: Change, next: Change | undefined): void {
    const { theirs } = this.#diffs;
    const shift = next === undefined ? theirs.after.count - theirs.before.count : next.after.start - next.before.start;
    const oursCount = after.end - after.start;
    this.#add({
      outcome: "ours",
      ours: after.start,
      oursCount,
      theirs: before.start + shift,
      theirsCount: before.end - before.start,
    });
  }

  #takeTheirs({ before, after }: Change, next: Change | undefined): void {
    const { ours } = this.#diffs;
    const shift = next === undefined ? ours.after.count - ours.before.count : next.after.start - next.before.start;
    this.#add({
      outcome: "theirs",
      ours: before.start + shift,
      oursCount: before.end - before.start,
      theirs: after.start,
      theirsCount: after.end - after.start,
    });
  }

  /** Whether both sides made the same change. */
  #isSame(mine: Change, other: Change): boolean {
    const count = mine.after.end - mine.after.start;
    if (mine.before.start !== other.before.start || mine.before.end !== other.before.end) return false;
    if (count !== other.after.end - other.after.start) return false;
    const { ours, theirs } = this.#diffs;
    return equal(
      bytesOfLines(ours.after, mine.after.start, count),
      bytesOfLines(theirs.after, other.after.start, count),
    );
  }

  #conflict(mine: Change, other: Change): void {
    const ahead = mine.before.start - other.before.start;
    const behind = mine.before.end - other.before.end;
    const ours = mine.after.start - Math.max(ahead, 0);
    const theirs = other.after.start + Math.min(ahead, 0);
    this.#add({
      outcome: "conflict",
      ours,
      oursCount: mine.after.end - ours + Math.max(-behind, 0),
      theirs,
      theirsCount: other.after.end - theirs + Math.max(behind, 0),
    });
  }

  /** Adds a hunk, and joins it with the one before if they touch on either side. */
  #add(hunk: MergeHunk): void {
    const last = this.#hunks.at(-1);
    const touches =
      last !== undefined && (hunk.ours <= last.ours + last.oursCount || hunk.theirs <= last.theirs + last.theirsCount);
    if (!touches) {
      this.#hunks.push(hunk);
      return;
    }
    if (last.outcome !== hunk.outcome) last.outcome = "conflict";
    last.oursCount = hunk.ours + hunk.oursCount - last.ours;
    last.theirsCount = hunk.theirs + hunk.theirsCount - last.theirs;
  }
}

/** Compares the two sides of each conflict: only what differs between them stays one. */
function* refined(hunks: readonly MergeHunk[], { ours, theirs }: TwoDiffs): Generator<number, MergeHunk[], undefined> {
  const result: MergeHunk[] = [];
  for (const hunk of hunks) {
    if (hunk.outcome !== "conflict" || hunk.oursCount === 0 || hunk.theirsCount === 0) {
      result.push(hunk);
      continue;
    }
    const left = bytesOfLines(ours.after, hunk.ours, hunk.oursCount);
    const right = bytesOfLines(theirs.after, hunk.theirs, hunk.theirsCount);
    const changes = [...lineChanges(yield* diffForMerge(left, right))];
    if (changes.length === 0) result.push({ ...hunk, outcome: "same" });
    for (const { before, after } of changes) {
      result.push({
        outcome: "conflict",
        ours: hunk.ours + before.start,
        oursCount: before.end - before.start,
        theirs: hunk.theirs + after.start,
        theirsCount: after.end - after.start,
      });
    }
  }
  return result;
}

/** Joins conflicts that have only a few lines between them. */
function withoutShortGaps(hunks: readonly MergeHunk[]): readonly MergeHunk[] {
  const result: MergeHunk[] = [];
  for (const hunk of hunks) {
    const last = result.at(-1);
    const isNear =
      last?.outcome === "conflict" && hunk.outcome === "conflict" && hunk.ours - last.ours - last.oursCount <= CLOSE;
    if (last === undefined || !isNear) {
      result.push(hunk);
      continue;
    }
    last.oursCount = hunk.ours + hunk.oursCount - last.ours;
    last.theirsCount = hunk.theirs + hunk.theirsCount - last.theirs;
  }
  return result;
}
