/**
 * Budgets of memory for tests: with room for all, or with a clock that the test moves.
 *
 * @packageDocumentation
 */
import type { BudgetLimits } from "../../src/bytes/budget-limits.ts";
import { MemoryBudget } from "../../src/bytes/memory-budget.ts";
import type { BudgetClock } from "../../src/bytes/memory-holding.ts";

const GIB = 1024 * 1024 * 1024;

/** Bounds that no test meets unless it sets others. */
export const ROOMY: BudgetLimits = {
  bytes: 4 * GIB,
  reserve: 0,
  small: { room: 0, bytes: 0 },
  waiting: 100,
  waitingOfShare: 100,
  waitingOfCaller: 100,
  waitingOfOthers: 0,
  patience: 60_000,
  pressed: { much: 60_000, little: 60_000, muchBytes: GIB, turnover: 60_000, judgedAfter: 60_000 },
  standstill: 60_000,
  parkAfter: 60_000,
};

/** The clock of the machine. */
export const CLOCK: BudgetClock = {
  now: () => Date.now(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Makes a budget; `limits` replace those of {@link ROOMY}. */
export function memoryBudget(limits: Partial<BudgetLimits> = {}, clock: BudgetClock = CLOCK): MemoryBudget {
  return new MemoryBudget({ ...ROOMY, ...limits }, clock);
}

/** A clock that stands until it is moved. */
export class ManualClock implements BudgetClock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves the clock, calls what is due on the way, and lets what follows from it happen. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.call();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Moves the clock of an isolate that is busy, or kept from running: what is due on the way is late. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** Lets promises that are settled be noticed. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
