/**
 * The clock of a host that runs the observed Worker.
 *
 * @packageDocumentation
 */
import { CLOCK_PATH } from "./observed-paths.ts";

/** A clock that a test puts forward instead of waiting. It goes on as clocks do, and never back. */
export class HostClock {
  readonly #base: string;
  readonly #before: () => Promise<void>;
  #ahead = 0;

  /** `base` is the host's origin, and `before` is called before the clock is put forward. */
  constructor(base: string, before: () => Promise<void> = async () => undefined) {
    this.#base = base;
    this.#before = before;
  }

  /** Puts the clock forward. */
  async advance(milliseconds: number): Promise<void> {
    await this.#before();
    const { status } = await fetch(`${this.#base}${CLOCK_PATH}?milliseconds=${milliseconds}`, { method: "POST" });
    if (status !== 204) throw new Error(`the host has no clock for tests: ${status}`);
    this.#ahead += milliseconds;
  }

  /** Returns what the host's clock shows. */
  now(): Date {
    return new Date(Date.now() + this.#ahead);
  }
}
