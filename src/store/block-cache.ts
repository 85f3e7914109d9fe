/**
 * Pieces of stored files kept in memory, for all requests of an isolate. Bounded in bytes; what was used longest ago goes first.
 * Keys begin with the repository's id, so tenants never meet. Stored files never change, so nothing is ever invalidated.
 *
 * @packageDocumentation
 */

/** Bytes by key. */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<string, Uint8Array>();
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

  /** Lets go of all but the youngest `bytes`: for who needs the memory more. */
  trim(bytes: number): void {
    for (const [oldest, block] of this.#blocks) {
      if (this.#bytes <= bytes) return;
      this.#blocks.delete(oldest);
      this.#bytes -= block.length;
    }
  }

  /** Gives a piece, which stays unchanged, or `undefined`. */
  get(key: string): Uint8Array | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    // to the young end of the map's order
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  /** Keeps a piece, from now on unchanged. One larger than the whole cache is not kept. */
  set(key: string, block: Uint8Array): void {
    if (block.length > this.largestBlock) return;
    const old = this.#blocks.get(key);
    if (old !== undefined) {
      this.#bytes -= old.length;
      this.#blocks.delete(key);
    }
    this.#blocks.set(key, block);
    this.#bytes += block.length;
    this.trim(this.#maxBytes);
  }
}
