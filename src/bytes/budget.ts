/**
 * Bounds on loops whose length a stranger decides.
 *
 * A single item may be harmless and a million of them not, so one budget is shared by all items of a request: every pattern with every
 * path, every directory that is opened. Work is counted in steps and not in time, for two reasons: the platform's clock stands still
 * while a program computes, and the same input shall meet the same fate on every machine.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "./failure.ts";
import type { LimitName } from "./limit-name.ts";
import type { Pacer } from "./pacer.ts";

/** What a budget is called, how large it is, and what a client is told when it is used up. */
export type BudgetBounds = {
  readonly limit: LimitName;
  readonly max: number;
  readonly message: string;
};

/** What all items of one request together may spend. */
export class Budget {
  readonly #bounds: BudgetBounds;
  readonly #pacer: Pacer | undefined;
  #spent = 0;

  /** `pacer` is told of what is spent. Without one, what is spent is no computing, or is counted elsewhere. */
  constructor(bounds: BudgetBounds, pacer?: Pacer) {
    this.#bounds = bounds;
    this.#pacer = pacer;
  }

  /** How much was spent so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Spends a number of steps. @throws LimitExceeded where the budget has not as many left. */
  spend(steps: number): void {
    this.#spent += steps;
    this.#pacer?.add(steps);
    const { limit, max, message } = this.#bounds;
    if (this.#spent > max) throw new LimitExceeded(limit, max, message);
  }
}
