/**
 * Decides when a mirror is synced next, and holds the times of a sync.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * The longest time of a sync, in milliseconds. The queue's consumer has fifteen minutes; the rest is for the end of the
 * sync.
 */
export const SYNC_TIME = 13 * 60 * 1000;
/** The time between two reports of a running sync, in milliseconds. */
export const BEAT_TIME = 15_000;
/** A sync that is silent for this long, in milliseconds, is taken for dead, and another takes its place. */
export const SILENCE_TIME = 60_000;
/**
 * The lease of a sync's pack, in milliseconds. It is shorter than that of a push, because a failed sync is tried again.
 */
export const SYNC_LEASE_TIME = 20 * 60 * 1000;

assert(2 * BEAT_TIME < SILENCE_TIME, "a sync that lost one sign of life is not taken for dead");
assert(SYNC_TIME < SYNC_LEASE_TIME, "the lease of a sync's pack outlives the sync");

/** The random spread of the times, as a share of the wait. It separates mirrors that were made together. */
const SPREAD = 0.1;

/** The input of the decision. */
export type SyncTiming = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A random number from 0 to 1. */
  readonly jitter: number;
  /** Seconds between syncs; 0 for none. */
  readonly interval: number;
  /** The number of attempts that failed in a row, including the last one. */
  readonly failures: number;
  /** The milliseconds for which the upstream asked to be left alone. */
  readonly retryAfter?: number | undefined;
};

/**
 * Returns when to sync next; `undefined` if no sync is due by itself. After a failure the wait doubles, up to a day. A
 * mirror without an interval tries again too, because the request that caused the sync is not repeated.
 */
export function nextSync({ now, jitter, interval, failures, retryAfter = 0 }: SyncTiming): number | undefined {
  if (failures === 0 && interval === 0) return undefined;
  const usual = interval === 0 ? MINUTE : interval * 1000;
  const wait =
    failures === 0 ? usual : Math.min(Math.max(MINUTE, Math.min(usual, DAY)) * 2 ** Math.min(failures - 1, 30), DAY);
  const spread = 1 - SPREAD + 2 * SPREAD * jitter;
  return now + Math.round(Math.max(wait * spread, retryAfter));
}
