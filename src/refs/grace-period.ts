/**
 * The grace period of a repository: how long objects are kept that no ref reaches, and how far back a repository shows what
 * its refs were, if its owner has that shown.
 *
 * @packageDocumentation
 */

const DAY = 24 * 60 * 60_000;

/** The days of a repository whose owner has not changed them. */
export const GRACE_DAYS = 14;
/** The fewest days that an owner may choose. */
export const LEAST_GRACE_DAYS = 1;
/** The most days that an owner may choose. */
export const MOST_GRACE_DAYS = 365;

/** The settings. */
export type GracePeriod = {
  /** Days; absent for {@link GRACE_DAYS}. */
  readonly graceDays?: number;
  /**
   * From when on the repository shows what its refs were, in milliseconds since the epoch; absent if it does not. A purge
   * puts it forward.
   */
  readonly pastSince?: number;
};

/** Returns the grace period in milliseconds. */
export function graceTimeOf({ graceDays }: GracePeriod): number {
  return (graceDays ?? GRACE_DAYS) * DAY;
}

/**
 * Returns the first instant at which the repository shows what its refs were, in milliseconds since the epoch; `undefined`
 * if it does not show that.
 */
export function pastBeginning(period: GracePeriod, now: number): number | undefined {
  const { pastSince } = period;
  return pastSince === undefined ? undefined : Math.max(pastSince, now - graceTimeOf(period));
}
