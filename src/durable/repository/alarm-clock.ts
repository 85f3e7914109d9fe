/**
 * Sets an object's alarm for the next work that is due.
 *
 * @packageDocumentation
 */
import { DERIVED_DELAY } from "./due-work.ts";

/**
 * How often an alarm that throws is left to the platform to run again, which it does soon, and six times. After that it does so no more, so
 * that an outage of some minutes would put off all work behind answers until somebody asks for something.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/alarms/
 */
const PLATFORM_RETRIES = 5;
/** How much later work is tried again that has failed so often, without end. Milliseconds. */
const RETRY_DELAY = 5 * 60 * 1000;

/**
 * Runs what an alarm does. What it throws goes to the platform, which logs it and runs the alarm again; once the platform is about to give
 * up, `setAlarm` is called with the time of the next try instead.
 */
export async function whileFailing(
  info: Pick<AlarmInvocationInfo, "retryCount"> | undefined,
  work: () => Promise<void>,
  setAlarm: (at: number) => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    // An object that is called by itself, and by no alarm, is told nothing.
    if (info === undefined || info.retryCount < PLATFORM_RETRIES) throw error;
    await setAlarm(Date.now() + RETRY_DELAY);
  }
}

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

  /** Does the work of an alarm that has gone off, as {@link whileFailing} does. */
  async run(info: AlarmInvocationInfo | undefined, work: () => Promise<void>): Promise<void> {
    this.#at = undefined;
    await whileFailing(info, work, async (at) => {
      // What somebody has asked for meanwhile comes sooner.
      if (this.#at !== undefined && this.#at <= at) return;
      this.#at = at;
      await this.#storage.setAlarm(at);
    });
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
