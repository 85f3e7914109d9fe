/**
 * The turns of requests that compute. An isolate runs one request at a time, and each gives way after a while: see
 * {@link Pacer}. Somebody who comes in waits for one turn of everybody who computes, and again for each step of the
 * request. So the more requests compute, the shorter a turn has to be.
 *
 * @packageDocumentation
 */
import type { Pause } from "./pacer.ts";

/** Milliseconds after which a request that waits for its turn counts as cut off: nothing of it runs any more. */
const LOST = 2000;

/** The requests of one isolate that wait for their turn. */
export class Turns {
  readonly #pause: Pause;
  readonly #now: () => number;
  /** When each of them began to wait, the first one first. */
  readonly #waits = new Set<{ readonly since: number }>();

  /** `now` returns milliseconds since the epoch. */
  constructor(pause: Pause, now: () => number) {
    this.#pause = pause;
    this.#now = now;
  }

  /** Lets others run. A {@link Pause}. */
  async pause(): Promise<void> {
    const wait = { since: this.#now() };
    this.#waits.add(wait);
    try {
      await this.#pause();
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** The number of requests that wait for their turn at the moment. */
  get waiting(): number {
    const lostBefore = this.#now() - LOST;
    for (const wait of this.#waits) {
      if (wait.since >= lostBefore) break;
      this.#waits.delete(wait);
    }
    return this.#waits.size;
  }
}
