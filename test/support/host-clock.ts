/**
 * The clock of a host that runs the observed Worker.
 *
 * @packageDocumentation
 */
import { CLOCK_PATH } from "./observed-paths.ts";

/** A clock that a test puts forward instead of waiting. It goes on as clocks do, and never back. */
export class HostClock {
  readonly #base: string;
  #ahead = 0;

  /** `base` is the host's origin. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Puts the clock forward. */
  async advance(milliseconds: number): Promise<void> {
    const { status } = await fetch(`${this.#base}${CLOCK_PATH}?milliseconds=${milliseconds}`, { method: "POST" });
    if (status !== 204) throw new Error(`the host has no clock for tests: ${status}`);
    this.#ahead += milliseconds;
  }

  /** Returns what the host's clock shows. */
  now(): Date {
    return new Date(Date.now() + this.#ahead);
  }
}
