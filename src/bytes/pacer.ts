/**
 * Pauses in long computations. An isolate serves many requests and runs one at a time. A request that computes for a
 * second without a pause makes all others wait for that second. Awaiting a settled promise is no pause, since
 * microtasks run before all else.
 *
 * @packageDocumentation
 */

/** Lets other requests run: the promise resolves in a later turn of the event loop, not in a microtask. */
export type Pause = () => Promise<void>;

/**
 * Steps after which a pause is due, about 20 ms. A step is about as much work as reading one byte, some 10 ns. Somebody who comes in waits for several turns: of
 * the connection, of the request and of its answer.
 */
const STEPS_BETWEEN_PAUSES = 2_000_000;
/** They are divided into at most this many parts, however many others wait for their turn: a pause costs time, too. */
const MOST_PARTS = 16;

/**
 * Counts the steps of one request, and pauses after each `between` steps; the earlier, the more others compute. `others`
 * returns how many wait for their turn.
 */
export class Pacer {
  readonly #pause: Pause;
  readonly #between: number;
  readonly #others: () => number;
  #steps = 0;
  #nextPause: number;

  constructor(pause: Pause, between = STEPS_BETWEEN_PAUSES, others = () => 0) {
    this.#pause = pause;
    this.#between = between;
    this.#others = others;
    this.#nextPause = this.#turn;
  }

  /** The steps of the next turn. */
  get #turn(): number {
    return this.#between / Math.min(MOST_PARTS, 1 + this.#others());
  }

  /** The steps of the request so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Whether {@link Pacer.pace} would pause. Hot loops check this first, since even awaiting a settled promise costs
   * time.
   */
  get isDue(): boolean {
    return this.#steps >= this.#nextPause;
  }

  /** Adds steps that were taken. */
  add(steps: number): void {
    this.#steps += steps;
  }

  /**
   * Calls `visit` for each number below `count`, and counts `steps` for each call. It pauses in between, so what `visit`
   * uses must not change meanwhile.
   */
  async forEach(count: number, steps: number, visit: (at: number) => void): Promise<void> {
    for (let at = 0; at < count; at++) {
      visit(at);
      this.#steps += steps;
      if (this.isDue) await this.pace();
    }
  }

  /** Runs through `work`, which does a part of it for each item, and counts `steps` for each. It pauses in between. */
  async through(work: Iterable<unknown>, steps: number): Promise<void> {
    const parts = work[Symbol.iterator]();
    while (parts.next().done !== true) {
      this.#steps += steps;
      if (this.isDue) await this.pace();
    }
  }

  /**
   * Runs work that yields what it has done to its end, and returns what comes of it. It counts `steps` for each of that,
   * and pauses in between.
   */
  async finish<T>(work: Generator<number, T, undefined>, steps = 1): Promise<T> {
    for (;;) {
      const next = work.next();
      if (next.done === true) return next.value;
      this.#steps += next.value * steps;
      if (this.isDue) await this.pace();
    }
  }

  /** Pauses if a pause is due. */
  async pace(): Promise<void> {
    if (this.isDue) await this.rest();
  }

  /** Pauses in any case, so that what was written goes out before more is computed. */
  async rest(): Promise<void> {
    await this.#pause();
    this.#nextPause = this.#steps + this.#turn;
  }
}

/** Runs work that yields what it has done to its end without a pause, and returns what comes of it. */
export function atOnce<T>(work: Generator<unknown, T, undefined>): T {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}
