/**
 * A growing list of unsigned 32-bit numbers outside V8's heap, freed at once when it is done with: lists of nodes are as long as
 * there are objects.
 *
 * @packageDocumentation
 */
import { freeMemory } from "./free-memory.ts";

const FIRST_LENGTH = 256;

/** The list. */
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

  /** Gives a view of all numbers, good until the next {@link push}. */
  get view(): Uint32Array<ArrayBuffer> {
    return this.#numbers.subarray(0, this.#length);
  }

  /** Frees the memory; the list, and what was seen of it, is not used afterwards. */
  free(): void {
    freeMemory(this.#numbers);
  }
}
