/**
 * What one request holds of an isolate's memory, and how it is noticed that a request was cut off.
 *
 * When a client resets its connection, the platform ends the request and its timers. No code of the request runs any
 * more, so nothing gives back what it held. The last that runs is the listener of the request's signal.
 *
 * @packageDocumentation
 */

/** The platform's clock. */
export type BudgetClock = {
  /** Returns the time in milliseconds. */
  now(): number;
  /** Calls `then` once after this many milliseconds. Returns a function that cancels the call. */
  after(milliseconds: number, then: () => void): () => void;
};

/** Milliseconds after which a request that waits for its client checks again whether it may go on waiting. */
export const TICK = 500;
/**
 * When a step of a client is first looked at, and first checked, in milliseconds. Of a step that ended before the isolate came to see it,
 * no more than the time until the first look counts.
 */
export type FirstLooks = { readonly look: number; readonly check: number };
/** While nobody waits for memory. */
export const CALM: FirstLooks = { look: TICK, check: TICK };
/** While others do. */
export const PRESSED: FirstLooks = { look: 20, check: 100 };
/** Looks of a {@link Lookout}, one per {@link TICK}, after which a silent request that waits for its client was cut off. */
const LOST_LOOKS = 10;
/** The same for a request whose connection was reset. It may go on for a while, to clean up. */
const CUT_LOOKS = 4;

/** The memory that one request holds. It is apart from `RequestMemory`, so that the collection of that is noticed. */
export type Holding = {
  readonly share: string;
  /** The caller, whose requests to all repositories count together where too many wait. */
  readonly caller: string;
  bytes: number;
  /** The number of granted claims that were not given back. */
  claims: number;
  /** The time since which the request waits for its client; `undefined` while it works. */
  waitsSince: number | undefined;
  isGoing: boolean;
  /** The bytes that the client has taken or sent, and for how long it was waited for, as far as that counts, since others wait for memory. */
  moved: number;
  waited: number;
  /** Whether the request waits for a step of its client. One that was cut off there waits for ever. */
  isWaiting: boolean;
  /** Whether the client has reset its connection. */
  isCut: boolean;
  /** The looks of a {@link Lookout} since the request last showed that it goes on. */
  silentLooks: number;
};

/** Returns the holding of a request that holds nothing yet. */
export function newHolding(share: string, caller: string): Holding {
  return {
    share,
    caller,
    bytes: 0,
    claims: 0,
    waitsSince: undefined,
    isGoing: false,
    moved: 0,
    waited: 0,
    isWaiting: false,
    isCut: false,
    silentLooks: 0,
  };
}

/**
 * Looks for requests that were cut off, while somebody waits for memory. A request that is alive resets its count with
 * its own timer, so a program that computes for long makes nobody look lost.
 */
export class Lookout {
  readonly #clock: BudgetClock;
  readonly #holdings: ReadonlySet<Holding>;
  readonly #drop: (holding: Holding) => void;
  /** The time of the last look: there is one per {@link TICK}, however many claims wait. */
  #lookedAt = 0;

  constructor(clock: BudgetClock, holdings: ReadonlySet<Holding>, drop: (holding: Holding) => void) {
    this.#clock = clock;
    this.#holdings = holdings;
    this.#drop = drop;
  }

  /** Begins to look, in the request that waits. Returns the function that ends it. */
  begin(): () => void {
    let cancel: () => void = () => undefined;
    const look = (): void => {
      cancel = this.#clock.after(TICK, look);
      this.#look();
    };
    cancel = this.#clock.after(TICK, look);
    return () => cancel();
  }

  #look(): void {
    const now = this.#clock.now();
    if (now - this.#lookedAt < TICK) return;
    this.#lookedAt = now;
    for (const holding of this.#holdings) {
      if (!holding.isWaiting && !holding.isCut) continue;
      holding.silentLooks += 1;
      if (holding.silentLooks >= (holding.isCut ? CUT_LOOKS : LOST_LOOKS)) this.#drop(holding);
    }
  }
}
