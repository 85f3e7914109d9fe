/**
 * Merges the changes that two sides made to a file, line by line, as `git merge-file` does: passages that both have
 * changed in different ways are put between conflict markers.
 *
 * @packageDocumentation
 * @see git-merge-file(1), git-merge(1), "How conflicts are presented"
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { bytesOf } from "../object/byte-text.ts";
import { bytesOfLines, diffForMerge, type MergeHunk, mergeHunks, type Outcome, type TwoDiffs } from "./merge-hunks.ts";
import { lineChanges } from "./line-diff.ts";
import type { DiffSide } from "./line-table.ts";

/** How conflicts are shown, or which side settles them. */
export type LineMergeOptions = {
  /** The names of both sides, one character per byte, behind the markers. */
  readonly labels: { readonly ours: string; readonly theirs: string };
  readonly markerSize: number;
  /** The side that settles conflicts, or both, one after the other. Without it they stay conflicts. */
  readonly favor?: "ours" | "theirs" | "both";
  /** Is told the bytes of the result before they are taken, and may throw. */
  readonly reserve?: (bytes: number) => void;
};

/** The merged file, and the number of its conflicts. */
export type MergedLines = { readonly bytes: Uint8Array; readonly conflicts: number };

/** The three files of a merge. */
export type MergedFiles = { readonly base: Uint8Array; readonly ours: Uint8Array; readonly theirs: Uint8Array };

const FEED = 10;
const RETURN = 13;
/** Steps of writing a hunk, beside those of its bytes, and between two reports of work. */
const HUNK_STEPS = 100;
const REPORT_STEPS = 500_000;

/** Merges two sides. Yields the work that was done, in steps of about 10 ns. */
export function* mergeLines(
  { base, ours, theirs }: MergedFiles,
  options: LineMergeOptions,
): Generator<number, MergedLines, undefined> {
  const diffs = { ours: yield* diffForMerge(base, ours), theirs: yield* diffForMerge(base, theirs) };
  if (lineChanges(diffs.ours).next().done === true) return { bytes: theirs, conflicts: 0 };
  if (lineChanges(diffs.theirs).next().done === true) return { bytes: ours, conflicts: 0 };
  const hunks = yield* mergeHunks(diffs);
  yield ours.length + theirs.length;
  return yield* new MergedText(diffs, options).write(hunks);
}

/** Writes the merged file: once to learn its size, and once more into bytes of that size. */
class MergedText {
  readonly #diffs: TwoDiffs;
  readonly #options: LineMergeOptions;
  /** The markers, by their signs, before both kinds of ends. */
  readonly #markers = new Map<string, Uint8Array>();
  #output: Uint8Array | undefined;
  /** The bytes that were written so far, or would have been. */
  #size = 0;

  constructor(diffs: TwoDiffs, options: LineMergeOptions) {
    this.#diffs = diffs;
    this.#options = options;
  }

  /** Yields the work that was done. */
  *write(hunks: readonly MergeHunk[]): Generator<number, MergedLines, undefined> {
    const conflicts = yield* this.#run(hunks);
    this.#options.reserve?.(this.#size);
    const bytes = new Uint8Array(this.#size);
    this.#output = bytes;
    this.#size = 0;
    yield* this.#run(hunks);
    return { bytes, conflicts };
  }

  /** Goes through the hunks. Returns the number of conflicts. */
  *#run(hunks: readonly MergeHunk[]): Generator<number, number, undefined> {
    const ours = this.#diffs.ours.after;
    let [at, conflicts, unreported, reported] = [0, 0, 0, 0];
    for (const hunk of hunks) {
      const outcome = this.#outcomeOf(hunk);
      unreported += HUNK_STEPS;
      if (outcome === "same") continue;
      this.#put(bytesOfLines(ours, at, hunk.ours - at));
      if (outcome === "conflict") {
        conflicts++;
        this.#conflict(hunk);
      } else this.#settled(hunk, outcome);
      at = hunk.ours + hunk.oursCount;
      if (unreported + this.#size - reported < REPORT_STEPS) continue;
      yield unreported + this.#size - reported;
      [unreported, reported] = [0, this.#size];
    }
    this.#put(bytesOfLines(ours, at, ours.count - at));
    yield unreported + this.#size - reported;
    return conflicts;
  }

  #put(bytes: Uint8Array): void {
    this.#output?.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  #outcomeOf({ outcome }: MergeHunk): Outcome {
    return outcome === "conflict" ? (this.#options.favor ?? outcome) : outcome;
  }

  #settled(hunk: MergeHunk, outcome: "ours" | "theirs" | "both"): void {
    const { ours, theirs } = this.#diffs;
    if (outcome !== "theirs") {
      const lines = bytesOfLines(ours.after, hunk.ours, hunk.oursCount);
      if (outcome === "both") this.#whole(lines, this.#needsReturn(hunk));
      else this.#put(lines);
    }
    if (outcome !== "ours") this.#put(bytesOfLines(theirs.after, hunk.theirs, hunk.theirsCount));
  }

  #conflict(hunk: MergeHunk): void {
    const { labels } = this.#options;
    const { ours, theirs } = this.#diffs;
    const needsReturn = this.#needsReturn(hunk);
    this.#marker("<", labels.ours, needsReturn);
    this.#whole(bytesOfLines(ours.after, hunk.ours, hunk.oursCount), needsReturn);
    this.#marker("=", "", needsReturn);
    this.#whole(bytesOfLines(theirs.after, hunk.theirs, hunk.theirsCount), needsReturn);
    this.#marker(">", labels.theirs, needsReturn);
  }

  #marker(sign: string, label: string, needsReturn: boolean): void {
    const key = needsReturn ? `${sign}\r` : sign;
    let marker = this.#markers.get(key);
    if (marker === undefined) {
      const gap = label === "" ? "" : " ";
      marker = bytesOf(`${sign.repeat(this.#options.markerSize)}${gap}${label}${needsReturn ? "\r\n" : "\n"}`);
      this.#markers.set(key, marker);
    }
    this.#put(marker);
  }

  /** Adds lines, and ends the last one if it has no end. */
  #whole(lines: Uint8Array, needsReturn: boolean): void {
    this.#put(lines);
    if (lines.length > 0 && lines[lines.length - 1] !== FEED)
      this.#put(needsReturn ? Uint8Array.of(RETURN, FEED) : Uint8Array.of(FEED));
  }

  /** Whether lines that are added around a hunk end in a carriage return and a line feed, like those beside it. */
  #needsReturn({ ours, theirs }: MergeHunk): boolean {
    const { ours: left, theirs: right } = this.#diffs;
    let ends = endsInReturn(left.after, Math.max(ours - 1, 0));
    if (ends !== false) ends = endsInReturn(right.after, Math.max(theirs - 1, 0));
    if (ends !== false) ends = endsInReturn(left.before, 0);
    return ends === true;
  }
}

/** Whether a line ends in a carriage return and a line feed; `undefined` if that can't be told. */
function endsInReturn(side: DiffSide, line: number): boolean | undefined {
  if (line < side.count - 1) return hasReturn(side, line);
  if (side.count === 0) return undefined;
  const end = u32At(side.starts, line + 1);
  if (end > u32At(side.starts, line) && u8At(side.bytes, end - 1) === FEED) return hasReturn(side, line);
  // The last line has no end: the one before tells.
  return line === 0 ? undefined : hasReturn(side, line - 1);
}

function hasReturn({ bytes, starts }: DiffSide, line: number): boolean {
  const [start, end] = [u32At(starts, line), u32At(starts, line + 1)];
  return end - start > 1 && u8At(bytes, end - 2) === RETURN;
}
