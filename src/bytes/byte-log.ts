/**
 * Bytes that are appended bit by bit and read once at the end: in blocks, so that many small pieces take no more memory than their
 * bytes, and growing copies nothing.
 *
 * @packageDocumentation
 */
const BLOCK_BYTES = 64 * 1024;

/** Bytes in blocks. */
export class ByteLog {
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  /** Bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it takes. */
  get heldBytes(): number {
    return this.#blocks.length * BLOCK_BYTES;
  }

  /** Appends bytes, which are copied. */
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

  /** Gives all of it, block by block, and lets each go once the next is asked for. */
  *take(): Generator<Uint8Array<ArrayBuffer>> {
    let left = this.#length;
    for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) {
      yield block.subarray(0, left);
      left -= BLOCK_BYTES;
    }
    this.#length = 0;
  }
}
