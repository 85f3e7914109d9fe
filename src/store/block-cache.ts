/**
 * Caches parts of stored files in memory, for all requests of an isolate. The cache is bounded in bytes and evicts what
 * was used longest ago. Keys begin with the repository's id, so tenants never meet. Stored files never change, so
 * nothing is ever invalidated but what was found damaged.
 *
 * Blocks of packs come and go by the thousand. They are copied into memory that is reused. A view of what was read
 * would keep all of it alive, and evicted memory would count against the isolate until it is collected. Whole files
 * have a bound of their own and are not copied. Otherwise a walk over blocks would evict an index of megabytes that the
 * walk itself still holds.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../bytes/free-memory.ts";
import { type CachedPiece, ClockCache } from "./clock-cache.ts";

/** The size of every block in bytes, except a pack's last, which may be shorter. */
export const BLOCK_BYTES = 64 * 1024;
/** The bytes of blocks, and of files, that are kept however much is reclaimed. */
const LEAST_BYTES = 6 * 1024 * 1024;
/** The most bytes that a cache may hold, of files and of blocks. */
export type CacheBounds = { readonly files: number; readonly blocks: number };

/** A cache of whole files (or parts of them) and of blocks of packs. */
export class BlockCache {
  readonly #bounds: CacheBounds;
  readonly #onGrowth: () => void;
  /**
   * Files by their keys, as long as somebody refers to them. One that was evicted is found here while readers hold it:
   * else each of them would come to have a copy of its own.
   */
  readonly #inUse = new Map<string, WeakRef<Uint8Array>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#inUse.get(key)?.deref() === undefined) this.#inUse.delete(key);
  });
  readonly #files = new ClockCache();
  /** The memory of evicted blocks of full size, to be reused. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #blocks = new ClockCache((bytes) => {
    if (bytes.length === BLOCK_BYTES) this.#free.push(bytes);
  });

  /** `onGrowth` is called when something was added. */
  constructor(bounds: CacheBounds, onGrowth: () => void = () => undefined) {
    this.#bounds = bounds;
    this.#onGrowth = onGrowth;
  }

  /** The number of bytes held, spare memory included. */
  get byteLength(): number {
    return this.#files.byteLength + this.#blocks.byteLength + this.#free.length * BLOCK_BYTES;
  }

  /**
   * Evicts all but about the youngest `bytes`, for a caller that needs the memory more. `bytes` must exceed what is
   * read at once. Files are kept in preference to blocks.
   */
  trim(bytes: number): void {
    this.#files.shrink(bytes);
    this.trimBlocks(bytes - this.#files.byteLength);
  }

  /**
   * Evicts about `bytes`, blocks before files. Some of both always stay, because otherwise readers would keep evicting
   * what they need next.
   */
  reclaim(bytes: number): void {
    const goal = this.byteLength - bytes;
    this.trimBlocks(Math.max(LEAST_BYTES, goal - this.#files.byteLength));
    const rest = this.byteLength - this.#files.byteLength;
    this.#files.shrink(Math.max(LEAST_BYTES, goal - rest));
  }

  /** Evicts blocks, and frees spare memory, until about the youngest `bytes` of blocks remain. */
  trimBlocks(bytes: number): void {
    this.#blocks.shrink(bytes);
    while (this.#blocks.byteLength + this.#free.length * BLOCK_BYTES > bytes) {
      const memory = this.#free.pop();
      if (memory === undefined) return;
      freeMemory(memory);
    }
  }

  /** Frees all memory, that of files too. The caller vouches that nobody reads bytes of this cache any more. */
  free(): void {
    this.trimBlocks(0);
    for (const bytes of this.#files.takeAll()) freeMemory(bytes);
    this.#inUse.clear();
  }

  /** Returns a file, or a part of one. The bytes are shared and must not be changed. */
  get(key: string): Uint8Array | undefined {
    return this.#files.find(key)?.bytes ?? this.#inUse.get(key)?.deref();
  }

  /**
   * Keeps a file, or a part of one, which must not change from now on. Bytes larger than the whole bound for files are
   * not kept.
   */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > this.#bounds.files) return;
    this.#files.set(key, bytes);
    this.#inUse.set(key, new WeakRef(bytes));
    this.#collected.register(bytes, key);
    this.#files.shrink(this.#bounds.files);
    this.#onGrowth();
  }

  /** Forgets the files, and parts of files, whose keys begin with `prefix`. */
  forget(prefix: string): void {
    this.#files.forget(prefix);
    for (const key of this.#inUse.keys()) if (key.startsWith(prefix)) this.#inUse.delete(key);
  }

  /** Returns a block as the cache keeps it. Its bytes are a view that is valid only until something is awaited. */
  findBlock(key: string): CachedPiece | undefined {
    return this.#blocks.find(key);
  }

  /** Keeps a copy of a block of {@link BLOCK_BYTES} or, at a pack's end, fewer bytes. */
  setBlock(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#bounds.blocks) return;
    // Make room first. A whole block is copied into the memory of an evicted one. A shorter block is not, so that
    // memory is freed.
    if (bytes.length === BLOCK_BYTES) this.#blocks.shrink(this.#bounds.blocks - bytes.length);
    else this.trimBlocks(this.#bounds.blocks - bytes.length);
    const memory = (bytes.length === BLOCK_BYTES ? this.#free.pop() : undefined) ?? new Uint8Array(bytes.length);
    memory.set(bytes);
    this.#blocks.set(key, memory);
    this.#onGrowth();
  }
}
