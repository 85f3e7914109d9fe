/**
 * Gives way: an isolate serves many requests and runs one at a time, so that a request which computes for a second without a pause makes
 * all others wait for a second. Awaiting what is already there is no pause, since microtasks run before anything else does.
 *
 * @packageDocumentation
 */

/** Lets everything else that waits have its turn: settles in a later turn of the event loop, not in a microtask. */
export type Pause = () => Promise<void>;

/** Steps after which a pause is due. A step is about as much work as looking at one byte, some 10 ns, so that this is some 30 ms. */
const STEPS_BETWEEN_PAUSES = 3_000_000;

/** Counts the steps of one request, and pauses after every so many. */
export class Pacer {
  readonly #pause: Pause;
  readonly #between: number;
  #steps = 0;
  #nextPause: number;

  constructor(pause: Pause, between = STEPS_BETWEEN_PAUSES) {
    this.#pause = pause;
    this.#between = between;
    this.#nextPause = between;
  }

  /** Steps of the request so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether {@link Pacer.pace} would pause: to be asked first in hot loops, where awaiting nothing costs, too. */
  get isDue(): boolean {
    return this.#steps >= this.#nextPause;
  }

  /** Counts steps that were taken. */
  add(steps: number): void {
    this.#steps += steps;
  }

  /** Pauses where it is time to. */
  async pace(): Promise<void> {
    if (!this.isDue) return;
    await this.#pause();
    this.#nextPause = this.#steps + this.#between;
  }
}
