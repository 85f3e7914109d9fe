/**
 * Deflated data read at any place. It can only be inflated forward, so places are noted on the way from which to go on when
 * something before is wanted, and the blocks that came last are kept.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded } from "../bytes/failure.ts";
import { type DeflatedEntry, InflateStream, READ_BYTES, type ResumePoint } from "./inflate-stream.ts";
import type { Inflating } from "./inflating.ts";

/** Bytes of a block. */
const BLOCK_BYTES = 65_536;
/** Places noted in one stream; each takes 45 KB. */
const POINTS = 32;

/** What all sources of one object share: the blocks kept, and the work done. */
export class InflatedBlocks {
  readonly #most: number;
  readonly #blocks = new Map<string, Uint8Array>();
  #left: number;

  /** `blocks` of 64 KiB are kept; `work` bytes may be inflated, which bounds the time that going back takes. */
  constructor(blocks: number, work: number) {
    this.#most = blocks;
    this.#left = work;
  }

  /** Gives a block that is kept, which makes it the youngest. */
  get(key: string): Uint8Array | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  /** Accounts for work: bytes read or inflated. @throws LimitExceeded where that is too much. */
  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw new LimitExceeded("delta-work", 0, "delta goes back and forth in its base too often to be applied here");
    }
  }

  /** Keeps a block that was inflated; the oldest gives way. */
  put(key: string, block: Uint8Array): void {
    this.charge(block.length);
    if (this.#blocks.size >= this.#most) {
      const [oldest] = this.#blocks.keys();
      if (oldest !== undefined) this.#blocks.delete(oldest);
    }
    this.#blocks.set(key, block);
  }
}

/** One source. */
export class InflatedSource {
  readonly #inflating: Inflating;
  readonly #entry: DeflatedEntry;
  readonly #name: number;
  readonly #blocks: InflatedBlocks;
  /** Bytes from one noted place to the next. */
  readonly #spacing: number;
  readonly #points: ResumePoint[] = [];
  #stream: InflateStream;

  /** `name` tells the sources that share `blocks` apart; of a source that is `noted`, places are. */
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

  /** Gives bytes from `offset` on, some of the `length` that are there: a view, valid until the next call. */
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

  /** What it read ahead before is lost, which is what beginning costs. */
  #begin(point: ResumePoint | undefined): void {
    this.#blocks.charge(READ_BYTES);
    this.#stream = new InflateStream(this.#inflating, this.#entry, point);
  }

  /** Goes on from a place noted before where that is nearer. */
  #leap(at: number): void {
    const point = this.#points.findLast(({ produced }) => produced <= at);
    if (point !== undefined && point.produced > this.#stream.produced) this.#begin(point);
  }

  #note(): void {
    const { produced } = this.#stream;
    // Without a point so far the stream is at its beginning.
    const last = this.#points.at(-1)?.produced ?? 0;
    if (produced < last + this.#spacing) return;
    const point = this.#stream.point();
    if (point !== undefined) this.#points.push(point);
  }

  /** Inflates a whole block, or the last one. */
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
