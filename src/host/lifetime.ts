/**
 * How long a request lasts: until its answer has gone out, and until all work is done that it left behind.
 *
 * @packageDocumentation
 */

/** Work of one request that outlives the call that answered it. */
export class Lifetime {
  readonly #work: Promise<unknown>[] = [];

  /** Adds work to wait for. Its faults are for its owner to handle. */
  add(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  /** Settles when all work is done, also what was added meanwhile. */
  async ended(): Promise<void> {
    for (let at = 0; at < this.#work.length; at++) {
      await Promise.allSettled([this.#work[at]]);
    }
  }
}
