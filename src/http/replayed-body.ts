/**
 * A request's body that can be read again from its beginning, as long as the repository that it is for is looked for.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";

/** The most bytes that are kept to be read again. */
const MOST_KEPT = 256 * 1024;

/** The body of one request. */
export class ReplayedBody implements ByteSource {
  #source: ByteSource | undefined;
  /** What was read; `undefined` once it is not kept any more. */
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  /** What is to be read again. */
  #again: Uint8Array[] = [];

  /** Returns this body. The first call opens it. */
  over(open: () => ByteSource): this {
    this.#source ??= open();
    return this;
  }

  /** Ends the keeping: the repository was found. */
  settle(): void {
    this.#kept = undefined;
  }

  /** Goes back to the beginning, which can be done once. Returns whether that was possible. */
  rewind(): boolean {
    if (this.#kept === undefined) return false;
    this.#again = this.#kept;
    this.settle();
    return true;
  }

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const next = this.#again.shift();
    if (next !== undefined) {
      const now = next.subarray(0, buffer.length);
      if (now.length < next.length) this.#again.unshift(next.subarray(now.length));
      buffer.set(now);
      return buffer.subarray(0, now.length);
    }
    if (this.#source === undefined) return buffer.subarray(0, 0);
    const bytes = await this.#source.read(buffer);
    this.#keep(bytes);
    return bytes;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#kept === undefined || bytes.length === 0) return;
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > MOST_KEPT) this.settle();
    else this.#kept.push(bytes.slice());
  }
}
