/**
 * Cuts a push's request where its pack begins: behind the commands, and behind push options if there are any.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import { CommandFailure } from "./failure.ts";

const LENGTH_DIGITS = 4;

/** Takes pieces of a request until the head is whole. */
export class PushRequestHead {
  #bytes = Buffer.alloc(0);
  #at = 0;
  /** Whether push options follow the commands; known from the first line. */
  #sectionsLeft = 1;
  #isFirst = true;

  /**
   * Takes a piece; returns head and the beginning of the pack once the head is there.
   *
   * @throws CommandFailure if it is none.
   */
  push(piece: Uint8Array): { readonly head: Buffer; readonly rest: Buffer } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    while (this.#at + LENGTH_DIGITS <= this.#bytes.length) {
      const digits = this.#bytes.toString("latin1", this.#at, this.#at + LENGTH_DIGITS);
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
      if (length === 0) {
        this.#at += LENGTH_DIGITS;
        this.#sectionsLeft -= 1;
        if (this.#sectionsLeft === 0) return this.#cut();
        continue;
      }
      if (!(length >= LENGTH_DIGITS)) throw new CommandFailure("git sent what is no push");
      if (this.#at + length > this.#bytes.length) return undefined;
      this.#look(this.#bytes.toString("latin1", this.#at + LENGTH_DIGITS, this.#at + length));
      this.#at += length;
    }
    return undefined;
  }

  /** Returns what has come of a head that has no end. */
  get unfinished(): Buffer {
    return this.#bytes;
  }

  #look(line: string): void {
    // Lines about a shallow clone come before the one that has the capabilities.
    if (!this.#isFirst || line.startsWith("shallow ")) return;
    this.#isFirst = false;
    const capabilities = line.split("\0")[1]?.trim().split(" ") ?? [];
    if (capabilities.includes("push-options")) this.#sectionsLeft += 1;
  }

  #cut(): { head: Buffer; rest: Buffer } {
    return { head: this.#bytes.subarray(0, this.#at), rest: this.#bytes.subarray(this.#at) };
  }
}
