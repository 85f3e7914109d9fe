/**
 * Remembers for a short time which tokens could read private repositories, for one purpose: the repository's object is
 * then called together with the tenant's object that looks up the token, and not after it.
 *
 * It is a hint about cost alone. Every request has its token looked up, and tells nothing before that. A token that was
 * never let in is never remembered, so a stranger with made-up tokens learns nothing from how long an answer takes.
 *
 * @packageDocumentation
 */
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** How long an entry is used, in milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** One per isolate. */
export class RecentReaders {
  readonly #readers = new ExpiringMap<true>({ time: TIME, most: MOST });

  /** Whether the token with this SHA-256, in hex, could read private repositories of this name. */
  has(token: string, repository: string, now: number): boolean {
    return this.#readers.has(entryOf(token, repository), now);
  }

  /** Remembers that the token can read it. The oldest entry is dropped. */
  add(token: string, repository: string, now: number): void {
    this.#readers.set(entryOf(token, repository), true, now);
  }

  /** Forgets that the token can read it. */
  forget(token: string, repository: string): void {
    this.#readers.delete(entryOf(token, repository));
  }
}

/** Neither part contains a space. */
function entryOf(token: string, repository: string): string {
  return `${token} ${repository}`;
}
