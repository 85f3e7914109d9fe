/**
 * Lets a bounded number of connections in at once, few of them of one address, and few from clients that have not logged in
 * or asked for anything. An address may have as many as there are places left beside: so the fewer these are, the fewer
 * it may have, and it takes eight addresses to fill them all: 80, 60, 30, 15, 8, 4, 2 and 1 of 200. Addresses whose clients
 * have failed to again and again wait for a while. It counts within this isolate alone.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** Connections at once: of all clients, and of one address. */
export const MOST_CONNECTIONS = 200;
export const MOST_OF_ONE = 80;
/** Connections at once that have not proved themselves: of all clients, and of one address. */
export const MOST_STRANGERS = 64;
export const MOST_STRANGERS_OF_ONE = 24;
/** Connections of an address that may end unproved before it has to wait. */
export const FREE_FAILURES = 10;
/** Milliseconds for which an address is shut out after the first failure beyond those; each further one doubles it. */
const FIRST_SHUT = 1000;
const LONGEST_SHUT = 5 * 60_000;
/** How long failures are remembered, in milliseconds, and of how many addresses. */
const MEMORY = { time: 10 * 60_000, most: 10_000 };

/** A connection that was let in. */
export type Entry = {
  /** Notes that the client is one of the door's protocol: it has logged in by SSH, or asked for something of git://. */
  prove(): void;
  /** Notes the end of the connection. A client that has not proved itself has failed to. */
  leave(): void;
};

type Failures = { readonly count: number; readonly shutUntil: number };

/** Counts connections, in all and of each network. */
class Places {
  #all = 0;
  readonly #of = new Map<string, number>();
  readonly #most: { readonly all: number; readonly ofOne: number };

  constructor(most: { readonly all: number; readonly ofOne: number }) {
    this.#most = most;
  }

  /** Whether there is a place for one more. Networks that are not known ("") share the places of all. */
  has(network: string): boolean {
    const ofOne = this.#of.get(network) ?? 0; // None is in yet.
    const left = this.#most.all - this.#all;
    return left > 0 && ofOne < Math.min(this.#most.ofOne, left);
  }

  /** Takes a place. Returns the function that gives it back, once. */
  take(network: string): () => void {
    this.#all++;
    if (network !== "") this.#of.set(network, (this.#of.get(network) ?? 0) + 1); // It may be the first.
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#all--;
      if (network === "") return;
      const left = present(this.#of.get(network), "the count of a network") - 1;
      if (left > 0) this.#of.set(network, left);
      else this.#of.delete(network);
    };
  }
}

/** The doorkeeper of one door of an isolate. */
export class Doorkeeper {
  readonly #connections = new Places({ all: MOST_CONNECTIONS, ofOne: MOST_OF_ONE });
  readonly #strangers = new Places({ all: MOST_STRANGERS, ofOne: MOST_STRANGERS_OF_ONE });
  readonly #failures = new ExpiringMap<Failures>(MEMORY);
  readonly #now: () => number;

  /** `now` gives the time in milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Lets a connection in from a network, "" if it is not known. Returns `undefined` if it has to wait. */
  enter(network: string): Entry | undefined {
    if (!this.#connections.has(network) || !this.#strangers.has(network)) return undefined;
    if (network !== "" && this.#isShut(network, this.#now())) return undefined;
    const [leave, prove] = [this.#connections.take(network), this.#strangers.take(network)];
    let [isStranger, isIn] = [true, true];
    return {
      prove: () => {
        isStranger = false;
        prove();
        this.#failures.delete(network);
      },
      leave: () => {
        if (!isIn) return;
        isIn = false;
        if (isStranger && network !== "") this.#fail(network);
        prove();
        leave();
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
