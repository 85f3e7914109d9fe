/**
 * Compares versions of a file with each other, one after another, as a blame does. Versions that follow each other share
 * most of their bytes. So each is cut into lines once, and only those of its lines are hashed that lie between what it
 * shares with its neighbour. The result is that of `diffLines` without context.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { firstIndex } from "../bytes/first-index.ts";
import { type LineDiff, NO_CONTEXT, diffTable, TAIL_BLOCK } from "./line-diff.ts";
import { isolateHash, type LineHash, PROBE_STEPS, SAME_BYTE_STEPS, TURN_STEPS } from "./line-hash.ts";
import { countOf, type LineTable } from "./line-table.ts";

/** The lines of a text: where each begins, and then its length; and the hash of each. */
type HashedLines = { readonly starts: Uint32Array; readonly hashes: Uint32Array };

/** A version of a file. Its bytes must not change. All versions that are compared must have the same hash. */
export type FileVersion = {
  readonly bytes: Uint8Array;
  /** The hash of its lines; that of the isolate if it has none. Only tests have another one. */
  readonly hash?: LineHash;
  /** What the first comparison finds out. It takes {@link VERSION_LINE_BYTES} for each line. */
  lines?: HashedLines | undefined;
};

/** The bytes that two texts have in common at their beginning and at their end. Both may overlap. */
type SharedEnds = { readonly head: number; readonly tail: number };

/** The bytes that a version takes for each of its lines, and for one more, beside its text. */
export const VERSION_LINE_BYTES = 8;

const FEED = 10;
const WORD = 4;
/** The steps of comparing a byte, as many as a word are at once; of cutting and hashing one; and of a line's class. */
const COMPARED_STEPS = 0.1;
const CUT_STEPS = 0.4;
const CLASS_STEPS = 2;
const NO_LINES: HashedLines = { starts: new Uint32Array(1), hashes: new Uint32Array(0) };

/** Two versions whose lines are known, and what they share. */
export type VersionPair = { readonly before: CutVersion; readonly after: CutVersion; readonly ends: SharedEnds };

/** A version that has been cut into lines. */
type CutVersion = HashedLines & { readonly bytes: Uint8Array };

/**
 * Cuts two versions into lines, as far as they are not yet. Yields the work that was done. Returns `undefined` if one of
 * them has more than `most` lines; then nothing was made for those.
 */
export function* cutPair(
  before: FileVersion,
  after: FileVersion,
  most: number,
): Generator<number, VersionPair | undefined, undefined> {
  const ends = sharedEnds(before.bytes, after.bytes);
  yield COMPARED_STEPS * (ends.head + ends.tail);
  before.lines ??= yield* linesOf(before, after, { ...ends, most });
  if (before.lines === undefined) return undefined;
  after.lines ??= yield* linesOf(after, before, { ...ends, most });
  if (after.lines === undefined) return undefined;
  return { before: { bytes: before.bytes, ...before.lines }, after: { bytes: after.bytes, ...after.lines }, ends };
}

/** Compares pairs of versions. What it needs for a comparison is used again in the next one: it serves one search. */
export class VersionDiffs {
  /** A hash table of open addressing: 1 + the number of a line that has a class first. */
  #slots = new Uint32Array(16);

  /** Compares the versions of a pair. Yields the work that was done, in steps of about 10 ns. */
  *diff({ before, after, ends }: VersionPair): Generator<number, LineDiff, undefined> {
    const tail = unseenTail(before.bytes, ends.tail);
    const table = yield* this.#tabulate(partOf(before, tail), partOf(after, tail), ends.head);
    return yield* diffTable(table, NO_CONTEXT);
  }

  *#tabulate(left: CutVersion, right: CutVersion, head: number): Generator<number, LineTable, undefined> {
    const [count, other] = [left.starts.length - 1, right.starts.length - 1];
    const shared = Math.min(linesWithin(left, head), other);
    const size = this.#emptied(count + other - shared);
    const before = new Uint32Array(count);
    const after = new Uint32Array(other);
    const finder = new Finder(this.#slots, size - 1, [left, right], [before, after]);
    yield* finder.classify(0, 0);
    // What both begin with has the same classes.
    after.set(before.subarray(0, shared));
    yield* finder.classify(1, shared);
    return {
      before: { ...left, count, classes: before, changed: new Uint8Array(count + 1) },
      after: { ...right, count: other, classes: after, changed: new Uint8Array(other + 1) },
      countsBefore: countOf(before, finder.count),
      countsAfter: countOf(after, finder.count),
    };
  }

  /** Makes an empty table with room for lines. Returns its size, a power of two. */
  #emptied(lines: number): number {
    let size = 16;
    while (size < 2 * lines) size *= 2;
    if (size > this.#slots.length) this.#slots = new Uint32Array(size);
    else this.#slots.fill(0, 0, size);
    return size;
  }
}

/** Finds the classes of the lines of two versions. */
class Finder {
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #left: CutVersion;
  readonly #right: CutVersion;
  readonly #before: Uint32Array;
  readonly #after: Uint32Array;
  /** The number of classes. */
  count = 0;
  /** The work that was not told yet. */
  #steps = 0;
  /** The slot where the search for a line goes on. */
  #slot = 0;

  constructor(
    slots: Uint32Array,
    mask: number,
    [left, right]: readonly [CutVersion, CutVersion],
    [before, after]: readonly [Uint32Array, Uint32Array],
  ) {
    this.#slots = slots;
    this.#mask = mask;
    this.#left = left;
    this.#right = right;
    this.#before = before;
    this.#after = after;
  }

  /** Finds the classes of the lines of the version on one side, 0 or 1, from line `from` on. Yields the work that was done. */
  *classify(side: number, from: number): Generator<number, void, undefined> {
    const isLeft = side === 0;
    const [text, classes] = isLeft ? [this.#left, this.#before] : [this.#right, this.#after];
    const behind = isLeft ? 0 : this.#before.length;
    for (let line = from; line < classes.length; line++) {
      this.#steps += CLASS_STEPS;
      this.#slot = u32At(text.hashes, line) & this.#mask;
      for (;;) {
        const found = this.#find(text, line, behind + line);
        if (found >= 0) classes[line] = found;
        if (this.#steps >= TURN_STEPS) yield this.#take();
        if (found >= 0) break;
      }
    }
    yield this.#take();
  }

  #take(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  /**
   * Returns the class of a line; -1 if it was not found before it was time to tell the work. `place` is its number among
   * the lines of both versions, those of the left one first.
   */
  #find(text: CutVersion, line: number, place: number): number {
    const [slots, mask, left] = [this.#slots, this.#mask, this.#left];
    const hash = u32At(text.hashes, line);
    const most = this.#before.length;
    let slot = this.#slot;
    for (let taken = u32At(slots, slot); taken !== 0; taken = u32At(slots, slot)) {
      const first = taken - 1;
      const isLeft = first < most;
      const other = isLeft ? left : this.#right;
      const at = isLeft ? first : first - most;
      this.#steps += PROBE_STEPS;
      if (u32At(other.hashes, at) === hash && this.#isSame(text, line, other, at))
        return isLeft ? u32At(this.#before, at) : u32At(this.#after, at);
      slot = (slot + 1) & mask;
      if (this.#steps < TURN_STEPS) continue;
      this.#slot = slot;
      return -1;
    }
    slots[slot] = place + 1;
    return this.count++;
  }

  #isSame(one: CutVersion, line: number, two: CutVersion, other: number): boolean {
    const [from, start] = [u32At(one.starts, line), u32At(two.starts, other)];
    const length = u32At(one.starts, line + 1) - from;
    if (u32At(two.starts, other + 1) - start !== length) return false;
    let same = 0;
    while (same < length && one.bytes[from + same] === two.bytes[start + same]) same++;
    this.#steps += SAME_BYTE_STEPS * same;
    return same === length;
  }
}

/** Returns how many bytes two texts have in common at both ends. */
function sharedEnds(one: Uint8Array, two: Uint8Array): SharedEnds {
  const shorter = Math.min(one.length, two.length);
  const left = new DataView(one.buffer, one.byteOffset, one.length);
  const right = new DataView(two.buffer, two.byteOffset, two.length);
  let head = 0;
  while (head + WORD <= shorter && left.getInt32(head, true) === right.getInt32(head, true)) head += WORD;
  while (head < shorter && one[head] === two[head]) head++;
  const [end, otherEnd] = [one.length, two.length];
  let tail = 0;
  while (
    tail + WORD <= shorter &&
    left.getInt32(end - tail - WORD, true) === right.getInt32(otherEnd - tail - WORD, true)
  )
    tail += WORD;
  while (tail < shorter && one[end - tail - 1] === two[otherEnd - tail - 1]) tail++;
  return { head, tail };
}

/**
 * Returns the length of the common end that takes no part, as `diffLines` has it: whole blocks of the bytes that both
 * texts end with, without the rest of a line that may have begun before them.
 */
function unseenTail(before: Uint8Array, tail: number): number {
  const length = tail - (tail % TAIL_BLOCK);
  if (length === 0) return 0;
  const feed = before.indexOf(FEED, before.length - length);
  return feed < 0 ? 0 : before.length - feed - 1;
}

/** Returns a version without its last bytes, which are whole lines. */
function partOf(version: CutVersion, tail: number): CutVersion {
  if (tail === 0) return version;
  const { bytes, starts, hashes } = version;
  const end = bytes.length - tail;
  const count = firstFrom(starts, end);
  return { bytes: bytes.subarray(0, end), starts: starts.subarray(0, count + 1), hashes: hashes.subarray(0, count) };
}

/** Returns the number of the first line that begins at an offset or behind it; that of lines if none does. */
function firstFrom(starts: Uint32Array, offset: number): number {
  return firstIndex(starts.length - 1, (line) => u32At(starts, line) >= offset);
}

/** Returns the number of lines that end, with a line feed, within the first bytes of a text. */
function linesWithin({ bytes, starts }: Pick<CutVersion, "bytes" | "starts">, length: number): number {
  const count = starts.length - 1;
  const first = firstFrom(starts, length + 1);
  const within = u32At(starts, first) > length ? first - 1 : first;
  const isCut = within === count && count > 0 && u8At(bytes, bytes.length - 1) !== FEED;
  return Math.max(0, isCut ? within - 1 : within);
}

/**
 * Cuts a text into lines and hashes them; returns `undefined` if it has too many. What it shares with another one that was
 * cut is taken from there.
 */
function* linesOf(
  { bytes, hash = isolateHash() }: FileVersion,
  other: FileVersion,
  { most, ...ends }: SharedEnds & { readonly most: number },
): Generator<number, HashedLines | undefined, undefined> {
  const known = other.lines ?? NO_LINES;
  const { bytes: text, head, tail } = other.lines === undefined ? NOTHING_SHARED : { bytes: other.bytes, ...ends };
  const first = linesWithin({ bytes: text, starts: known.starts }, head);
  const shared = Math.min(tail, Math.min(bytes.length, text.length) - head);
  // The line feed before its first line is shared, too.
  const last = shared === 0 ? known.hashes.length : firstFrom(known.starts, text.length - shared + 1);
  const shift = bytes.length - text.length;
  const [from, to] = [u32At(known.starts, first), u32At(known.starts, last) + shift];
  let added = 0;
  for (let at = from; at < to; added++) at = lineEnd(bytes, at, to);
  const behind = known.hashes.length - last;
  if (first + added + behind > most) return undefined;
  const starts = new Uint32Array(first + added + behind + 1);
  const hashes = new Uint32Array(first + added + behind);
  starts.set(known.starts.subarray(0, first));
  hashes.set(known.hashes.subarray(0, first));
  for (let at = from, line = first, told = from; at < to; line++) {
    const end = lineEnd(bytes, at, to);
    starts[line] = at;
    hashes[line] = hash(bytes, at, end);
    at = end;
    if (CUT_STEPS * (at - told) < TURN_STEPS) continue;
    yield CUT_STEPS * (at - told);
    told = at;
  }
  for (let line = 0; line <= behind; line++) starts[first + added + line] = u32At(known.starts, last + line) + shift;
  hashes.set(known.hashes.subarray(last), first + added);
  yield CUT_STEPS * (to - from) + 2 * starts.length;
  return { starts, hashes };
}

const NOTHING_SHARED = { bytes: new Uint8Array(0), head: 0, tail: 0 };

/** Returns where the line that begins at `at` ends, at `most` at the latest. */
function lineEnd(bytes: Uint8Array, at: number, most: number): number {
  const feed = bytes.indexOf(FEED, at);
  return feed < 0 || feed >= most ? most : feed + 1;
}
