/**
 * A sink that gathers small writes before it passes them on.
 *
 * @packageDocumentation
 */
import type { ByteSink } from "./byte-stream.ts";

/** The bytes of text that are gathered. */
const TEXT_BYTES = 32_768;

/** Gathers small writes into larger ones. Many small ones cost more for calls than for bytes. */
export class CollectedSink implements ByteSink {
  readonly #output: ByteSink;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #used = 0;

  /** Gathers this many bytes. */
  constructor(output: ByteSink, bytes: number) {
    this.#output = output;
    this.#buffer = new Uint8Array(bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + this.#buffer.length - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
      if (this.#used === this.#buffer.length) await this.end();
    }
  }

  /** Writes the bytes that were gathered. */
  async end(): Promise<void> {
    if (this.#used > 0) await this.#output.write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

/** Writes pieces of text, small ones together. The first goes out by itself, so that the answer begins. */
export async function writeCollected(output: ByteSink, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const collected = new CollectedSink(output, TEXT_BYTES);
  let isFirst = true;
  for await (const piece of pieces) {
    await collected.write(piece);
    if (isFirst) await collected.end();
    isFirst = false;
  }
  await collected.end();
}
