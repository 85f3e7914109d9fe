/**
 * When a delivery is tried again.
 *
 * @packageDocumentation
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After the first, second, … attempt: quick for a restart, then patient enough for a night's outage; a day in all. Milliseconds. */
const DELAYS: readonly number[] = [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, 12 * HOUR];

/** Attempts until a delivery is given up. */
export const MOST_ATTEMPTS = DELAYS.length + 1;

/** Gives how long to wait after the given number of failed attempts, in milliseconds; `undefined` where it was the last. */
export function retryDelay(attempts: number): number | undefined {
  return DELAYS[attempts - 1];
}
