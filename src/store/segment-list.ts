/**
 * A recipe for an object: runs of bytes of one source or another, in order. A delta is such a list. So is a chain of
 * deltas, once each list has been laid over the one below.
 *
 * @packageDocumentation
 */
import { f64At, u32At } from "../bytes/assert.ts";
import { LimitExceeded } from "../bytes/failure.ts";

/** The source number of the object below. */
export const BELOW = 255;

/** A run: `length` bytes from `offset` of `source`. */
export type Segment = { readonly source: number; readonly offset: number; readonly length: number };

/** The number of runs that a list first has room for. */
const FIRST_ROOM = 1024;

/** Runs of bytes, in order. Each takes twenty-one bytes of memory. */
export class SegmentList {
  readonly #most: number;
  #count = 0;
  #sources = new Uint8Array(FIRST_ROOM);
  #offsets = new Float64Array(FIRST_ROOM);
  #lengths = new Uint32Array(FIRST_ROOM);
  /** The offset in the object at which each run ends. */
  #ends = new Float64Array(FIRST_ROOM);

  /** `most` is the largest number of runs. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The number of runs. */
  get count(): number {
    return this.#count;
  }

  /** The size in bytes of all runs together. */
  get size(): number {
    return this.#count === 0 ? 0 : f64At(this.#ends, this.#count - 1);
  }

  /**
   * Appends a run, or extends the last one if the run continues it.
   *
   * @throws LimitExceeded if there are too many runs.
   */
  push(source: number, offset: number, length: number): void {
    if (length === 0) return;
    const last = this.#count - 1;
    const end = this.size + length;
    if (this.#sources[last] === source && f64At(this.#offsets, last) + u32At(this.#lengths, last) === offset) {
      this.#lengths[last] = u32At(this.#lengths, last) + length;
      this.#ends[last] = end;
      return;
    }
    if (this.#count === this.#most) {
      throw new LimitExceeded("delta-segments", this.#most, `delta has more than ${this.#most} parts`);
    }
    if (this.#count === this.#sources.length) this.#grow();
    this.#sources[this.#count] = source;
    this.#offsets[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#ends[this.#count] = end;
    this.#count++;
  }

  #grow(): void {
    const room = Math.min(this.#sources.length * 2, this.#most);
    const sources = new Uint8Array(room);
    const offsets = new Float64Array(room);
    const lengths = new Uint32Array(room);
    const ends = new Float64Array(room);
    sources.set(this.#sources);
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    ends.set(this.#ends);
    this.#sources = sources;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#ends = ends;
  }

  /** Returns the run with this number. */
  at(index: number): Segment {
    return {
      source: this.#sources[index] ?? BELOW,
      offset: f64At(this.#offsets, index),
      length: u32At(this.#lengths, index),
    };
  }

  /**
   * Returns this list with `below` in place of the object below: the same bytes, where {@link BELOW} is now the object
   * below `below`.
   */
  over(below: SegmentList): SegmentList {
    const laid = new SegmentList(this.#most);
    for (let i = 0; i < this.#count; i++) {
      const { source, offset, length } = this.at(i);
      if (source === BELOW) below.#copyInto(laid, offset, offset + length);
      else laid.push(source, offset, length);
    }
    return laid;
  }

  #copyInto(laid: SegmentList, from: number, to: number): void {
    for (let i = this.#runAt(from); i < this.#count; i++) {
      const { source, offset, length } = this.at(i);
      const begin = f64At(this.#ends, i) - length;
      if (begin >= to) return;
      const skipped = Math.max(0, from - begin);
      laid.push(source, offset + skipped, Math.min(length, to - begin) - skipped);
    }
  }

  /** Returns the number of the run that has the byte at `place` of the object. */
  #runAt(place: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (f64At(this.#ends, middle) > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
