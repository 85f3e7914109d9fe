/**
 * Remembers for a while which tokens could read private repositories, for one purpose: the repository's object is then asked at the
 * same time as the tenant's object is asked for the token, and not after it.
 *
 * It is a hint about cost alone. Every request has its token looked up, and nothing is told before that. A token that was never let
 * in is never remembered, so a stranger who makes tokens up learns nothing from how long an answer takes.
 *
 * @packageDocumentation
 */

/** Milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** One per isolate. */
export class RecentReaders {
  readonly #until = new Map<string, number>();

  /** Whether the token with this SHA-256, in hex, could read private repositories of this name. */
  has(token: string, repository: string, now: number): boolean {
    // What was never noted has run out.
    return (this.#until.get(entryOf(token, repository)) ?? 0) > now;
  }

  /** Remembers that it can; the entry that was made longest ago gives way. */
  add(token: string, repository: string, now: number): void {
    const entry = entryOf(token, repository);
    this.#until.delete(entry);
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(entry, now + TIME);
  }

  /** Forgets it: it can't any more. */
  forget(token: string, repository: string): void {
    this.#until.delete(entryOf(token, repository));
  }
}

/** Neither has a space. */
function entryOf(token: string, repository: string): string {
  return `${token} ${repository}`;
}
