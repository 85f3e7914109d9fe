/**
 * Claims that wait for room, how many may, and which of them is served next.
 *
 * There are three kinds. Further claims are what a request needs so that it can end. Resumed ones are of requests that have begun to
 * answer: none of them is refused because others wait, as no status could tell of it any more. First claims are all others. They are
 * served in turns with resumed ones, so that whoever has many answers go on slowly keeps nobody new out.
 *
 * @packageDocumentation
 */
import type { BudgetLimits, MemoryClaim } from "./budget-limits.ts";
import type { HostBusy } from "./failure.ts";
import type { Holding } from "./memory-holding.ts";

/** A claim, and the request that it is of. */
export type HeldClaim = { readonly holding: Holding; readonly claim: MemoryClaim };

/** A claim that waits for room. */
export type Waiter = HeldClaim & { readonly grant: () => void };

/** Whether a claim is what a request needs so that it can end. */
export function isFurther({ holding, claim }: HeldClaim): boolean {
  return holding.claims > 0 && claim.isGrowth !== true;
}

function isResumed(each: HeldClaim): boolean {
  return each.claim.isResumed === true && !isFurther(each);
}

/** The claims that wait, the one that came first first. */
export class WaitingClaims {
  readonly #limits: BudgetLimits;
  readonly #waiters: Waiter[] = [];
  /** Whether a first claim is served next, and not a resumed one, if both wait. */
  #isTurnOfFirst = false;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiters.length;
  }

  add(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  /** Takes a claim out. Returns whether it was there. */
  remove(waiter: Waiter): boolean {
    const at = this.#waiters.indexOf(waiter);
    if (at >= 0) this.#waiters.splice(at, 1);
    return at >= 0;
  }

  filter(keeps: (waiter: Waiter) => boolean): readonly Waiter[] {
    return this.#waiters.filter(keeps);
  }

  /**
   * Returns the reason if too many claims wait for another one to wait, too. Resumed ones, and all others, count by themselves: a caller
   * has a bound of both, and how long the queue is counts for the others alone.
   */
  refusal({ holding: { share, caller }, claim }: HeldClaim): HostBusy["reason"] | undefined {
    const { waiting, waitingOfShare, waitingOfCaller, waitingOfOthers } = this.#limits;
    const isBegun = claim.isResumed === true;
    const alike = this.#waiters.filter((each) => (each.claim.isResumed === true) === isBegun);
    const ofCaller = alike.filter(({ holding }) => holding.caller === caller);
    const ofShare = ofCaller.filter(({ holding }) => holding.share === share);
    if (ofShare.length >= waitingOfShare) return "share";
    if (ofCaller.length >= waitingOfCaller) return "caller";
    const most = ofCaller.length === 0 ? waiting : waiting - waitingOfOthers;
    return !isBegun && alike.length >= most ? "host" : undefined;
  }

  /** Whether a claim need not wait behind those in the queue. */
  mayPass(each: HeldClaim): boolean {
    if (this.#waiters.length === 0) return true;
    if (this.#waiters.some(isFurther)) return false;
    return isFurther(each) || (isResumed(each) && !this.#isTurnOfFirst && !this.#waiters.some(isResumed));
  }

  /** Records that a claim is served in its turn. */
  take(each: HeldClaim): void {
    if (!isFurther(each)) this.#isTurnOfFirst = isResumed(each);
  }

  /**
   * Returns the claim to serve next: that of a request with a granted claim, else in turns a resumed and a first one. Of these it is
   * the one of the share that holds least.
   */
  next(holdings: Iterable<Holding>): Waiter | undefined {
    const further = this.#waiters.find(isFurther);
    if (further !== undefined || this.#waiters.length === 0) return further;
    const isTurn = (each: Waiter): boolean => isResumed(each) !== this.#isTurnOfFirst;
    const inTurn = this.#waiters.filter(isTurn);
    return ofLeast(inTurn.length > 0 ? inTurn : this.#waiters, holdings);
  }
}

function ofLeast(waiters: readonly Waiter[], holdings: Iterable<Holding>): Waiter | undefined {
  const held = new Map<string, number>();
  const heldBy = (share: string): number => held.get(share) ?? 0; // Most shares that wait hold nothing.
  for (const { share, bytes } of holdings) held.set(share, heldBy(share) + bytes);
  let least = waiters[0];
  for (const waiter of waiters)
    if (least === undefined || heldBy(waiter.holding.share) < heldBy(least.holding.share)) least = waiter;
  return least;
}
