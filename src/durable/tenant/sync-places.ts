/**
 * The syncs of one tenant's mirrors that may be under way at once. All tenants' syncs share one queue, whose consumers are few: without a
 * bound, upstreams of one tenant that say nothing would keep everybody else's waiting.
 *
 * The places are kept in memory. A sync says every fifteen seconds that it goes on, so an object that was put to sleep knows them again
 * soon, and the place of a sync that has died is free after a minute.
 *
 * @packageDocumentation
 */

/** Syncs of one tenant that are asked for, or under way, at once. The queue has ten consumers. */
export const MOST_SYNCS = 3;
/** A place that nobody claims for so long is free again. Milliseconds. */
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

  /** Notes that a sync goes on. */
  goesOn(repo: string, now: number): void {
    this.#until.set(repo, now + PLACE_TIME);
  }

  /** Notes that a sync has ended. */
  ended(repo: string): void {
    this.#until.delete(repo);
  }
}
