/**
 * The times at which a failed delivery is tried again.
 *
 * @packageDocumentation
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Milliseconds to wait after the first, second, … attempt: short for a restart, then long enough for an outage of a
 * night.
 */
const DELAYS: readonly number[] = [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, 12 * HOUR];

/** The number of attempts after which a delivery is given up. */
export const MOST_ATTEMPTS = DELAYS.length + 1;

/** Returns the milliseconds to wait after this many failed attempts; `undefined` if no further attempt is made. */
export function retryDelay(attempts: number): number | undefined {
  return DELAYS[attempts - 1];
}
