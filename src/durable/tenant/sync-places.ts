/**
 * The syncs of one tenant's mirrors that may be under way at once. All tenants' syncs share one queue with few
 * consumers: without a bound, silent upstreams of one tenant would keep everybody else's waiting.
 *
 * The places are kept in memory. A sync reports every fifteen seconds that it is alive, so an object that slept soon
 * knows the places again. The place of a sync that has died is free after a minute.
 *
 * @packageDocumentation
 */

/** Syncs of one tenant that are asked for or under way at once. The queue has ten consumers. */
export const MOST_SYNCS = 3;
/** How long a place stays taken when nobody renews it, in milliseconds. */
const PLACE_TIME = 60_000;

/** The places of one tenant. Times are in milliseconds. */
export class SyncPlaces {
  readonly #until = new Map<string, number>();

  /** Takes a place for the sync of a repository, or keeps the one it has. Returns whether there was one. */
  admit(repo: string, now: number): boolean {
    for (const [name, until] of this.#until) if (until <= now) this.#until.delete(name);
    if (!this.#until.has(repo) && this.#until.size >= MOST_SYNCS) return false;
    this.goesOn(repo, now);
    return true;
  }

  /** Notes that a sync is still alive. */
  goesOn(repo: string, now: number): void {
    this.#until.set(repo, now + PLACE_TIME);
  }

  /** Notes that a sync has ended. */
  ended(repo: string): void {
    this.#until.delete(repo);
  }
}
