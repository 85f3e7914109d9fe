/**
 * Waits for steps of a client with one timer per request. A large answer waits for a step per write, and to set and
 * clear a timer for each took a twentieth of a clone's processor time.
 *
 * A timer that rings late shows that the isolate was at work for others, or was kept from running. Its client may have taken
 * or sent everything meanwhile, and nobody could see that. So that time counts for no client.
 *
 * @packageDocumentation
 */
import { ClientTooSlow } from "./failure.ts";
import { type BudgetClock, type FirstLooks, TICK } from "./memory-holding.ts";

/** Why a step is waited for no longer. */
type TooSlow = ClientTooSlow["reason"];

/**
 * A step that is waited for. Its beginning and its next check are times in milliseconds since the epoch. The beginning is put
 * forward by the time that does not count.
 */
type Wait = { since: number; checkAt: number; readonly reject: (why: ClientTooSlow) => void };

/** The steps of one request's client that are waited for. */
export class ClientWaits {
  readonly #clock: BudgetClock;
  /** Checks a wait that began at a time, as far as it counts; returns the reason if it has to end. */
  readonly #check: (since: number) => TooSlow | undefined;
  readonly #waits = new Set<Wait>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  /** When the request was last seen to run. */
  #seenAt = 0;

  constructor(clock: BudgetClock, check: (since: number) => TooSlow | undefined) {
    this.#clock = clock;
    this.#check = check;
  }

  /**
   * Awaits a step, and checks it at first as told, and then once per {@link TICK}. In the end `onEnd` is told for how many
   * milliseconds the client was waited for.
   *
   * @throws ClientTooSlow as the check says.
   */
  async wait<T>(step: Promise<T>, { look, check }: FirstLooks, onEnd?: (waited: number) => void): Promise<T> {
    const { promise: tooSlow, reject } = Promise.withResolvers<never>();
    this.#seen();
    const since = this.#clock.now();
    const wait: Wait = { since, checkAt: since + check, reject };
    this.#waits.add(wait);
    this.#ringAt(since + look);
    try {
      return await Promise.race([step, tooSlow]);
    } finally {
      this.#seen();
      this.#waits.delete(wait);
      onEnd?.(this.#clock.now() - wait.since);
    }
  }

  /** Takes the time for which the timer is late by now from all waits. */
  #seen(): void {
    const now = this.#clock.now();
    const late = now - Math.max(this.#timer?.at ?? now, this.#seenAt);
    this.#seenAt = now;
    if (late > 0) for (const wait of this.#waits) wait.since += late;
  }

  /** Sets the timer, unless it rings before that. It outlives a step: the next one finds it running. */
  #ringAt(at: number): void {
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(at - this.#clock.now(), () => {
      this.#seen();
      this.#timer = undefined;
      for (const wait of this.#waits) if (wait.checkAt <= this.#clock.now()) this.#checkNow(wait);
      for (const { checkAt } of this.#waits) this.#ringAt(checkAt);
    });
    this.#timer = { at, cancel };
  }

  #checkNow(wait: Wait): void {
    wait.checkAt = this.#clock.now() + TICK;
    const why = this.#check(wait.since);
    if (why === undefined) return;
    this.#waits.delete(wait);
    wait.reject(new ClientTooSlow(why));
  }
}

/** Waits this many milliseconds for a step, and returns whether it has ended by then. It goes on if not. */
export async function endsWithin(
  step: Promise<unknown>,
  milliseconds: number,
  clock: Pick<BudgetClock, "after">,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(milliseconds, () => resolve(false));
  const ended = (): void => resolve(true);
  step.then(ended, ended);
  try {
    return await promise;
  } finally {
    cancel();
  }
}
