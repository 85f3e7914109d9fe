/**
 * Guesses where changed lines come from, for a blame that passes over a commit: lines of the second file are matched
 * with lines of the first that look alike and keep the order. The result is that of git, so each step follows its own.
 *
 * A line's fingerprint is the multiset of its pairs of neighbouring bytes, without regard to capitals and white space.
 * What two lines have in common is the size of the intersection.
 *
 * @packageDocumentation
 * @see git-blame(1), `--ignore-rev`; `fuzzy_find_matching_lines` and `guess_line_blames` in git's blame.c
 */
import { assert, f64At, i32At, u16At, u32At, u8At } from "../bytes/assert.ts";
import { countLines } from "./line-table.ts";
import type { LineChange } from "./line-diff.ts";

/** How far from the line at the same place of a change one is looked for that is alike. */
const MOST_DISTANCE = 10;
/** The least that two lines have in common if they are far from each other. */
const LEAST_COMMON = 10;
/** What lines have in common is multiplied by this, less their distance, so that of equals the nearest one wins. */
const SCALE = 1000;
const NOTHING_MATCHES = -2;
const NOT_CALCULATED = -1;
const NOT_MADE = -1;
const NO_LINE = -1;
const PAIRS = 65_536;
const FEED = 10;
/** Steps per byte of a line that is looked at, and per line that is compared. */
const PAIR_STEPS = 0.5;
const LINE_STEPS = 5;
/** Work is reported about this often, in steps. */
const REPORT = 100_000;

/** The bytes of memory that a search takes for files of these sizes. */
export function guessBytes(before: Uint8Array, after: Uint8Array): number {
  const lines = countLines(before) + countLines(after);
  return 6 * (before.length + after.length) + 200 * lines + 8 * PAIRS;
}

/** Whether git counts a byte as white space. */
function isSpace(byte: number): boolean {
  return byte === 32 || byte === FEED || byte === 9 || byte === 13;
}

/** Returns a byte as a fingerprint has it: white space as 0, and ASCII letters small. */
function folded(byte: number): number {
  if (isSpace(byte)) return 0;
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

/** The fingerprints of a file's lines. Each is made when it is first asked for. */
class Fingerprints {
  readonly lines: number;
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  /** The pairs of all lines, and how often each is in its line. A line's begin at its first byte plus its number. */
  readonly #pairs: Uint16Array;
  readonly #counts: Uint32Array;
  /** The number of pairs of each line, and the sum of their counts. */
  readonly #lengths: Int32Array;
  readonly #totals: Uint32Array;
  /** For each pair its place in the line that is read, plus 1. */
  readonly #places = new Uint32Array(PAIRS);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.lines = countLines(bytes);
    this.#starts = new Uint32Array(this.lines + 1);
    let at = 0;
    for (let line = 1; line < this.lines; line++) {
      at = bytes.indexOf(FEED, at) + 1;
      this.#starts[line] = at;
    }
    this.#starts[this.lines] = bytes.length;
    this.#pairs = new Uint16Array(bytes.length + this.lines);
    this.#counts = new Uint32Array(bytes.length + this.lines);
    this.#lengths = new Int32Array(this.lines).fill(NOT_MADE);
    this.#totals = new Uint32Array(this.lines);
  }

  /** Returns the steps of looking at a line. */
  steps(line: number): number {
    return LINE_STEPS + PAIR_STEPS * (u32At(this.#starts, line + 1) - u32At(this.#starts, line));
  }

  /** Returns the number of pairs of a line, with those that are in it again and again. */
  total(line: number): number {
    this.#make(line);
    return u32At(this.#totals, line);
  }

  /** Sets the counts of a line's pairs in `into`, or clears them. */
  spread(line: number, into: Uint32Array, isClearing = false): void {
    this.#make(line);
    const from = this.#from(line);
    const to = from + i32At(this.#lengths, line);
    for (let at = from; at < to; at++) into[u16At(this.#pairs, at)] = isClearing ? 0 : u32At(this.#counts, at);
  }

  /** Returns what a line has in common with the one whose pairs were {@link spread}. */
  common(line: number, counts: Uint32Array): number {
    this.#make(line);
    const from = this.#from(line);
    const to = from + i32At(this.#lengths, line);
    let common = 0;
    for (let at = from; at < to; at++)
      common += Math.min(u32At(this.#counts, at), u32At(counts, u16At(this.#pairs, at)));
    return common;
  }

  /** Takes the pairs that were {@link spread} out of a line, so that no other line matches these. */
  subtract(line: number, counts: Uint32Array): void {
    const from = this.#from(line);
    const to = from + i32At(this.#lengths, line);
    for (let at = from; at < to; at++)
      this.#counts[at] = Math.max(0, u32At(this.#counts, at) - u32At(counts, u16At(this.#pairs, at)));
  }

  #from(line: number): number {
    return u32At(this.#starts, line) + line;
  }

  #make(line: number): void {
    if (i32At(this.#lengths, line) !== NOT_MADE) return;
    const end = u32At(this.#starts, line + 1);
    const from = this.#from(line);
    let length = 0;
    let total = 0;
    let before = 0;
    for (let at = u32At(this.#starts, line); at <= end; at++) {
      const byte = at === end ? 0 : folded(u8At(this.#bytes, at));
      const pair = before | (byte << 8);
      before = byte;
      if (pair === 0) continue;
      total++;
      const place = u32At(this.#places, pair);
      if (place > 0) {
        this.#counts[from + place - 1] = u32At(this.#counts, from + place - 1) + 1;
        continue;
      }
      this.#pairs[from + length] = pair;
      this.#counts[from + length] = 1;
      this.#places[pair] = ++length;
    }
    for (let at = from; at < from + length; at++) this.#places[u16At(this.#pairs, at)] = 0;
    this.#lengths[line] = length;
    this.#totals[line] = total;
  }
}

/** Lines of both files that are matched with each other. Those of the second are counted from the change's first. */
type Part = { readonly startA: number; readonly lengthA: number; readonly startB: number; readonly lengthB: number };

/** Matches the lines of one change: those of the first file are A, as in git's comments, and those of the second are B. */
class ChangeMatch {
  readonly #a: Fingerprints;
  readonly #b: Fingerprints;
  readonly #change: LineChange;
  readonly #counts: Uint32Array;
  readonly #reach: number;
  readonly #reachB: number;
  readonly #similarities: Float64Array;
  readonly #certainties: Float64Array;
  readonly #second: Int32Array;
  /** For each line of the change in B, the line of A that it matches, or -1. */
  readonly result: Int32Array;

  constructor(a: Fingerprints, b: Fingerprints, change: LineChange, counts: Uint32Array) {
    this.#a = a;
    this.#b = b;
    this.#change = change;
    this.#counts = counts;
    const lengthA = change.before.end - change.before.start;
    const lengthB = change.after.end - change.after.start;
    assert(lengthA > 0, "lines are matched with some");
    this.#reach = Math.min(MOST_DISTANCE, lengthA - 1);
    this.#reachB = Math.floor(((2 * this.#reach + 1) * lengthB - 1) / lengthA);
    this.#similarities = new Float64Array(lengthB * (2 * this.#reach + 1)).fill(-1);
    this.#certainties = new Float64Array(lengthB).fill(NOT_CALCULATED);
    this.#second = new Int32Array(lengthB).fill(NO_LINE);
    this.result = new Int32Array(lengthB).fill(NO_LINE);
  }

  /** Matches the most certain line, then those before it, then those behind it. Yields the steps taken. */
  *run(): Generator<number, void> {
    const { before, after } = this.#change;
    const parts: Part[] = [
      { startA: before.start, lengthA: before.end - before.start, startB: 0, lengthB: after.end - after.start },
    ];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const best = yield* this.#mostCertain(part);
      if (best === NO_LINE) continue;
      this.#settle(part, best);
      const { startA, lengthA, startB, lengthB } = part;
      const line = i32At(this.result, best);
      const behind = best + 1;
      // What is pushed last is taken first.
      if (behind < startB + lengthB)
        parts.push({ startA: line, lengthA: startA + lengthA - line, startB: behind, lengthB: startB + lengthB - behind }); // prettier-ignore
      if (best > startB) parts.push({ startA, lengthA: line + 1 - startA, startB, lengthB: best - startB });
    }
  }

  /** Returns the line of A at the same place of the change as a line of B. */
  #closest(b: number): number {
    const { before, after } = this.#change;
    const lengthA = before.end - before.start;
    return Math.floor(((2 * b + 1) * lengthA) / (2 * (after.end - after.start))) + before.start;
  }

  #slot(a: number, b: number, closest: number): number {
    return a - closest + this.#reach + b * (2 * this.#reach + 1);
  }

  *#mostCertain(part: Part): Generator<number, number> {
    let best = NO_LINE;
    let certainty = NOT_CALCULATED;
    let steps = 0;
    for (let b = part.startB; b < part.startB + part.lengthB; b++) {
      steps += 1 + this.#match(part, b);
      const known = f64At(this.#certainties, b);
      if (known > certainty) [best, certainty] = [b, known];
      if (steps < REPORT) continue;
      yield steps;
      steps = 0;
    }
    yield steps;
    return best;
  }

  /** Finds the lines of A that are most alike to a line of B, if that is not known. Returns the steps taken. */
  #match({ startA, lengthA }: Part, b: number): number {
    if (this.#certainties[b] !== NOT_CALCULATED) return 0;
    const closest = this.#closest(b);
    const to = Math.min(closest + this.#reach + 1, startA + lengthA);
    const lineB = this.#change.after.start + b;
    let steps = this.#b.steps(lineB);
    let [best, bestAt, second, secondAt] = [0, startA, 0, startA];
    this.#b.spread(lineB, this.#counts);
    for (let a = Math.max(closest - this.#reach, startA); a < to; a++) {
      const slot = this.#slot(a, b, closest);
      if (this.#similarities[slot] === -1) {
        steps += this.#a.steps(a);
        this.#similarities[slot] = this.#a.common(a, this.#counts) * (SCALE - Math.abs(a - closest));
      }
      const similarity = f64At(this.#similarities, slot);
      if (similarity > best) [best, bestAt, second, secondAt] = [similarity, a, best, bestAt];
      else if (similarity > second) [second, secondAt] = [similarity, a];
    }
    this.#b.spread(lineB, this.#counts, true);
    this.#certainties[b] = best === 0 ? NOTHING_MATCHES : 2 * best - second;
    this.result[b] = best === 0 ? NO_LINE : bestAt;
    if (best > 0) this.#second[b] = secondAt;
    return steps;
  }

  /** Settles the match of a line of B: what depended on the line that it took from A is not known any more. */
  #settle({ startB, lengthB }: Part, best: number): void {
    const line = i32At(this.result, best);
    this.#b.spread(this.#change.after.start + best, this.#counts);
    this.#a.subtract(line, this.#counts);
    this.#b.spread(this.#change.after.start + best, this.#counts, true);
    const from = Math.max(best - this.#reachB, startB);
    const to = Math.min(best + this.#reachB + 1, startB + lengthB);
    for (let b = from; b < to; b++) {
      const closest = this.#closest(b);
      if (Math.abs(line - closest) <= this.#reach) this.#similarities[this.#slot(line, b, closest)] = -1;
      if (b === best || f64At(this.#certainties, b) < 0) continue;
      const [first, second] = [i32At(this.result, b), i32At(this.#second, b)];
      const isOut = b < best ? first >= line || second >= line : first <= line || second <= line;
      if (isOut) this.#certainties[b] = NOT_CALCULATED;
    }
  }
}

/**
 * Guesses which lines of the first file the changed lines of the second come from. `changes` are all that a comparison
 * found, in order. Yields the steps taken. Returns for each change and each of its lines in the second file a line of
 * the first, or -1 where none is alike.
 */
export function* guessLines(
  before: Uint8Array,
  after: Uint8Array,
  changes: readonly LineChange[],
): Generator<number, Int32Array[]> {
  const [a, b] = [new Fingerprints(before), new Fingerprints(after)];
  const counts = new Uint32Array(PAIRS);
  const guesses: Int32Array[] = [];
  yield before.length + after.length + PAIRS;
  for (const change of changes) {
    const count = change.after.end - change.after.start;
    let result: Int32Array = new Int32Array(count).fill(NO_LINE);
    if (count > 0 && change.before.end > change.before.start) {
      const match = new ChangeMatch(a, b, change, counts);
      yield* match.run();
      ({ result } = match);
    }
    for (let i = 0; i < count; i++)
      if (result[i] === NO_LINE) result[i] = yield* lookEverywhere(a, b, change.after.start + i, counts);
    guesses.push(result);
  }
  return guesses;
}

/** Looks for a line of B in all of A. Of lines that are equally alike, the nearest counts. */
function* lookEverywhere(
  a: Fingerprints,
  b: Fingerprints,
  line: number,
  counts: Uint32Array,
): Generator<number, number> {
  if (b.total(line) < LEAST_COMMON) return NO_LINE;
  let [most, best, steps] = [LEAST_COMMON, NO_LINE, b.steps(line)];
  b.spread(line, counts);
  for (let other = 0; other < a.lines; other++) {
    steps += a.steps(other);
    const common = a.common(other, counts);
    const isFarther = common === most && best !== NO_LINE && Math.abs(best - line) < Math.abs(other - line);
    if (common >= most && !isFarther) [most, best] = [common, other];
    if (steps < REPORT) continue;
    yield steps;
    steps = 0;
  }
  b.spread(line, counts, true);
  yield steps;
  return best;
}
