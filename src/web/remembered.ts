/**
 * What an isolate remembers of searches that views of pages have begun: as much as fits into a bound, and what was used
 * last.
 *
 * @packageDocumentation
 */

/** Values of some size, each under a key. */
export class Remembered<T> {
  readonly #most: number;
  /** What was used longest ago comes first. */
  readonly #values = new Map<string, { readonly value: T; readonly bytes: number }>();
  #bytes = 0;

  /** `most` is how many bytes are remembered. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The bytes that are remembered. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns a value; `undefined` if there is none. */
  read(key: string): T | undefined {
    const kept = this.#values.get(key);
    if (kept === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, kept);
    return kept.value;
  }

  /** Remembers a value, which takes about this many bytes beside its key, in place of what was there. */
  keep(key: string, value: T, bytes: number): void {
    this.#forget(key);
    const all = bytes + 2 * key.length;
    this.#values.set(key, { value, bytes: all });
    this.#bytes += all;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#most) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#values.get(key)?.bytes ?? 0; // What is not there takes nothing.
    this.#values.delete(key);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns a text of its own. A part of a long text is a view of it, and would keep it in memory as long as an isolate remembers. */
export function copied(text: string): string {
  return decoder.decode(encoder.encode(text));
}
