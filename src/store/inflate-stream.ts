/**
 * Inflates data that is too large to be held, piece by piece. Several streams may be under way at once, though the
 * kernel knows only one: each stream saves its state between pieces, and can be continued from any resume point.
 *
 * @packageDocumentation
 */
import { ObjectRejected } from "../bytes/failure.ts";
import { INFLATE_DONE, INFLATE_NEED_INPUT } from "../kernel/kernel.ts";
import { deflatedBytes, type Inflating } from "./inflating.ts";

/** Reads `[offset, offset + length)` of the pack that holds the data. */
export type DeflatedBytes = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * A zlib stream in a pack: the offset where it begins, the latest offset where it may end, and the size that it
 * inflates to.
 */
export type DeflatedEntry = {
  readonly read: DeflatedBytes;
  readonly at: number;
  readonly end: number;
  readonly size: number;
};

/** A place in a stream from which inflating can continue. */
export type ResumePoint = {
  readonly produced: number;
  readonly consumed: number;
  readonly needsInput: boolean;
  readonly state: Uint8Array;
  readonly history: Uint8Array;
};

/** The most bytes of deflated data that one read takes. The first of a stream takes no more than its data should need. */
export const READ_BYTES = 1024 * 1024;
/** The inflated bytes that deflate may refer back to. */
const HISTORY_BYTES = 32_768;
/** The most bytes of one inflated piece. */
const OUT_BYTES = 131_072;
/** Steps of going into and out of the kernel once, with the state of a stream. */
const STEP_STEPS = 5000;

/** One zlib stream being inflated. */
export class InflateStream {
  readonly #inflating: Inflating;
  readonly #entry: DeflatedEntry;
  #produced = 0;
  #consumed = 0;
  #state: Uint8Array | undefined;
  #history = new Uint8Array(0);
  /** Deflated bytes that were read and not used yet. */
  #input: Uint8Array = new Uint8Array(0);
  #needsInput = true;
  #hasRead = false;
  #isDone = false;

  constructor(inflating: Inflating, entry: DeflatedEntry, from?: ResumePoint) {
    this.#inflating = inflating;
    this.#entry = entry;
    if (from === undefined) return;
    this.#produced = from.produced;
    this.#consumed = from.consumed;
    this.#needsInput = from.needsInput;
    this.#state = from.state;
    this.#history = from.history.slice();
  }

  /** The number of inflated bytes so far. */
  get produced(): number {
    return this.#produced;
  }

  /**
   * The number of deflated bytes used so far. It is the whole stream's length once {@link next} has returned
   * `undefined`.
   */
  get consumed(): number {
    return this.#consumed;
  }

  /** Returns a resume point for the current place; `undefined` before the first piece. */
  point(): ResumePoint | undefined {
    if (this.#state === undefined) return undefined;
    return {
      produced: this.#produced,
      consumed: this.#consumed,
      needsInput: this.#needsInput,
      state: this.#state,
      history: this.#history,
    };
  }

  /**
   * Returns a copy of the next piece of content, at most `most` bytes; `undefined` at the end. It pauses where that is due: what
   * is read may be at hand, so that nothing else makes others' turn.
   *
   * @throws ObjectRejected if the data is damaged, or does not inflate to the size that it should.
   */
  async next(most = OUT_BYTES): Promise<Uint8Array | undefined> {
    while (!this.#isDone) {
      if (this.#needsInput && this.#input.length === 0) await this.#read();
      const piece = this.#step(Math.min(most, OUT_BYTES));
      await this.#inflating.pace(STEP_STEPS + piece.length);
      if (piece.length > 0) return piece;
    }
    return undefined;
  }

  async #read(): Promise<void> {
    const { read, at, end, size } = this.#entry;
    const from = at + this.#consumed;
    if (from >= end) throw new ObjectRejected("inflated data is cut short");
    // A stream may be longer than its data needs, but then it was made so.
    const most = this.#hasRead ? READ_BYTES : Math.min(READ_BYTES, deflatedBytes(size - this.#produced));
    this.#hasRead = true;
    this.#input = await read(from, Math.min(most, end - from));
  }

  /** Makes one call to the kernel. It needs nothing in the ring afterwards. */
  #step(most: number): Uint8Array {
    const { kernel, ring } = this.#inflating;
    const stateBytes = kernel.inflateStateBytes;
    const state = ring.pointer(ring.reserve(stateBytes + HISTORY_BYTES + OUT_BYTES));
    if (this.#state === undefined) kernel.inflateStart();
    else {
      kernel.memory.set(this.#state, state);
      kernel.inflateRestore(state);
    }
    const window = this.#input.subarray(0, kernel.windowBytes);
    kernel.memory.set(window, kernel.windowAt);
    const room = state + stateBytes;
    kernel.memory.set(this.#history, room);
    const out = room + this.#history.length;
    const outEnd = out + Math.min(most, this.#entry.size - this.#produced);
    const status = kernel.inflate(kernel.windowAt, kernel.windowAt + window.length, room, out, outEnd);
    const made = kernel.inflateProduced;
    this.#consumed += kernel.inflateConsumed;
    this.#input = this.#input.subarray(kernel.inflateConsumed);
    this.#produced += made;
    kernel.inflateSave(state);
    this.#state = kernel.memory.slice(state, state + stateBytes);
    const kept = Math.min(HISTORY_BYTES, this.#history.length + made);
    this.#history = kernel.memory.slice(out + made - kept, out + made);
    this.#take(status, made);
    return kernel.memory.slice(out, out + made);
  }

  #take(status: number, made: number): void {
    const isWhole = this.#produced === this.#entry.size;
    if (status < 0) throw new ObjectRejected(`inflate returned ${status}`);
    this.#isDone = status === INFLATE_DONE;
    this.#needsInput = status === INFLATE_NEED_INPUT;
    const isStuck = !this.#isDone && !this.#needsInput && made === 0;
    if ((this.#isDone && !isWhole) || (isStuck && isWhole)) throw new ObjectRejected("inflated size does not match");
  }
}
