/**
 * Waits for steps of a client with one timer per request. A large answer waits for a step per write, and to set and
 * clear a timer for each took a twentieth of a clone's processor time.
 *
 * @packageDocumentation
 */
import { ClientTooSlow } from "./failure.ts";
import { type BudgetClock, TICK } from "./memory-holding.ts";

/** Why a step is waited for no longer. */
type TooSlow = ClientTooSlow["reason"];

/** A step that is waited for. Its beginning and its next check are times in milliseconds since the epoch. */
type Wait = { readonly since: number; checkAt: number; readonly reject: (why: ClientTooSlow) => void };

/** The steps of one request's client that are waited for. */
export class ClientWaits {
  readonly #clock: BudgetClock;
  /** Checks a wait that began at a time; returns the reason if it has to end. */
  readonly #check: (since: number) => TooSlow | undefined;
  readonly #waits = new Set<Wait>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: BudgetClock, check: (since: number) => TooSlow | undefined) {
    this.#clock = clock;
    this.#check = check;
  }

  /**
   * Awaits a step, and checks it after this many milliseconds and then once per {@link TICK}.
   *
   * @throws ClientTooSlow as the check says.
   */
  async wait<T>(step: Promise<T>, firstCheck: number): Promise<T> {
    const { promise: tooSlow, reject } = Promise.withResolvers<never>();
    const since = this.#clock.now();
    const wait: Wait = { since, checkAt: since + firstCheck, reject };
    this.#waits.add(wait);
    this.#ringAt(wait.checkAt);
    try {
      return await Promise.race([step, tooSlow]);
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** Sets the timer, unless it rings before that. It outlives a step: the next one finds it running. */
  #ringAt(at: number): void {
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(at - this.#clock.now(), () => {
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
