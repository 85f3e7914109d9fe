/**
 * What one writes another reads, in the same request: nothing is gathered in between.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "./byte-stream.ts";

/** A stream of bytes with both ends. One writer, one reader. */
export class BytePipe implements ByteSource, ByteSink {
  #piece: Uint8Array = new Uint8Array(0);
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Settles when the reader has taken all of `bytes`. @throws what the pipe failed with. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#piece = bytes;
    this.#notify();
    while (this.#piece.length > 0 && this.#failure === undefined) await this.#changed();
    this.#check();
  }

  /** Says that no more is written. */
  end(): void {
    this.#isEnded = true;
    this.#notify();
  }

  /** Breaks the pipe: both ends throw `error` from now on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#notify();
  }

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#piece.length === 0 && !this.#isEnded && this.#failure === undefined) await this.#changed();
    this.#check();
    const length = Math.min(buffer.length, this.#piece.length);
    buffer.set(this.#piece.subarray(0, length));
    this.#piece = this.#piece.subarray(length);
    this.#notify();
    return buffer.subarray(0, length);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #notify(): void {
    this.#wake();
  }

  /** Settles at the next change. The two ends never wait at once. */
  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
