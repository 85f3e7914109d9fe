/**
 * Lets a bounded number of connections in at once, few of them from clients that have not logged in, and none for a while from
 * addresses whose clients have failed to again and again. It counts within this isolate alone.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** Connections at once. */
export const MOST_CONNECTIONS = 200;
/** Connections at once without a login: of all clients, and of one address. */
export const MOST_STRANGERS = 64;
export const MOST_STRANGERS_OF_ONE = 24;
/** Failed logins of an address that are passed over. */
export const FREE_FAILURES = 10;
/** Milliseconds for which an address is shut out after the first failure beyond those; each further one doubles it. */
const FIRST_SHUT = 1000;
const LONGEST_SHUT = 5 * 60_000;
/** How long failures are remembered, in milliseconds, and of how many addresses. */
const MEMORY = { time: 10 * 60_000, most: 10_000 };

/** A connection that was let in. */
export type Entry = {
  /** Notes that the client has logged in. */
  loggedIn(): void;
  /** Notes the end of the connection. A client that has not logged in has failed to. */
  leave(): void;
};

type Failures = { readonly count: number; readonly shutUntil: number };

/** The doorkeeper of an isolate. */
export class Doorkeeper {
  #connections = 0;
  #strangers = 0;
  readonly #strangersOf = new Map<string, number>();
  readonly #failures = new ExpiringMap<Failures>(MEMORY);
  readonly #now: () => number;

  /** `now` gives the time in milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Lets a connection in from a network, "" if it is not known. Returns `undefined` if it has to wait. */
  enter(network: string): Entry | undefined {
    const now = this.#now();
    const isKnown = network !== "";
    const ofOne = this.#strangersOf.get(network) ?? 0; // None is in yet.
    if (this.#connections >= MOST_CONNECTIONS || this.#strangers >= MOST_STRANGERS) return undefined;
    if (isKnown && (ofOne >= MOST_STRANGERS_OF_ONE || this.#isShut(network, now))) return undefined;
    this.#connections++;
    this.#strangers++;
    if (isKnown) this.#strangersOf.set(network, ofOne + 1);
    let [isStranger, isIn] = [true, true];
    const known = (): void => {
      if (!isStranger) return;
      isStranger = false;
      this.#strangers--;
      if (!isKnown) return;
      const left = present(this.#strangersOf.get(network), "the count of a network") - 1;
      if (left > 0) this.#strangersOf.set(network, left);
      else this.#strangersOf.delete(network);
    };
    return {
      loggedIn: () => {
        known();
        this.#failures.delete(network);
      },
      leave: () => {
        if (!isIn) return;
        isIn = false;
        if (isStranger && isKnown) this.#fail(network);
        known();
        this.#connections--;
      },
    };
  }

  #isShut(network: string, now: number): boolean {
    const failures = this.#failures.get(network, now);
    return failures !== undefined && failures.shutUntil > now;
  }

  #fail(network: string): void {
    const now = this.#now();
    const before = this.#failures.get(network, now)?.count ?? 0; // It may be the first.
    const count = before + 1;
    const beyond = count - FREE_FAILURES;
    const time = beyond > 0 ? Math.min(FIRST_SHUT * 2 ** (beyond - 1), LONGEST_SHUT) : 0;
    this.#failures.set(network, { count, shutUntil: now + time }, now);
  }
}
