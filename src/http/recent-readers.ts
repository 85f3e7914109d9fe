/**
 * Remembers for a short time which tokens could read private repositories, for one purpose: the repository's object is
 * then called together with the tenant's object that looks up the token, and not after it.
 *
 * It is a hint about cost alone. Every request has its token looked up, and tells nothing before that. A token that was
 * never let in is never remembered, so a stranger with made-up tokens learns nothing from how long an answer takes.
 *
 * @packageDocumentation
 */

/** How long an entry is used, in milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** One per isolate. */
export class RecentReaders {
  readonly #until = new Map<string, number>();

  /** Whether the token with this SHA-256, in hex, could read private repositories of this name. */
  has(token: string, repository: string, now: number): boolean {
    // An entry that was never made counts as expired.
    return (this.#until.get(entryOf(token, repository)) ?? 0) > now;
  }

  /** Remembers that the token can read it. The oldest entry is dropped. */
  add(token: string, repository: string, now: number): void {
    const entry = entryOf(token, repository);
    this.#until.delete(entry);
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(entry, now + TIME);
  }

  /** Forgets that the token can read it. */
  forget(token: string, repository: string): void {
    this.#until.delete(entryOf(token, repository));
  }
}

/** Neither part contains a space. */
function entryOf(token: string, repository: string): string {
  return `${token} ${repository}`;
}
