/**
 * Marks the lines that only one of two files has, around the rarest lines that both have: the longest common run with
 * the least frequent lines is kept, and what is before it and behind it is compared in the same way. Where all common
 * lines are too frequent, Myers' algorithm compares that part.
 *
 * @packageDocumentation
 * @see git-diff(1), `--diff-algorithm=histogram`
 */
import { u32At } from "../bytes/assert.ts";
import type { DiffSide, LineTable } from "./line-table.ts";
import { markChanged } from "./myers.ts";

/** Lines that occur more often than this in a part of the first file do not count as landmarks. */
const MOST_OCCURRENCES = 64;
/** Steps between two reports of work. */
const REPORT_STEPS = 500_000;

/** A part of both files: lines `[start, end)` of each. */
type Part = {
  readonly start: number;
  readonly end: number;
  readonly startAfter: number;
  readonly endAfter: number;
};

/** The best common run so far: `[start, end]` in both files, and how often its rarest line occurs. */
type Run = { start: number; end: number; startAfter: number; endAfter: number; isFound: boolean };

/** Marks the lines in the table. Yields the work that was done. */
export function* markByHistogram(table: LineTable): Generator<number, void, undefined> {
  yield* new Histogram(table).run();
}

class Histogram {
  readonly #table: LineTable;
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  /** For each class: its first line in the part of the first file plus one, and how often it occurs there. */
  readonly #first: Uint32Array;
  readonly #counts: Uint32Array;
  /** For each line of the first file: the next line of its class in the part plus one. */
  readonly #next: Uint32Array;
  #steps = 0;
  /** How often the rarest line of the best run occurs. */
  #rarest = 0;
  #hasCommon = false;

  constructor(table: LineTable) {
    this.#table = table;
    this.#a = table.before.classes;
    this.#b = table.after.classes;
    this.#first = new Uint32Array(table.countsBefore.length);
    this.#counts = new Uint32Array(table.countsBefore.length);
    this.#next = new Uint32Array(table.before.count);
  }

  *run(): Generator<number, void, undefined> {
    const { before, after } = this.#table;
    const parts: Part[] = [{ start: 0, end: before.count, startAfter: 0, endAfter: after.count }];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const { start, end, startAfter, endAfter } = part;
      if (start === end || startAfter === endAfter) {
        this.#mark(part);
        continue;
      }
      const run = yield* this.#bestRun(part);
      if (run === "too-frequent") yield* this.#compareClassically(part);
      else if (run.isFound) {
        parts.push({ start: run.end + 1, end, startAfter: run.endAfter + 1, endAfter });
        parts.push({ start, end: run.start, startAfter, endAfter: run.startAfter });
      } else this.#mark(part);
    }
    yield this.#takeSteps();
  }

  #takeSteps(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  #mark({ start, end, startAfter, endAfter }: Part): void {
    this.#table.before.changed.fill(1, start, end);
    this.#table.after.changed.fill(1, startAfter, endAfter);
  }

  #index({ start, end }: Part): void {
    for (let line = end - 1; line >= start; line--) {
      const number = u32At(this.#a, line);
      this.#next[line] = u32At(this.#first, number);
      this.#first[number] = line + 1;
      this.#counts[number] = u32At(this.#counts, number) + 1;
    }
    this.#steps += 2 * (end - start);
  }

  #forget({ start, end }: Part): void {
    for (let line = start; line < end; line++) {
      this.#first[u32At(this.#a, line)] = 0;
      this.#counts[u32At(this.#a, line)] = 0;
    }
  }

  *#bestRun(part: Part): Generator<number, Run | "too-frequent", undefined> {
    this.#index(part);
    this.#rarest = MOST_OCCURRENCES + 1;
    this.#hasCommon = false;
    const best: Run = { start: 0, end: 0, startAfter: 0, endAfter: 0, isFound: false };
    for (let line = part.startAfter; line < part.endAfter;) {
      line = this.#tryLine(part, line, best);
      if (this.#steps >= REPORT_STEPS) yield this.#takeSteps();
    }
    const isTooFrequent = this.#hasCommon && this.#rarest > MOST_OCCURRENCES;
    this.#forget(part);
    return isTooFrequent ? "too-frequent" : best;
  }

  /** Looks for runs through a line of the second file. Returns the line to go on with. */
  #tryLine(part: Part, line: number, best: Run): number {
    const number = u32At(this.#b, line);
    const occurrences = u32At(this.#counts, number);
    this.#steps += 2;
    if (occurrences === 0) return line + 1;
    this.#hasCommon = true;
    if (occurrences > this.#rarest) return line + 1;
    let next = line + 1;
    for (let at = u32At(this.#first, number); at !== 0;) {
      const run = this.#runAround(part, at - 1, line);
      next = Math.max(next, run.endAfter + 1);
      if (best.end - best.start < run.end - run.start || run.rarest < this.#rarest) {
        const { rarest, ...found } = run;
        Object.assign(best, found, { isFound: true });
        this.#rarest = rarest;
      }
      at = u32At(this.#next, at - 1);
      // Occurrences within the run can only give parts of it.
      while (at !== 0 && at - 1 <= run.end) at = u32At(this.#next, at - 1);
    }
    return next;
  }

  /** Returns the common run around a pair of equal lines. */
  #runAround(part: Part, line: number, lineAfter: number): Omit<Run, "isFound"> & { readonly rarest: number } {
    const [a, b] = [this.#a, this.#b];
    let [start, startAfter, end, endAfter] = [line, lineAfter, line, lineAfter];
    let rarest = u32At(this.#counts, u32At(a, line));
    while (start > part.start && startAfter > part.startAfter && a[start - 1] === b[startAfter - 1]) {
      start--;
      startAfter--;
      if (rarest > 1) rarest = Math.min(rarest, u32At(this.#counts, u32At(a, start)));
    }
    while (end < part.end - 1 && endAfter < part.endAfter - 1 && a[end + 1] === b[endAfter + 1]) {
      end++;
      endAfter++;
      if (rarest > 1) rarest = Math.min(rarest, u32At(this.#counts, u32At(a, end)));
    }
    this.#steps += end - start + 4;
    return { start, end, startAfter, endAfter, rarest };
  }

  /** Compares a part as if it were all of both files. */
  *#compareClassically({ start, end, startAfter, endAfter }: Part): Generator<number, void, undefined> {
    const { before, after, countsBefore } = this.#table;
    const table = {
      before: partOf(before, start, end),
      after: partOf(after, startAfter, endAfter),
      countsBefore: new Uint32Array(countsBefore.length),
      countsAfter: new Uint32Array(countsBefore.length),
    };
    for (const number of table.before.classes) table.countsBefore[number] = u32At(table.countsBefore, number) + 1;
    for (const number of table.after.classes) table.countsAfter[number] = u32At(table.countsAfter, number) + 1;
    this.#steps += countsBefore.length;
    yield* markChanged(table);
    before.changed.set(table.before.changed.subarray(0, end - start), start);
    after.changed.set(table.after.changed.subarray(0, endAfter - startAfter), startAfter);
  }
}

function partOf({ bytes, starts, classes }: DiffSide, start: number, end: number): DiffSide {
  return {
    bytes,
    starts: starts.subarray(start, end + 1),
    count: end - start,
    classes: classes.subarray(start, end),
    changed: new Uint8Array(end - start + 1),
  };
}
