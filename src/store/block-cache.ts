/**
 * Pieces of stored files kept in memory, for all requests of an isolate. Bounded in bytes; what was used longest ago goes first.
 * Keys begin with the repository's id, so tenants never meet. Stored files never change, so nothing is ever invalidated.
 *
 * Blocks of packs come and go by the thousand. They are copied into memory that is used again and again: cut from what was read
 * they would keep all of it, and what is let go of would count against the isolate until it is collected. Whole files have room of
 * their own: a walk would push an index of megabytes out while who walks still holds it.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../bytes/free-memory.ts";
import { type CachedPiece, ClockCache } from "./clock-cache.ts";

/** Bytes of a block, but of a pack's last. */
export const BLOCK_BYTES = 64 * 1024;
/** What is kept of blocks, and of files, however much is reclaimed. */
const LEAST_BYTES = 6 * 1024 * 1024;
/** What a cache may hold, in bytes. */
export type CacheBounds = { readonly files: number; readonly blocks: number };

/** The pieces. */
export class BlockCache {
  readonly #bounds: CacheBounds;
  readonly #files = new ClockCache();
  /** Memory of whole blocks that were let go of. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #blocks = new ClockCache((bytes) => {
    if (bytes.length === BLOCK_BYTES) this.#free.push(bytes);
  });

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#files.byteLength + this.#blocks.byteLength + this.#free.length * BLOCK_BYTES;
  }

  /** Lets go of all but about the youngest `bytes`, more than one reads at once: for who needs the memory more. */
  trim(bytes: number): void {
    this.#files.shrink(bytes);
    this.trimBlocks(bytes - this.#files.byteLength);
  }

  /** Lets go of about `bytes`, where so much is left: blocks first, but of both some stay, or whoever reads would read in circles. */
  reclaim(bytes: number): void {
    const goal = this.byteLength - bytes;
    this.trimBlocks(Math.max(LEAST_BYTES, goal - this.#files.byteLength));
    const rest = this.byteLength - this.#files.byteLength;
    this.#files.shrink(Math.max(LEAST_BYTES, goal - rest));
  }

  /** Lets go of all blocks but about the youngest `bytes`, as {@link trim}. */
  trimBlocks(bytes: number): void {
    this.#blocks.shrink(bytes);
    while (this.#blocks.byteLength + this.#free.length * BLOCK_BYTES > bytes) {
      const memory = this.#free.pop();
      if (memory === undefined) return;
      freeMemory(memory);
    }
  }

  /** Frees all memory, that of files too: nobody reads what came from here any more. */
  free(): void {
    this.trimBlocks(0);
    for (const bytes of this.#files.takeAll()) freeMemory(bytes);
  }

  /** Gives a file, or a part of one, which stays unchanged. */
  get(key: string): Uint8Array | undefined {
    return this.#files.find(key)?.bytes;
  }

  /** Keeps a file, or a part of one, from now on unchanged. One larger than all that files may take is not kept. */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > this.#bounds.files) return;
    this.#files.set(key, bytes);
    this.#files.shrink(this.#bounds.files);
  }

  /** Gives a block as it is kept: its bytes are a view that is to be used before anything is awaited. */
  findBlock(key: string): CachedPiece | undefined {
    return this.#blocks.find(key);
  }

  /** Keeps a copy of a block, of {@link BLOCK_BYTES} or, at a pack's end, fewer. */
  setBlock(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#bounds.blocks) return;
    // Room is made first. A whole block is copied into memory that was let go of; a shorter one is not, so that memory is freed.
    if (bytes.length === BLOCK_BYTES) this.#blocks.shrink(this.#bounds.blocks - bytes.length);
    else this.trimBlocks(this.#bounds.blocks - bytes.length);
    const memory = (bytes.length === BLOCK_BYTES ? this.#free.pop() : undefined) ?? new Uint8Array(bytes.length);
    memory.set(bytes);
    this.#blocks.set(key, memory);
  }
}
