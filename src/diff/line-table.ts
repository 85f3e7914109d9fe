/**
 * Two files as lines, and the lines as numbers: lines that count as equal have the same number, which is their class.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { isolateHash, type LineHash, PROBE_STEPS, SAME_BYTE_STEPS, TURN_STEPS } from "./line-hash.ts";
import { type Lines, normalized, type Whitespace } from "./whitespace.ts";

/** One of the two files that are compared. */
export type DiffSide = {
  readonly bytes: Uint8Array;
  /** The offset at which each line begins, and then the length of the file. */
  readonly starts: Uint32Array;
  /** The number of lines. */
  readonly count: number;
  /** The class of each line. */
  readonly classes: Uint32Array;
  /** For each line 1 if the comparison found that it is only in this file. One more 0 stands behind the last line. */
  readonly changed: Uint8Array;
};

/** The two files, and how often each class of lines occurs in the one and in the other. */
export type LineTable = {
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly countsBefore: Uint32Array;
  readonly countsAfter: Uint32Array;
};

/** About the bytes that a table takes for each line, and those of the search in it. */
export const LINE_BYTES = 48;

const FEED = 10;
const NO_CLASSES = new Uint32Array(0);
/** The starts of lines for which there is room at first: these, and one for each 32 bytes. */
const FEWEST_STARTS = 16;
const USUAL_LINE_BITS = 5;
/** The steps of hashing a line, beside one for each of its bytes. */
const LINE_STEPS = 4;

/** Returns the number of lines. The last one need not end in a line feed. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  // Lines are short: to look at each byte takes less than to search for each end of a line.
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === FEED) count++;
  return bytes.length > 0 && bytes[bytes.length - 1] !== FEED ? count + 1 : count;
}

/** Returns where each line begins, and then the length of the text. The text is gone through once. */
function startsOf(bytes: Uint8Array): Uint32Array {
  let starts = new Uint32Array(FEWEST_STARTS + (bytes.length >>> USUAL_LINE_BITS));
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    if (count + 1 === starts.length) starts = grown(starts);
    starts[count] = at;
    const feed = bytes.indexOf(FEED, at);
    at = feed < 0 ? bytes.length : feed + 1;
  }
  starts[count] = bytes.length;
  return starts.slice(0, count + 1);
}

function grown(starts: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * starts.length);
  larger.set(starts);
  return larger;
}

/** Gives each distinct line a number. A hash table of open addressing in typed arrays: it makes no garbage. */
class Classifier {
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #hashes: Uint32Array;
  readonly #sources: Uint8Array;
  readonly #lines: Uint32Array;
  readonly #texts: readonly Lines[];
  readonly #hashOf: LineHash;
  /** The number of classes. */
  count = 0;
  #steps = 0;
  /** The slot where the search for a line goes on. */
  #slot = 0;

  constructor(before: Lines, after: Lines, hashOf: LineHash) {
    const most = before.starts.length + after.starts.length;
    let size = 16;
    while (size < 2 * most) size *= 2;
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    this.#hashes = new Uint32Array(most);
    this.#sources = new Uint8Array(most);
    this.#lines = new Uint32Array(most);
    this.#texts = [before, after];
    this.#hashOf = hashOf;
  }

  /** Finds the classes of the lines of the first file (`source` 0) or of the second. Yields the work that was done. */
  *classify(text: Lines, source: number): Generator<number, Uint32Array, undefined> {
    const { bytes, starts } = text;
    const classes = new Uint32Array(starts.length - 1);
    for (let line = 0; line < classes.length; line++) {
      const [start, end] = [u32At(starts, line), u32At(starts, line + 1)];
      const hash = this.#hashOf(bytes, start, end);
      this.#steps += end - start + LINE_STEPS;
      this.#slot = hash & this.#mask;
      for (;;) {
        const found = this.#find(hash, text, source, line);
        if (found >= 0) classes[line] = found;
        if (this.#steps >= TURN_STEPS) yield this.#take();
        if (found >= 0) break;
      }
    }
    yield this.#take();
    return classes;
  }

  #take(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  /** Returns the class of a line; -1 if it was not found before it was time to tell the work. */
  #find(hash: number, text: Lines, source: number, line: number): number {
    let slot = this.#slot;
    for (let taken = u32At(this.#slots, slot); taken !== 0; taken = u32At(this.#slots, slot)) {
      this.#steps += PROBE_STEPS;
      if (this.#isSame(taken - 1, hash, text, line)) return taken - 1;
      slot = (slot + 1) & this.#mask;
      if (this.#steps < TURN_STEPS) continue;
      this.#slot = slot;
      return -1;
    }
    const added = this.count++;
    this.#slots[slot] = added + 1;
    this.#hashes[added] = hash;
    this.#sources[added] = source;
    this.#lines[added] = line;
    return added;
  }

  #isSame(known: number, hash: number, { bytes, starts }: Lines, line: number): boolean {
    if (u32At(this.#hashes, known) !== hash) return false;
    const other = this.#texts[u8At(this.#sources, known)];
    if (other === undefined) return false;
    const number = u32At(this.#lines, known);
    const from = u32At(other.starts, number);
    const start = u32At(starts, line);
    const length = u32At(starts, line + 1) - start;
    if (u32At(other.starts, number + 1) - from !== length) return false;
    let same = 0;
    while (same < length && bytes[start + same] === other.bytes[from + same]) same++;
    this.#steps += SAME_BYTE_STEPS * same;
    return same === length;
  }
}

/**
 * Makes the table of two files. Yields the work that was done, in steps of about 10 ns.
 *
 * @param hashOf - The hash of lines. Only tests have one that is not the isolate's.
 */
export function* tabulate(
  before: Uint8Array,
  after: Uint8Array,
  whitespace: Whitespace,
  hashOf = isolateHash(),
): Generator<number, LineTable, undefined> {
  const texts = {
    before: { bytes: before, starts: startsOf(before) },
    after: { bytes: after, starts: startsOf(after) },
  };
  const left = normalized(texts.before, whitespace);
  const right = normalized(texts.after, whitespace);
  yield before.length + after.length;
  const classifier = new Classifier(left, right, hashOf);
  const classesBefore = yield* classifier.classify(left, 0);
  const classesAfter = yield* classifier.classify(right, 1);
  return {
    before: sideOf(texts.before, classesBefore),
    after: sideOf(texts.after, classesAfter),
    countsBefore: countOf(classesBefore, classifier.count),
    countsAfter: countOf(classesAfter, classifier.count),
  };
}

/** Returns the lines of a file of which the other one has none. They have no classes: nothing is equal to them. */
export function wholeSide(bytes: Uint8Array): DiffSide {
  const starts = startsOf(bytes);
  const count = starts.length - 1;
  const changed = new Uint8Array(count + 1).fill(1, 0, count);
  return { bytes, starts, count, classes: NO_CLASSES, changed };
}

function sideOf(text: Lines, classes: Uint32Array): DiffSide {
  return { ...text, count: classes.length, classes, changed: new Uint8Array(classes.length + 1) };
}

/** Returns how often each of `count` classes occurs. */
export function countOf(classes: Uint32Array, count: number): Uint32Array {
  const counts = new Uint32Array(count);
  for (const number of classes) counts[number] = u32At(counts, number) + 1;
  return counts;
}
