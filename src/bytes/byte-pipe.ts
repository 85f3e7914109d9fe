/**
 * A pipe between a writer and a reader of the same request. It holds nothing but the piece that is being written.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "./byte-stream.ts";

/** A pipe for one writer and one reader. */
export class BytePipe implements ByteSource, ByteSink {
  #piece: Uint8Array = new Uint8Array(0);
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Resolves when the reader has taken all of `bytes`. @throws the error with which the pipe failed. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#piece = bytes;
    this.#notify();
    while (this.#piece.length > 0 && this.#failure === undefined) await this.#changed();
    this.#check();
  }

  /** Ends the stream. The writer must not write any more. */
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

  /** Resolves at the next change. The two ends never wait at the same time. */
  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
