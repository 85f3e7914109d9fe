/**
 * A log of bytes: small pieces are appended, and all of it is read once at the end. It is kept in blocks, so that many
 * small pieces take hardly more memory than their bytes, and growth copies nothing.
 *
 * @packageDocumentation
 */
import { freeMemory } from "./free-memory.ts";

const BLOCK_BYTES = 64 * 1024;

/** A log of bytes in blocks of 64 KiB. */
export class ByteLog {
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  /** Bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that the log takes. */
  get heldBytes(): number {
    return this.#blocks.length * BLOCK_BYTES;
  }

  /** Appends a copy of `bytes`. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const used = this.#length % BLOCK_BYTES;
      if (used === 0) this.#blocks.push(new Uint8Array(BLOCK_BYTES));
      const piece = bytes.subarray(at, at + BLOCK_BYTES - used);
      this.#blocks.at(-1)?.set(piece, used);
      this.#length += piece.length;
      at += piece.length;
    }
  }

  /** Yields the content block by block and empties the log. It does not keep a block that it has yielded. */
  *take(): Generator<Uint8Array<ArrayBuffer>> {
    let left = this.#length;
    for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) {
      yield block.subarray(0, left);
      left -= BLOCK_BYTES;
    }
    this.#length = 0;
  }

  /** Frees the memory at once, rather than when it is collected. */
  free(): void {
    for (const block of this.#blocks.splice(0)) freeMemory(block);
    this.#length = 0;
  }
}
