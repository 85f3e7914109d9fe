/**
 * The deflated bytes of some entries of a staged pack, read back in few large reads.
 *
 * @packageDocumentation
 */
import { f64At, u32At } from "../../bytes/assert.ts";
import { CorruptStore } from "../../bytes/failure.ts";
import { findSorted } from "../../bytes/sorted.ts";
import type { EntryTable } from "./entry-table.ts";
import type { PartBuffers } from "./part-buffers.ts";
import type { PackByteStream } from "../../catalog/pack-storage.ts";

/**
 * Entries no more than this many bytes apart are one read: skipping what lies between is cheaper than another round
 * trip.
 */
const GAP_BYTES = 2 * 1024 * 1024;
/** The number of runs read at once. */
const READS_AT_ONCE = 2;

/** Opens `[offset, offset + length)` of the staged pack for reading in order. */
export type OpenPackBytes = (offset: number, length: number) => Promise<PackByteStream>;

type Run = { readonly offset: number; readonly end: number; readonly first: number; readonly last: number };

/** A set of entries of one pack and, once loaded, their bytes. */
export class EntryBatch {
  readonly #entries: EntryTable;
  readonly #endOf: (number: number) => number;
  readonly #members = new Set<number>();
  #sorted = new Uint32Array(0);
  #starts = new Float64Array(0);
  readonly #bytes: Uint8Array;
  readonly #pieces: PartBuffers;
  #total = 0;
  #full = false;

  /**
   * `endOf` returns the offset at which an entry ends in the pack. `room.bytes` receives the entries, and its size
   * bounds the batch. `room.pieces` are the buffers of the reads.
   */
  constructor(
    entries: EntryTable,
    endOf: (number: number) => number,
    room: { readonly bytes: Uint8Array; readonly pieces: PartBuffers },
  ) {
    this.#bytes = room.bytes;
    this.#pieces = room.pieces;
    this.#entries = entries;
    this.#endOf = endOf;
  }

  /** Whether an entry was turned away for want of room. */
  get full(): boolean {
    return this.#full;
  }

  /** Adds an entry. Returns false if it was there already, or if there is no room for it. */
  add(number: number): boolean {
    if (this.#members.has(number)) return false;
    const length = this.#lengthOf(number);
    if (this.#total + length > this.#bytes.length) {
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

  /** Reads the bytes of all entries added. */
  async load(open: OpenPackBytes): Promise<void> {
    this.#sorted = Uint32Array.from(this.#members).sort();
    this.#members.clear();
    this.#starts = new Float64Array(this.#sorted.length);
    let used = 0;
    for (const [i, number] of this.#sorted.entries()) {
      this.#starts[i] = used;
      used += this.#lengthOf(number);
    }
    const runs = this.#runs();
    for (let next = 0; next < runs.length; next += READS_AT_ONCE) {
      await Promise.all(runs.slice(next, next + READS_AT_ONCE).map((run) => this.#loadRun(run, open)));
    }
  }

  async #loadRun(run: Run, open: OpenPackBytes): Promise<void> {
    const stream = await open(run.offset, run.end - run.offset);
    try {
      let buffer = this.#pieces.take();
      let first = run.first;
      for (let at = run.offset; at < run.end;) {
        const piece = await stream.read(buffer);
        if (piece.length === 0) throw new CorruptStore("the staged pack ends early");
        first = this.#take(piece, at, first, run.last);
        at += piece.length;
        buffer = new Uint8Array(piece.buffer);
      }
      this.#pieces.give(buffer);
    } finally {
      await stream.cancel();
    }
  }

  /**
   * Copies the entries from `first` on out of a piece of the pack that begins at `at`. Returns the first entry that
   * continues after the piece.
   */
  #take(piece: Uint8Array, at: number, first: number, last: number): number {
    for (let i = first; i <= last; i++) {
      const number = u32At(this.#sorted, i);
      const offset = this.#entries.offsetOf(number);
      const from = Math.max(offset, at);
      const to = Math.min(this.#endOf(number), at + piece.length);
      if (from >= at + piece.length) return i;
      this.#bytes.set(piece.subarray(from - at, to - at), f64At(this.#starts, i) + from - offset);
      if (this.#endOf(number) > at + piece.length) return i;
    }
    return last + 1;
  }

  #runs(): Run[] {
    const runs: Run[] = [];
    for (const [i, number] of this.#sorted.entries()) {
      const offset = this.#entries.offsetOf(number);
      const end = this.#endOf(number);
      const last = runs.at(-1);
      if (last !== undefined && offset - last.end <= GAP_BYTES) {
        runs[runs.length - 1] = { ...last, end, last: i };
      } else {
        runs.push({ offset, end, first: i, last: i });
      }
    }
    return runs;
  }

  /** Returns a view of an entry's bytes, header first; `undefined` if the entry was not loaded. */
  bytesOf(number: number): Uint8Array | undefined {
    const rank = findSorted(this.#sorted.length, number, (each) => u32At(this.#sorted, each));
    if (rank < 0) return undefined;
    const start = f64At(this.#starts, rank);
    return this.#bytes.subarray(start, start + this.#lengthOf(number));
  }
}
