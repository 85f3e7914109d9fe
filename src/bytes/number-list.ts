/**
 * A growing list of unsigned 32-bit numbers. It is outside V8's heap and is freed at once after use, since a list of
 * nodes may have one number per object of a repository.
 *
 * @packageDocumentation
 */
import { freeMemory } from "./free-memory.ts";

const FIRST_LENGTH = 256;

/** A growing list of unsigned 32-bit numbers. */
export class NumberList {
  #numbers = new Uint32Array(FIRST_LENGTH);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends a number below 2³². */
  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Uint32Array(2 * this.#length);
      grown.set(this.#numbers);
      freeMemory(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = number;
  }

  /** Drops all numbers but the first `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** A view of all numbers, valid until the next {@link push}. */
  get view(): Uint32Array<ArrayBuffer> {
    return this.#numbers.subarray(0, this.#length);
  }

  /** Frees the memory. The list and its views must not be used afterwards. */
  free(): void {
    freeMemory(this.#numbers);
  }
}
