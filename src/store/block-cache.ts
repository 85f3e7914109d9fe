/**
 * Pieces of stored files kept in memory, for all requests of an isolate. Bounded in bytes; what was used longest ago goes first.
 * Keys begin with the repository's id, so tenants never meet. Stored files never change, so nothing is ever invalidated.
 *
 * Blocks of packs come and go by the thousand. They are copied into memory that is used again and again: cut from what was read
 * they would keep all of it, and what is let go of would count against the isolate until it is collected.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../bytes/free-memory.ts";

/** Bytes of a block, but of a pack's last. */
export const BLOCK_BYTES = 64 * 1024;

/** A piece in the cache, or one that is no longer there. */
export class CachedBlock {
  /** The piece, unchanged; `undefined` once the cache has let go of it. Of a block, a view to be used before anything is awaited. */
  bytes: Uint8Array | undefined;
  /** Used since the cache last looked for something to let go of. */
  touched = false;
  /** Where its memory is the cache's own, and of the size that is used again. */
  readonly memory: Uint8Array<ArrayBuffer> | undefined;

  constructor(bytes: Uint8Array, memory?: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.memory = memory;
  }
}

/** Bytes by key. Who was not used for a round of letting go is let go of next: to use a piece moves nothing. */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<string, CachedBlock>();
  /** Memory of whole blocks that were let go of; with what is held it stays within the bound. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** The largest piece worth offering: one that does not push out everything else. */
  get largestBlock(): number {
    return this.#maxBytes * 0.75;
  }

  /** Lets go of all but about the youngest `bytes`, more than one reads at once: for who needs the memory more. */
  trim(bytes: number): void {
    this.#shrink(bytes);
    this.#freeBeyond(bytes);
  }

  /** Frees memory of blocks that were let go of, until all is within `bytes`. */
  #freeBeyond(bytes: number): void {
    while (this.#bytes + this.#free.length * BLOCK_BYTES > bytes) {
      const memory = this.#free.pop();
      if (memory === undefined) return;
      freeMemory(memory);
    }
  }

  #shrink(bytes: number): void {
    for (const [key, block] of this.#blocks) {
      if (this.#bytes <= bytes) return;
      this.#blocks.delete(key);
      if (block.touched) {
        block.touched = false;
        this.#blocks.set(key, block);
      } else {
        this.#letGo(block);
      }
    }
  }

  #letGo(block: CachedBlock): void {
    const { bytes, memory } = block;
    if (bytes === undefined) return;
    this.#bytes -= bytes.length;
    block.bytes = undefined;
    if (memory !== undefined) this.#free.push(memory);
  }

  /** Gives a piece, which stays unchanged, or `undefined`. */
  get(key: string): Uint8Array | undefined {
    return this.find(key)?.bytes;
  }

  /** Gives a piece as it is kept: who asks again and again need not look it up. */
  find(key: string): CachedBlock | undefined {
    const block = this.#blocks.get(key);
    if (block !== undefined) block.touched = true;
    return block;
  }

  /** Keeps a piece, from now on unchanged. One larger than the whole cache is not kept. */
  set(key: string, bytes: Uint8Array): void {
    if (bytes.length <= this.largestBlock) this.#put(key, new CachedBlock(bytes), bytes.length);
  }

  /** Keeps a copy of a block, of {@link BLOCK_BYTES} or, at a pack's end, fewer. */
  setBlock(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.largestBlock) return;
    // makes room first: what is let go of is what it is copied into
    this.#shrink(this.#maxBytes - bytes.length);
    const memory = (bytes.length === BLOCK_BYTES ? this.#free.pop() : undefined) ?? new Uint8Array(bytes.length);
    memory.set(bytes);
    this.#put(key, new CachedBlock(memory, bytes.length === BLOCK_BYTES ? memory : undefined), bytes.length);
  }

  #put(key: string, block: CachedBlock, length: number): void {
    const old = this.#blocks.get(key);
    if (old !== undefined) {
      this.#letGo(old);
      this.#blocks.delete(key);
    }
    this.#blocks.set(key, block);
    this.#bytes += length;
    this.#shrink(this.#maxBytes);
    this.#freeBeyond(this.#maxBytes);
  }
}
