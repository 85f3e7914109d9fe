/**
 * Reads deflated data at any place. Data can only be inflated forward, so resume points are taken on the way, from
 * which a read further back continues. The blocks inflated last are kept.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded } from "../bytes/failure.ts";
import { type DeflatedEntry, InflateStream, READ_BYTES, type ResumePoint } from "./inflate-stream.ts";
import type { Inflating } from "./inflating.ts";

/** The size of a block in bytes. */
const BLOCK_BYTES = 65_536;
/** The number of resume points in one stream, and the bytes of each. */
const POINTS = 32;
const POINT_BYTES = 45_000;

/** Returns the bytes that a source takes at most, with its resume points and this many blocks. */
export function sourceBytes(blocks: number): number {
  return POINTS * POINT_BYTES + blocks * BLOCK_BYTES;
}

/** The state that all sources of one object share: the blocks kept, and the bound on work. */
export class InflatedBlocks {
  readonly #most: number;
  readonly #blocks = new Map<string, Uint8Array>();
  #left: number;

  /**
   * Keeps at most `blocks` blocks of 64 KiB. At most `work` bytes may be read or inflated, which bounds the time that
   * reads further back take.
   */
  constructor(blocks: number, work: number) {
    this.#most = blocks;
    this.#left = work;
  }

  /** Returns a block that is kept, and makes it the youngest. */
  get(key: string): Uint8Array | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  /** Lets `work` bytes be read or inflated from now on. */
  grant(work: number): void {
    this.#left = work;
  }

  /** Accounts for bytes read or inflated. @throws LimitExceeded if they exceed the bound on work. */
  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw new LimitExceeded("delta-work", 0, "delta goes back and forth in its base too often to be applied here");
    }
  }

  /** Keeps a block that was inflated, in place of the oldest if there are too many. */
  put(key: string, block: Uint8Array): void {
    this.charge(block.length);
    if (this.#blocks.size >= this.#most) {
      const [oldest] = this.#blocks.keys();
      if (oldest !== undefined) this.#blocks.delete(oldest);
    }
    this.#blocks.set(key, block);
  }
}

/** One deflated entry, readable at any place. */
export class InflatedSource {
  readonly #inflating: Inflating;
  readonly #entry: DeflatedEntry;
  readonly #name: number;
  readonly #blocks: InflatedBlocks;
  /** The number of inflated bytes from one resume point to the next. */
  readonly #spacing: number;
  readonly #points: ResumePoint[] = [];
  #stream: InflateStream;

  /** `name` tells the sources that share `blocks` apart. Resume points are taken only if `noted` is set. */
  constructor(
    inflating: Inflating,
    entry: DeflatedEntry,
    place: { readonly blocks: InflatedBlocks; readonly name: number; readonly noted: boolean },
  ) {
    this.#inflating = inflating;
    this.#entry = entry;
    this.#name = place.name;
    this.#blocks = place.blocks;
    const apart = Math.ceil(entry.size / POINTS / BLOCK_BYTES) * BLOCK_BYTES;
    this.#spacing = place.noted ? Math.max(apart, 8 * BLOCK_BYTES) : Number.POSITIVE_INFINITY;
    this.#stream = new InflateStream(inflating, entry);
  }

  /**
   * Returns at least one of the `length` bytes at `offset`: a view, valid until the next call.
   *
   * @throws CorruptStore if the data has no byte at `offset`.
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const number = Math.floor(offset / BLOCK_BYTES);
    const block = await this.#block(number);
    const from = offset - number * BLOCK_BYTES;
    if (from >= block.length) throw new CorruptStore("a stored delta copies from behind its base");
    return block.subarray(from, from + length);
  }

  async #block(number: number): Promise<Uint8Array> {
    const kept = this.#blocks.get(`${this.#name} ${number}`);
    if (kept !== undefined) return kept;
    const at = number * BLOCK_BYTES;
    if (this.#stream.produced > at) this.#goBack(at);
    else this.#leap(at);
    for (;;) {
      const current = this.#stream.produced / BLOCK_BYTES;
      this.#note();
      const block = await this.#next();
      this.#blocks.put(`${this.#name} ${current}`, block);
      if (current === number || block.length < BLOCK_BYTES) return current === number ? block : new Uint8Array(0);
    }
  }

  #goBack(at: number): void {
    const point = this.#points.findLast(({ produced }) => produced <= at);
    this.#begin(point);
  }

  /**
   * Starts a stream, at a resume point if one is given. The cost charged is what the old stream had read ahead, which
   * is lost.
   */
  #begin(point: ResumePoint | undefined): void {
    this.#blocks.charge(READ_BYTES);
    this.#stream = new InflateStream(this.#inflating, this.#entry, point);
  }

  /** Continues from a resume point ahead of the stream, if one is nearer to `at`. */
  #leap(at: number): void {
    const point = this.#points.findLast(({ produced }) => produced <= at);
    if (point !== undefined && point.produced > this.#stream.produced) this.#begin(point);
  }

  #note(): void {
    const { produced } = this.#stream;
    // If there is no resume point yet, the first spacing counts from the stream's beginning.
    const last = this.#points.at(-1)?.produced ?? 0;
    if (produced < last + this.#spacing) return;
    const point = this.#stream.point();
    if (point !== undefined) this.#points.push(point);
  }

  /** Inflates one whole block, or the last one. */
  async #next(): Promise<Uint8Array> {
    const size = Math.min(BLOCK_BYTES, this.#entry.size - this.#stream.produced);
    const block = new Uint8Array(Math.max(0, size));
    for (let filled = 0; filled < block.length;) {
      const piece = await this.#stream.next(block.length - filled);
      if (piece === undefined) throw new CorruptStore("stored data is cut short");
      block.set(piece, filled);
      filled += piece.length;
    }
    return block;
  }
}
