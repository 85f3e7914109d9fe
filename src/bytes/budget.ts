/**
 * Budgets for loops whose length a stranger decides.
 *
 * A single item may be harmless where a million of them are not. So all items of a request share one budget: every
 * pattern with every path, every directory that is opened. Work is counted in steps and not in time. The platform's
 * clock stands still while a program computes, and the same input must have the same outcome on every machine.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "./failure.ts";
import type { LimitName } from "./limit-name.ts";
import type { Pacer } from "./pacer.ts";

/** The name of a budget, its size in steps, and the message to the client when it is used up. */
export type BudgetBounds = {
  readonly limit: LimitName;
  readonly max: number;
  readonly message: string;
};

/** The steps that all items of one request may spend together. */
export class Budget {
  readonly #bounds: BudgetBounds;
  readonly #pacer: Pacer | undefined;
  #spent = 0;

  /** Creates a budget. Its steps are also added to `pacer`, unless they are no computation or are counted elsewhere. */
  constructor(bounds: BudgetBounds, pacer?: Pacer) {
    this.#bounds = bounds;
    this.#pacer = pacer;
  }

  /** The steps that were spent so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Spends a number of steps. @throws LimitExceeded if the budget has fewer left. */
  spend(steps: number): void {
    this.#spent += steps;
    this.#pacer?.add(steps);
    this.assertLeft(0);
  }

  /** Checks that a number of steps can be spent yet: for work that would end beyond the budget anyway. @throws LimitExceeded */
  assertLeft(steps: number): void {
    const { limit, max, message } = this.#bounds;
    if (this.#spent + steps > max) throw new LimitExceeded(limit, max, message);
  }
}
