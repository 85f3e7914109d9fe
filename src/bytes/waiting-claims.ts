/**
 * Claims that wait for room, and which of them pass others.
 *
 * @packageDocumentation
 */
import type { MemoryClaim } from "./budget-limits.ts";
import type { Holding } from "./memory-holding.ts";

/** A claim that waits for room. */
export type Waiter = {
  readonly holding: Holding;
  readonly claim: MemoryClaim;
  readonly grant: () => void;
};

/** Whether it is what a request needs so that it can end. */
export function isFurther({ holding, claim }: Pick<Waiter, "holding" | "claim">): boolean {
  return holding.claims > 0 && claim.isGrowth !== true;
}

/** Whether it passes the first claims of other requests. */
export function isBegun(waiter: Pick<Waiter, "holding" | "claim">): boolean {
  return isFurther(waiter) || waiter.claim.isResumed === true;
}
