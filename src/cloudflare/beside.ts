/**
 * Several batches of one queue at once where the platform hands them out one by one, as the simulator does that `npm start` runs. Deployed,
 * the queue has consumers of its own for that (`max_concurrency` in `wrangler.toml`), and this is not used.
 *
 * @packageDocumentation
 */

/** Work that goes on beside other work, a bounded number at once. */
export class Beside {
  readonly #running = new Set<Promise<void>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins work, and settles when there is room for more of it. `keep` is told what must not be cut short. */
  async begin(work: () => Promise<void>, keep: (work: Promise<void>) => void): Promise<void> {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
    keep(running);
    while (this.#running.size >= this.#most) await Promise.race(this.#running);
  }
}
