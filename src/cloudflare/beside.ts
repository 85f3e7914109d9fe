/**
 * Runs several batches of one queue at once where the platform hands them out one by one, as the simulator under
 * `npm start` does. A deployed queue has several consumers of its own (`max_concurrency` in `wrangler.toml`), and this
 * is not used.
 *
 * @packageDocumentation
 */

/** Runs work beside other work, a bounded number at once. */
export class Beside {
  readonly #running = new Set<Promise<void>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Begins work, and settles when there is room for more. `keep` gets the promise of the work, which must not be cut
   * short.
   */
  async begin(work: () => Promise<void>, keep: (work: Promise<void>) => void): Promise<void> {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
    keep(running);
    while (this.#running.size >= this.#most) await Promise.race(this.#running);
  }
}
