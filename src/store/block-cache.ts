/**
 * Pieces of stored files kept in memory, for all requests of an isolate. Bounded in bytes; what was used longest ago goes first.
 * Keys begin with the repository's id, so tenants never meet. Stored files never change, so nothing is ever invalidated.
 *
 * @packageDocumentation
 */

/** A piece in the cache, or one that is no longer there. */
export class CachedBlock {
  /** The piece, unchanged; `undefined` once the cache has let go of it. */
  bytes: Uint8Array | undefined;
  /** Used since the cache last looked for something to let go of. */
  touched = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Bytes by key. Who was not used for a round of letting go is let go of next: to use a piece moves nothing. */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<string, CachedBlock>();
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

  /** Lets go of all but about the youngest `bytes`: for who needs the memory more. */
  trim(bytes: number): void {
    for (const [key, block] of this.#blocks) {
      if (this.#bytes <= bytes) return;
      this.#blocks.delete(key);
      if (block.touched) {
        block.touched = false;
        this.#blocks.set(key, block);
      } else {
        this.#bytes -= block.bytes?.length ?? 0;
        block.bytes = undefined;
      }
    }
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
    if (bytes.length > this.largestBlock) return;
    const old = this.#blocks.get(key);
    if (old !== undefined) {
      this.#bytes -= old.bytes?.length ?? 0;
      old.bytes = undefined;
      this.#blocks.delete(key);
    }
    this.#blocks.set(key, new CachedBlock(bytes));
    this.#bytes += bytes.length;
    this.trim(this.#maxBytes);
  }
}
