/**
 * The least rate at which bytes have to come. A sender that gives a few bytes at a time looks alive and makes no
 * progress, and holds whatever waits for it for as long as it likes.
 *
 * @packageDocumentation
 */

/** Bytes per second that have to come on average. */
export const LEAST_RATE = 4096;

const SECOND = 1000;

/**
 * Counts for how long a sender may still be waited for. It begins with a credit of time. Waiting uses the credit up, and
 * bytes earn it back at {@link LEAST_RATE}. It never exceeds what it was at first: bytes that came fast do not pay for a
 * long silence behind them.
 *
 * Several reads may wait at once. Time in which at least one waits counts once for all of them: what the sender gives is
 * shared among them.
 */
export class LeastRate {
  readonly #credit: number;
  readonly #now: () => number;
  #left: number;
  /** How many reads wait, and until when the time of their waiting is counted. */
  #waiting = 0;
  #countedTo = 0;

  /** `credit` is in milliseconds. `now` gives the time in milliseconds. */
  constructor(credit: number, now: () => number = Date.now) {
    this.#credit = credit;
    this.#left = credit;
    this.#now = now;
  }

  /** The milliseconds for which the sender may be waited for from now on. Bytes that come meanwhile make it more. */
  get left(): number {
    this.#count();
    return this.#left;
  }

  /** Notes that a read begins to wait. */
  begin(): void {
    this.#count();
    this.#waiting++;
  }

  /** Notes that a read ends, and how many bytes it gave. Each read that began has to end, also one that fails. */
  end(bytes: number): void {
    this.#count();
    this.#waiting--;
    this.#left = Math.min(this.#credit, this.#left + (bytes * SECOND) / LEAST_RATE);
  }

  /** Counts the time up to now, if any read has waited. */
  #count(): void {
    const now = this.#now();
    if (this.#waiting > 0) this.#left = Math.max(0, this.#left - (now - this.#countedTo));
    this.#countedTo = now;
  }
}
