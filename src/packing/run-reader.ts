/**
 * Reads the entries of a selection in their order: near ones together, as a run.
 *
 * Runs that are near to each other are a stretch, and come out of one storage operation, a piece at a time: what lies between them is
 * read over. Of other runs, some are read ahead. While a client is waited for, those are let go of and read again later. A stretch stays open, as the body
 * of a whole pack does: it holds one piece, and the client's standstill ends it.
 *
 * @packageDocumentation
 */
import { f64At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { COPYING } from "./copy-policy.ts";
import type { PackSelection } from "./pack-selection.ts";
import type { FetchSession } from "./pack-session.ts";
import { SIDE_BAND_PIECE_BYTES, streamRun } from "./stored-run.ts";
import { StretchReader } from "./stretch-reader.ts";

type Run = {
  readonly first: number;
  readonly last: number;
  readonly offset: number;
  readonly length: number;
  /** Whether it is one entry, of which only the beginning is read at once. */
  readonly isStreamed: boolean;
};
/** A run that is read ahead. */
type Reading = Run & {
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
  /** What it counts as. What a stretch reads counts with the buffers of the answer. */
  readonly held: number;
  /** What it is read from, if it is a part of a stretch. */
  readonly stretch: StretchReader | undefined;
};
/** The run at hand: entries from `first` to `last`. Its bytes are good until the next is asked for, or until it is let go of. */
export type RunAtHand = Run & Pick<Reading, "held" | "stretch"> & { readonly bytes: Uint8Array<ArrayBuffer> };

/** Frees the memory of a run that is not one of a stretch. */
function freeRun({ bytes, stretch }: Pick<RunAtHand, "bytes" | "stretch">): void {
  if (stretch === undefined) freeMemory(bytes);
}

/** The runs of one selection. */
export class RunReader {
  readonly #session: FetchSession;
  readonly #selection: PackSelection;
  /** Runs that are read ahead, and the first entry of the next. One of a stretch is the last: the next would take its buffer. */
  readonly #ahead: Reading[] = [];
  #nextEntry = 0;
  #runBytes = COPYING.runBytes;
  #stretch: StretchReader | undefined;
  #atHand: RunAtHand | undefined;

  constructor(session: FetchSession, selection: PackSelection) {
    this.#session = session;
    this.#selection = selection;
  }

  /** The run at hand; `undefined` if it was let go of. */
  get atHand(): RunAtHand | undefined {
    return this.#atHand;
  }

  /** Returns the next run, and begins to read those behind it. The one at hand ends. */
  async next(): Promise<RunAtHand | undefined> {
    this.#endRun();
    this.#readAhead();
    const reading = this.#ahead.shift();
    if (reading === undefined) return undefined;
    this.#atHand = { ...reading, bytes: await reading.bytes };
    return this.#atHand;
  }

  /** Has this entry begin the next run. Nothing may be read ahead. */
  goOnFrom(entry: number): void {
    this.#nextEntry = entry;
  }

  /** Drops what was read and can be read again in few operations. The next runs are small. */
  letGo(): void {
    this.#runBytes = COPYING.smallRunBytes;
    // What a stretch has given can't be had again from it. Nothing else is read ahead then.
    if (this.#atHand?.stretch !== undefined) return;
    this.#dropAhead();
    this.#endRun();
  }

  /** Ends reading. */
  close(): void {
    this.#dropAhead();
    this.#endStretch();
    this.#endRun();
  }

  #dropAhead(): void {
    if (this.#ahead.at(-1)?.stretch !== undefined) this.#endStretch();
    this.#nextEntry = this.#ahead[0]?.first ?? this.#nextEntry;
    for (const { bytes, held, stretch } of this.#ahead.splice(0)) {
      this.#session.repository.memory.hold(-held);
      bytes.then(
        (read) => freeRun({ bytes: read, stretch }),
        () => undefined,
      );
    }
  }

  /** Whether what is left can be read in few small runs, if nothing is held of it. */
  isDense(): boolean {
    const { offsets } = this.#selection;
    let runs = 0;
    for (let at = this.#nextEntry; at < offsets.length && runs <= COPYING.fewRuns; runs++)
      at = this.#runFrom(at, COPYING.smallRunBytes).last + 1;
    return runs <= COPYING.fewRuns;
  }

  /** Writes a streamed run piece by piece, without its first `skipped` bytes. `write` may keep a piece until its promise settles. */
  async stream(run: RunAtHand, skipped: number, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { offset, length, bytes, stretch } = run;
    if (stretch === undefined) return await this.streamBytes(offset + skipped, length - skipped, write);
    await write(bytes.subarray(skipped));
    for (let at = bytes.length; at < length; at += SIDE_BAND_PIECE_BYTES)
      await write(await stretch.read(offset + at, Math.min(SIDE_BAND_PIECE_BYTES, length - at)));
  }

  /** Writes bytes of the pack as an operation of their own; `write` is as for {@link RunReader.stream}. */
  async streamBytes(offset: number, length: number, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    await streamRun(this.#selection.handle, { offset, length }, write);
  }

  /** Begins to read what is copied next: one run in any case, more where there is room for them. */
  #readAhead(): void {
    const { memory } = this.#session.repository;
    const most = this.#session.isResting ? 1 : COPYING.runsAhead;
    while (this.#ahead.length < most && this.#nextEntry < this.#selection.offsets.length) {
      if (this.#ahead.at(-1)?.stretch !== undefined) return;
      const hasRoom = memory.hasRoom(this.#runBytes);
      if (!hasRoom && this.#ahead.length > 0) return;
      this.#begin(this.#nextRun(hasRoom));
      this.#runBytes = Math.min(COPYING.runBytes, 2 * this.#runBytes);
    }
  }

  #nextRun(hasRoom: boolean): Run & Pick<Reading, "stretch"> {
    const first = this.#nextEntry;
    const stretch = this.#stretchAt(first);
    if (stretch !== undefined) return { ...this.#runFrom(first, SIDE_BAND_PIECE_BYTES, { end: stretch.end }), stretch };
    const run = hasRoom
      ? this.#runFrom(first, this.#runBytes, { whole: COPYING.runBytes })
      : this.#runFrom(first, COPYING.smallRunBytes);
    return { ...run, stretch };
  }

  #begin(run: Run & Pick<Reading, "stretch">): void {
    const held = run.isStreamed || run.stretch !== undefined ? 0 : run.length;
    this.#session.repository.memory.hold(held);
    const bytes = this.#read(run);
    // Awaited in its turn; a failure before that must not count as unhandled.
    bytes.catch(() => undefined);
    this.#ahead.push({ ...run, bytes, held });
    this.#nextEntry = run.last + 1;
  }

  /** Reads a run or, of one that is a single large entry, its beginning. The memory is its own, or that of its stretch. */
  async #read({
    offset,
    length,
    isStreamed,
    stretch,
  }: Run & Pick<Reading, "stretch">): Promise<Uint8Array<ArrayBuffer>> {
    if (stretch !== undefined) return await stretch.read(offset, Math.min(length, SIDE_BAND_PIECE_BYTES));
    const wanted = isStreamed ? Math.min(length, MAX_ENTRY_HEADER_BYTES) : length;
    const { handle } = this.#selection;
    const atHand = handle.bytesAtHand(offset);
    if (atHand !== undefined && atHand.length >= wanted) return atHand.slice(0, wanted);
    return await handle.readRun(offset, wanted);
  }

  /** Returns the stretch that this entry is read from, the open one or a new one; `undefined` if it lies in none. */
  #stretchAt(first: number): StretchReader | undefined {
    const { handle, offsets, ends } = this.#selection;
    const offset = f64At(offsets, first);
    if (this.#stretch?.has(offset, f64At(ends, first) - offset) === true) return this.#stretch;
    this.#endStretch();
    const end = this.#stretchEnd(first);
    const run = this.#runFrom(first, COPYING.runBytes);
    if (end > run.offset + run.length) this.#stretch = new StretchReader(handle, offset, end);
    return this.#stretch;
  }

  /** Returns where the stretch of entries ends that begins here: each is near the one before, and not much more is read over than is copied. */
  #stretchEnd(first: number): number {
    const { handle, offsets, ends } = this.#selection;
    let end = f64At(offsets, first);
    let [copied, passed] = [0, 0];
    for (let at = first; at < offsets.length && !handle.holds(f64At(offsets, at)); at++) {
      const gap = f64At(offsets, at) - end;
      passed += gap;
      if (gap > COPYING.passedBytes || passed > COPYING.passedShare * copied + COPYING.runBytes) break;
      end = f64At(ends, at);
      copied += end - f64At(offsets, at);
    }
    return end;
  }

  #endStretch(): void {
    this.#stretch?.close().catch(() => undefined);
    this.#stretch = undefined;
  }

  #endRun(): void {
    if (this.#atHand === undefined) return;
    freeRun(this.#atHand);
    this.#session.repository.memory.hold(-this.#atHand.held);
    this.#atHand = undefined;
  }

  /**
   * The run of entries that begins here: at most this many bytes, or a single entry that is larger, and is streamed above `whole` bytes.
   * The run ends before `end`.
   */
  #runFrom(
    first: number,
    most: number,
    { whole = most, end = Number.POSITIVE_INFINITY }: { readonly whole?: number; readonly end?: number } = {},
  ): Run {
    const { handle, offsets, ends } = this.#selection;
    const start = f64At(offsets, first);
    let last = first;
    while (last + 1 < offsets.length && !handle.holds(start)) {
      const next = f64At(offsets, last + 1);
      const isNear = next - f64At(ends, last) <= COPYING.gapBytes && f64At(ends, last + 1) - start <= most;
      if (!isNear || handle.holds(next) || f64At(ends, last + 1) > end) break;
      last++;
    }
    const length = f64At(ends, last) - start;
    return { first, last, offset: start, length, isStreamed: length > Math.max(most, whole) };
  }
}
