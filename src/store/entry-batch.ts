/**
 * The deflated bytes of some entries of a staged pack, read back in few large reads.
 *
 * @packageDocumentation
 */
import type { EntryTable } from "./entry-table.ts";

/** Deflated bytes that a batch holds at most. */
const FULL_BYTES = 8 * 1024 * 1024;
/** Two entries nearer than this are one read. */
const GAP_BYTES = 256 * 1024;
const READ_BYTES = 4 * 1024 * 1024;
const READS_AT_ONCE = 2;

type Run = { readonly offset: number; readonly end: number; readonly first: number; readonly last: number };

/** A set of entries of one pack and, once loaded, their bytes. */
export class EntryBatch {
  readonly #entries: EntryTable;
  readonly #endOf: (number: number) => number;
  readonly #members = new Set<number>();
  #sorted = new Uint32Array(0);
  #starts = new Float64Array(0);
  #bytes = new Uint8Array(0);
  #total = 0;
  #full = false;

  /** `endOf` gives where an entry ends in the pack. */
  constructor(entries: EntryTable, endOf: (number: number) => number) {
    this.#entries = entries;
    this.#endOf = endOf;
  }

  /** Whether an entry was turned away for want of room. */
  get full(): boolean {
    return this.#full;
  }

  /** Adds an entry; false where it was there already, or where there is no room for it. */
  add(number: number): boolean {
    if (this.#members.has(number)) return false;
    const length = this.#lengthOf(number);
    if (this.#total + length > FULL_BYTES) {
      this.#full = true;
      return false;
    }
    this.#members.add(number);
    this.#total += length;
    return true;
  }

  #lengthOf(number: number): number {
    return this.#endOf(number) - this.#entries.offsetOf(number);
  }

  /** Reads the entries' bytes. */
  async load(read: (offset: number, length: number) => Promise<Uint8Array>): Promise<void> {
    this.#sorted = Uint32Array.from(this.#members).sort();
    this.#members.clear();
    this.#starts = new Float64Array(this.#sorted.length);
    this.#bytes = new Uint8Array(this.#total);
    let used = 0;
    for (const [i, number] of this.#sorted.entries()) {
      this.#starts[i] = used;
      used += this.#lengthOf(number);
    }
    const runs = this.#runs();
    for (let next = 0; next < runs.length; next += READS_AT_ONCE) {
      await Promise.all(runs.slice(next, next + READS_AT_ONCE).map((run) => this.#loadRun(run, read)));
    }
  }

  async #loadRun(run: Run, read: (offset: number, length: number) => Promise<Uint8Array>): Promise<void> {
    const bytes = await read(run.offset, run.end - run.offset);
    for (let i = run.first; i <= run.last; i++) {
      const number = this.#sorted[i] ?? 0;
      const from = this.#entries.offsetOf(number) - run.offset;
      this.#bytes.set(bytes.subarray(from, from + this.#lengthOf(number)), this.#starts[i] ?? 0);
    }
  }

  #runs(): Run[] {
    const runs: Run[] = [];
    for (const [i, number] of this.#sorted.entries()) {
      const offset = this.#entries.offsetOf(number);
      const end = this.#endOf(number);
      const last = runs.at(-1);
      if (last !== undefined && offset - last.end <= GAP_BYTES && end - last.offset <= READ_BYTES) {
        runs[runs.length - 1] = { ...last, end, last: i };
      } else {
        runs.push({ offset, end, first: i, last: i });
      }
    }
    return runs;
  }

  /** The bytes of an entry, header first; `undefined` where it is not among those loaded. */
  bytesOf(number: number): Uint8Array | undefined {
    let low = 0;
    let high = this.#sorted.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const value = this.#sorted[middle] ?? 0;
      if (value === number) {
        const start = this.#starts[middle] ?? 0;
        return this.#bytes.subarray(start, start + this.#lengthOf(number));
      }
      if (value < number) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
