/**
 * Counts refused tokens of a tenant, so that guessing shows in its audit log without filling it.
 *
 * @packageDocumentation
 */

/** The least time between two entries, in milliseconds. Refusals in between are counted in the later one. */
export const REFUSAL_INTERVAL = 60_000;

/** The refused logins of one tenant, in memory. */
export class RefusedLogins {
  #count = 0;
  #notedAt = Number.NEGATIVE_INFINITY;

  /** Counts one. Returns how many an entry is due for; 0 if none is due yet. */
  add(now: number): number {
    this.#count += 1;
    if (now - this.#notedAt < REFUSAL_INTERVAL) return 0;
    const due = this.#count;
    this.#count = 0;
    this.#notedAt = now;
    return due;
  }
}
