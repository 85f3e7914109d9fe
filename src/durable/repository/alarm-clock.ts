/**
 * Sets an object's alarm for the next work that is due.
 *
 * @packageDocumentation
 */
import { DERIVED_DELAY } from "./due-work.ts";

/** The alarm of one object. */
export class AlarmClock {
  readonly #storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm">;
  readonly #nextDue: (now: number) => number;
  /** When the alarm goes off; `undefined` if it is not set. */
  #at: number | undefined;

  /** `nextDue` returns when something is due, in milliseconds since the epoch, or infinity. */
  constructor(storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm">, nextDue: (now: number) => number) {
    this.#storage = storage;
    this.#nextDue = nextDue;
  }

  /** Reads when the alarm goes off. */
  async load(): Promise<void> {
    this.#at = (await this.#storage.getAlarm()) ?? undefined;
  }

  /** Notes that the alarm has gone off. */
  rang(): void {
    this.#at = undefined;
  }

  /**
   * Sets the alarm for the next work, or leaves an earlier one: constant pushes must not put it off forever. It is not
   * awaited: the write joins the change before it, and the answer waits for both.
   */
  set(): void {
    const now = Date.now();
    const due = this.#nextDue(now);
    if (due === Number.POSITIVE_INFINITY) return;
    const at = Math.max(due, now + DERIVED_DELAY);
    if (this.#at !== undefined && this.#at <= at) return;
    this.#at = at;
    void this.#storage.setAlarm(at);
  }
}
