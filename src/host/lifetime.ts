/**
 * The lifetime of a request: until its answer has gone out and all work that it left behind is done.
 *
 * @packageDocumentation
 */

/** The work of one request that outlives the call that answered it. */
export class Lifetime {
  readonly #work: Promise<unknown>[] = [];

  /** Adds work to wait for. Its owner handles its faults. */
  add(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  /** Settles when all work is done, including work added meanwhile. */
  async ended(): Promise<void> {
    for (let at = 0; at < this.#work.length; at++) {
      await Promise.allSettled([this.#work[at]]);
    }
  }
}
