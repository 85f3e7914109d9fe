/**
 * Decides which requests end because their clients are slow, when others wait for the memory that they hold.
 *
 * A client is slow if it stands still, or if what it takes or sends is little for what its request holds. The request
 * that holds the most for its progress ends first.
 *
 * @packageDocumentation
 */
import type { BudgetClock, Holding } from "./memory-holding.ts";

/** How slow a client may be while others wait. Times are in milliseconds. */
export type PressedLimits = {
  /** How long it may take or send nothing, by how much memory its request holds. */
  readonly much: number;
  readonly little: number;
  /** Bytes from which on a request holds much memory. */
  readonly muchBytes: number;
  /** The time in which it has to take or send as many bytes as its request holds. */
  readonly turnover: number;
  /** How long a client is waited for before its rate is judged. */
  readonly judgedAfter: number;
};

const NO_LOSS = 1;

/** The clients of all requests that hold memory. */
export class SlowClients {
  readonly #limits: PressedLimits;
  readonly #clock: BudgetClock;
  readonly #holdings: ReadonlySet<Holding>;

  constructor(limits: PressedLimits, clock: BudgetClock, holdings: ReadonlySet<Holding>) {
    this.#limits = limits;
    this.#clock = clock;
    this.#holdings = holdings;
  }

  /** Whether a request has to end, so that `missing` bytes become free. It is asked again until it has ended. */
  mustEnd(holding: Holding, missing: number): boolean {
    if (holding.isGoing) return true;
    let left = missing;
    for (const each of this.#holdings) if (each.isGoing) left -= each.bytes;
    const slow = [...this.#holdings].filter((each) => !each.isGoing && this.#isSlow(each));
    for (const each of slow.sort((a, b) => this.#cost(b) - this.#cost(a))) {
      if (left <= 0) return false;
      left -= each.bytes;
      if (each === holding) {
        holding.isGoing = true;
        return true;
      }
    }
    return false;
  }

  #isSlow(holding: Holding): boolean {
    const { much, little, muchBytes, turnover, judgedAfter } = this.#limits;
    const { bytes, waitsSince, moved } = holding;
    const still = waitsSince === undefined ? 0 : this.#clock.now() - waitsSince;
    if (waitsSince !== undefined && still >= (bytes >= muchBytes ? much : little)) return true;
    const waited = this.#waited(holding);
    return waited >= judgedAfter && moved * turnover < bytes * waited;
  }

  /** Milliseconds that a request has waited for its client since others wait. */
  #waited({ waited, waitsSince }: Holding): number {
    return waited + (waitsSince === undefined ? 0 : this.#clock.now() - waitsSince);
  }

  /** What a request holds, as often as it has waited for one byte to move. */
  #cost(holding: Holding): number {
    return (holding.bytes * Math.max(this.#waited(holding), NO_LOSS)) / Math.max(holding.moved, NO_LOSS);
  }
}
