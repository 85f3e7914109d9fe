/**
 * One stored pack, open for reading: where its objects are, what types they have, and their bytes. Each question is
 * answered with as few and as large reads of the bucket as suit it.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { typeAtPosition, packTypesBytes } from "../format/pack-types.ts";
import { PackIndex, PackIndexHead, decodeOffsetRow, lowerBound, type IndexRange } from "../format/pack-index.ts";
import { BLOCK_BYTES } from "./block-cache.ts";
import type { HelpingFile } from "../catalog/damaged-file.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { CachedPiece } from "./clock-cache.ts";
import { findInRanges, FIND_STEPS } from "./index-ranges.ts";
import { READING } from "./reading-policy.ts";
import type { PackByteStream, PackExtension } from "../catalog/pack-storage.ts";
import type { PackContext, PackPlace, ReadingTools } from "./pack-place.ts";

/** A pack of the catalog, open for reading. */
export class PackHandle {
  readonly record: PackRecord;
  readonly head: PackIndexHead;
  /** Counts the work of the request. */
  readonly pacer: Pacer;
  /** What the pack is read with, and where. */
  readonly context: ReadingTools & PackPlace;
  #index: PackIndex | undefined;
  #entries: ReadonlyMap<number, Uint8Array> | undefined;
  /**
   * The blocks of the pack that were in the cache when they were last looked up. Their bytes may have been evicted
   * since.
   */
  readonly #blocks = new Map<number, CachedPiece>();
  #lookups = 0;
  /** The number of block reads so far. */
  #reads = 0;
  #blockBytesRead = 0;
  /**
   * The next block of each sequential reader, and the number of blocks that its last read took. A walk makes many such
   * readers.
   */
  readonly #goingOn = new Map<number, number>();

  constructor(record: PackRecord, context: PackContext) {
    this.record = record;
    this.pacer = context.pacer;
    const { cache, format, hash, memory } = context;
    this.context = { cache, format, hash, ...(memory && { memory }), ...context.placeOf(record) };
    this.head = new PackIndexHead(record.indexHead, context.format);
    if (record.indexHead.length === record.indexBytes) this.#index = new PackIndex(record.indexHead, context.format);
  }

  /** The whole index, if it is in memory. */
  get index(): PackIndex | undefined {
    return this.#index;
  }

  /** The bytes of the pack that were read in blocks so far. */
  get blockBytesRead(): number {
    return this.#blockBytesRead;
  }

  /** Reads the whole index (about 28 bytes per object), once. */
  async loadIndex(): Promise<PackIndex> {
    this.#index ??= new PackIndex(await this.#cached("idx", 0, this.record.indexBytes), this.context.format);
    return this.#index;
  }

  /** Reads `length` bytes of a file that goes with the pack: all of it, or a part. They are shared with the cache. */
  async readFile(extension: PackExtension, length: number, offset = 0): Promise<Uint8Array> {
    return await this.#cached(extension, offset, length);
  }

  /** Notes that a file beside the pack can't be used. What was read of it is forgotten: it may be made anew with the same name. */
  noteDamage(extension: HelpingFile): void {
    const { cache, scope, noteDamage } = this.context;
    cache.forget(`${scope}/${this.record.name}.${extension}:`);
    noteDamage?.(this.record.name, extension);
  }

  /**
   * Reads `[offset, offset + length)` of the pack without the cache, for bytes that are on their way out. The caller
   * owns the memory.
   */
  async readRun(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.context.storage.read({ pack: this.record.name, extension: "pack" }, offset, length);
  }

  /** Opens `[offset, offset + length)` of the pack for sequential reading, as one operation. */
  async openRun(offset: number, length: number): Promise<PackByteStream> {
    return await this.context.storage.openStream({ pack: this.record.name, extension: "pack" }, offset, length);
  }

  #keyOf(extension: PackExtension, offset: number, length: number): string {
    return `${this.context.scope}/${this.record.name}.${extension}:${offset}+${length}`;
  }

  async #cached(extension: PackExtension, offset: number, length: number): Promise<Uint8Array> {
    const { cache, storage } = this.context;
    const key = this.#keyOf(extension, offset, length);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const bytes = await storage.read({ pack: this.record.name, extension }, offset, length);
    cache.set(key, bytes);
    return bytes;
  }

  /**
   * Finds raw names. `names` holds them one after the other, and `wanted` lists which of them to find. Returns the
   * position in the index of each name in `wanted`, or -1.
   */
  async find(names: Uint8Array, wanted: Uint32Array): Promise<Int32Array<ArrayBuffer>> {
    const rawSize = this.context.format.rawSize;
    const nameOf = (i: number): Uint8Array =>
      names.subarray(u32At(wanted, i) * rawSize, (u32At(wanted, i) + 1) * rawSize);
    if (wanted.length === 0 || this.record.objects === 0) return new Int32Array(wanted.length).fill(-1);
    const buckets = new Set<number>();
    for (const i of wanted) buckets.add(u8At(names, i * rawSize));
    const index = await this.#indexFor(wanted.length, buckets.size);
    if (index !== undefined) {
      const found = new Int32Array(wanted.length);
      await this.pacer.forEach(wanted.length, FIND_STEPS, (i) => {
        found[i] = index.find(nameOf(i));
      });
      return found;
    }
    const read = async (range: IndexRange): Promise<Uint8Array> => await this.#cached("idx", ...rangeOf(range));
    return await findInRanges({ head: this.head, pacer: this.pacer, read }, { count: wanted.length, nameOf });
  }

  /**
   * Returns the raw names that begin with an abbreviated name of at least two digits, and at most `most` of them. It
   * reads a bucket of the index if the index is not in memory.
   */
  async namesBeginningWith(digits: string, most: number): Promise<Uint8Array[]> {
    const rawSize = this.context.format.rawSize;
    const low = fromHex(digits.padEnd(2 * rawSize, "0"));
    if (low === undefined || digits.length < 2 || this.record.objects === 0) return [];
    const [first, last] = this.head.bucketOf(low);
    if (first === last) return [];
    const range = this.head.namesRange(first, last);
    const names =
      this.#index?.names.subarray(first * rawSize, last * rawSize) ??
      (await this.#cached("idx", range.offset, range.length));
    const found: Uint8Array[] = [];
    for (let at = lowerBound(names, low) * rawSize; at < names.length && found.length < most; at += rawSize) {
      const name = names.subarray(at, at + rawSize);
      if (!toHex(name).startsWith(digits)) break;
      found.push(name);
    }
    return found;
  }

  /** Returns the whole index if it is in memory or small, or if there were enough look-ups to make it worth reading. */
  async #indexFor(lookups: number, buckets: number): Promise<PackIndex | undefined> {
    if (this.#index !== undefined) return this.#index;
    const { indexBytes } = this.record;
    this.#lookups += lookups < READING.manyLookups ? lookups : 0;
    const isWorthIt =
      indexBytes <= READING.wholeIndexBytes ||
      this.isIndexAtHand ||
      this.#lookups > READING.manyLookups ||
      (buckets >= READING.manyBuckets && indexBytes <= READING.largeIndexBytes);
    return isWorthIt ? await this.loadIndex() : undefined;
  }

  /** Returns the offsets at which the entries of the objects at these index positions begin. */
  async offsets(positions: readonly number[]): Promise<number[]> {
    const index = this.#index;
    if (index !== undefined) return positions.map((position) => index.offsetAt(position));
    if (positions.length > READING.manyBuckets) {
      const whole = await this.loadIndex();
      return positions.map((position) => whole.offsetAt(position));
    }
    return await Promise.all(positions.map((position) => this.#offset(position)));
  }

  async #offset(position: number): Promise<number> {
    const first = position - (position % READING.offsetRows);
    const last = Math.min(first + READING.offsetRows, this.record.objects);
    const rows = await this.#cached("idx", ...rangeOf(this.head.offsetsRange(first, last)));
    const offset = decodeOffsetRow(new DataView(rows.buffer, rows.byteOffset).getUint32((position - first) * 4));
    if ("offset" in offset) return offset.offset;
    const large = await this.#cached("idx", ...rangeOf(this.head.largeOffsetsRange(offset.large, offset.large + 1)));
    return Number(new DataView(large.buffer, large.byteOffset, 8).getBigUint64(0));
  }

  /** Returns the type numbers of the objects at these index positions. */
  async types(positions: readonly number[]): Promise<number[]> {
    const all = await this.allTypes();
    return positions.map((position) => typeAtPosition(all, position));
  }

  /** Whether the types of the objects are in memory. */
  get typesAtHand(): boolean {
    return this.record.kinds !== undefined || this.#isAtHand("kinds", packTypesBytes(this.record.objects));
  }

  /** Whether the whole index is in memory, of this request or of another one. */
  get isIndexAtHand(): boolean {
    return this.#index !== undefined || this.#isAtHand("idx", this.record.indexBytes);
  }

  #isAtHand(extension: PackExtension, bytes: number): boolean {
    return this.context.cache.get(this.#keyOf(extension, 0, bytes)) !== undefined;
  }

  /** Returns the types of all objects, encoded: see `format/pack-types.ts`. */
  async allTypes(): Promise<Uint8Array> {
    return this.record.kinds ?? (await this.#cached("kinds", 0, packTypesBytes(this.record.objects)));
  }

  /**
   * Serves these entries, keyed by offset, from memory until others are given. A reader that goes on past an entry's
   * end reads the bucket.
   */
  hold(entries: ReadonlyMap<number, Uint8Array> | undefined): void {
    this.#entries = entries;
  }

  /** Whether the entry that begins at `offset` was given to {@link PackHandle.hold}. */
  holds(offset: number): boolean {
    return this.#entries?.has(offset) === true;
  }

  /**
   * Returns the pack's bytes from `offset` to the end of their block or held entry, if they are in memory. The view is
   * valid only until something is awaited: its memory is reused.
   */
  bytesAtHand(offset: number): Uint8Array | undefined {
    const entry = this.#entries?.get(offset);
    if (entry !== undefined) return entry;
    const number = Math.floor(offset / BLOCK_BYTES);
    return this.#blockAtHand(number)?.subarray(offset - number * BLOCK_BYTES);
  }

  #blockAtHand(number: number): Uint8Array | undefined {
    let block = this.#blocks.get(number);
    if (block?.bytes === undefined) {
      block = this.context.cache.findBlock(this.#blockKey(number));
      if (block === undefined) return undefined;
      this.#blocks.set(number, block);
    }
    block.touched = true;
    return block.bytes;
  }

  /**
   * Returns the pack's bytes from `offset` to the end of their block or held entry, and reads them if they are not in
   * memory. The view is valid only until something else is awaited.
   *
   * @throws CorruptStore if `offset` is past the pack's end.
   */
  async bytesFrom(offset: number): Promise<Uint8Array> {
    const atHand = this.bytesAtHand(offset);
    if (atHand !== undefined) return atHand;
    if (offset >= this.record.packBytes)
      throw new CorruptStore("offset past the end of the pack", { pack: this.record.name, offset });
    const first = Math.floor(offset / BLOCK_BYTES);
    const block = await this.#loadBlocks(first);
    return block.subarray(offset - first * BLOCK_BYTES);
  }

  /**
   * Reads the blocks at these offsets, all at once, if they are not in memory. It is a hint: of very many, only some
   * are read.
   */
  async prefetch(offsets: readonly number[]): Promise<void> {
    const { packBytes } = this.record;
    const isMedium = packBytes <= READING.mediumPackBytes;
    const missing = new Set<number>();
    for (const offset of offsets) {
      const block = packBytes <= READING.smallPackBytes ? 0 : Math.floor(offset / BLOCK_BYTES);
      if (this.bytesAtHand(block * BLOCK_BYTES) === undefined) missing.add(block);
    }
    const runs: { first: number; last: number }[] = [];
    for (const block of [...missing].sort((a, b) => a - b).slice(0, READING.mostPrefetched)) {
      const run = runs.at(-1);
      const [near, most] = isMedium
        ? [READING.mediumGroupBlocks, 2 * READING.mediumGroupBlocks]
        : [2, READING.mostBlocks];
      if (run !== undefined && block - run.last <= near && block - run.first < most) run.last = block;
      else runs.push({ first: block, last: block });
    }
    for (let next = 0; next < runs.length; next += READING.readsAtOnce) {
      await Promise.all(
        runs.slice(next, next + READING.readsAtOnce).map(async ({ first, last }) => {
          // Some more are read: an entry that begins at a block's end continues in the next.
          const more = this.#reads < READING.fewReads ? 4 : 2;
          const blocks = packBytes <= READING.smallPackBytes ? READING.mostBlocks : last - first + more;
          freeMemory(await this.#readBlocks(first, blocks));
        }),
      );
    }
  }

  /** Reads the group of blocks around an offset, by default half a megabyte to two. @throws CorruptStore */
  async loadAround(offset: number, blocks = this.#groupBlocks): Promise<void> {
    if (offset >= this.record.packBytes)
      throw new CorruptStore("offset past the end of the pack", { pack: this.record.name, offset });
    const group = Math.floor(offset / (blocks * BLOCK_BYTES));
    freeMemory(await this.#readBlocks(group * blocks, blocks));
    this.#noteEnd((group + 1) * blocks, blocks);
  }

  get #groupBlocks(): number {
    if (this.record.packBytes <= READING.mediumPackBytes) return READING.mediumGroupBlocks;
    return this.#reads < READING.fewReads ? READING.fewGroupBlocks : READING.groupBlocks;
  }

  #blockKey(block: number): string {
    return `${this.context.scope}/${this.record.name}.pack#${block}`;
  }

  /**
   * Reads a block, and more after it while the reader goes forward. Returns the cache's memory or, if the cache keeps
   * none, a copy.
   */
  async #loadBlocks(first: number): Promise<Uint8Array> {
    const isSmall = this.record.packBytes <= READING.smallPackBytes;
    const from = isSmall ? 0 : first;
    const before = this.#goingOn.get(first);
    this.#goingOn.delete(first);
    // A reader that continues where a read ended is walking.
    const alone = this.#reads < READING.fewReads ? 2 : 1;
    const ahead = before === undefined ? alone : Math.min(before * READING.readOn, this.#groupBlocks);
    const bytes = await this.#readBlocks(from, isSmall ? READING.mostBlocks : ahead);
    this.#noteEnd(from + Math.ceil(bytes.length / BLOCK_BYTES), ahead);
    const block =
      this.#blockAtHand(first) ?? bytes.slice((first - from) * BLOCK_BYTES, (first - from + 1) * BLOCK_BYTES);
    freeMemory(bytes);
    return block;
  }

  #noteEnd(block: number, ahead: number): void {
    this.#goingOn.set(block, ahead);
    for (const oldest of this.#goingOn.keys()) {
      if (this.#goingOn.size <= READING.mostReaders) return;
      this.#goingOn.delete(oldest);
    }
  }

  /**
   * Reads `count` blocks, or fewer at the pack's end, as one operation. The cache keeps copies; the caller owns the
   * bytes returned.
   */
  async #readBlocks(first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    const { packBytes, name } = this.record;
    this.#reads++;
    const offset = first * BLOCK_BYTES;
    const length = Math.min(count * BLOCK_BYTES, packBytes - offset);
    this.#blockBytesRead += length;
    const bytes = await this.context.storage.read({ pack: name, extension: "pack" }, offset, length);
    for (let at = 0; at < length; at += BLOCK_BYTES) {
      this.context.cache.setBlock(this.#blockKey(first + at / BLOCK_BYTES), bytes.subarray(at, at + BLOCK_BYTES));
    }
    return bytes;
  }
}

function rangeOf(range: IndexRange): [offset: number, length: number] {
  return [range.offset, range.length];
}
