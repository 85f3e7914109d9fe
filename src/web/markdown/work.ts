/**
 * The work that one document costs. A parser that counts what it does can be interrupted, and ends in time.
 *
 * @packageDocumentation
 */

/** The most steps for one document, of about 10 ns each: as much as the longest document of words takes ten times over. */
const MOST_STEPS = 80_000_000;
/** Steps after which a parser lets its caller know, who may let others run. */
const STEPS_BETWEEN = 100_000;

/** Says that a document would take too long. */
export class TooMuchWork extends Error {
  override readonly name = "TooMuchWork";
}

/** Counts the steps of one document. */
export class Work {
  readonly #most: number;
  #steps = 0;
  #told = 0;

  constructor(most = MOST_STEPS) {
    this.#most = most;
  }

  /** Adds steps. @throws TooMuchWork beyond the bound. */
  add(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#most) throw new TooMuchWork();
  }

  /** Whether there is something to tell. */
  get isDue(): boolean {
    return this.#steps - this.#told >= STEPS_BETWEEN;
  }

  /** Returns the steps that were not told yet, which counts as telling them. */
  take(): number {
    const steps = this.#steps - this.#told;
    this.#told = this.#steps;
    return steps;
  }
}
