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
 */
export class LeastRate {
  readonly #credit: number;
  #left: number;

  /** `credit` is in milliseconds. */
  constructor(credit: number) {
    this.#credit = credit;
    this.#left = credit;
  }

  /** The milliseconds for which the sender may be waited for now. */
  get left(): number {
    return this.#left;
  }

  /** Counts bytes that came, and the milliseconds for which they were waited for. */
  add(bytes: number, waited: number): void {
    const left = Math.max(0, this.#left - waited) + (bytes * SECOND) / LEAST_RATE;
    this.#left = Math.min(this.#credit, left);
  }
}
