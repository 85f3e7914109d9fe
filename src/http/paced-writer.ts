/**
 * Writes to a client at its pace, whatever carries the bytes.
 *
 * @packageDocumentation
 */
import type { ByteSink } from "../bytes/byte-stream.ts";
import { ClientTooSlow } from "../bytes/failure.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";

/** Bytes that have to be taken of an answer before a client counts as having made progress. */
const WRITE_STEP = 32_768;
/** A client whose write takes longer than this gets the rest in small pieces. Milliseconds. */
const SLOW_WRITE = 1000;

/** Writes an answer at the pace of its client. */
export class PacedWriter implements ByteSink {
  readonly #writer: ByteSink;
  readonly #memory: RequestMemory;
  #isSlow = false;
  #failure: ClientTooSlow | undefined;

  constructor(writer: ByteSink, memory: RequestMemory) {
    this.#writer = writer;
    this.#memory = memory;
  }

  /**
   * Writes bytes; to a slow client, in pieces small enough to see that it takes any.
   *
   * @throws ClientTooSlow
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, this.#isSlow ? at + WRITE_STEP : bytes.length);
      const began = Date.now();
      await this.#step(piece.length, this.#writer.write(piece));
      this.#isSlow = Date.now() - began >= SLOW_WRITE;
      at += piece.length;
    }
  }

  /** After one write was too slow, no other is waited for: nothing more can be said to the client. */
  async #step(bytes: number, written: Promise<void>): Promise<void> {
    written.catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#memory.whileClient(written, this.#isSlow);
      this.#memory.moved(bytes);
    } catch (error) {
      if (error instanceof ClientTooSlow) this.#failure = error;
      throw error;
    }
  }
}
