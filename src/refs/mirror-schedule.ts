/**
 * When a mirror is synced next, and the times of a sync.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How long a sync may take. The queue's consumer has fifteen minutes; what is left is for the end of the sync. Milliseconds. */
export const SYNC_TIME = 13 * 60 * 1000;
/** How often a sync says that it goes on. Milliseconds. */
export const BEAT_TIME = 15_000;
/** A sync that has said nothing for this long is taken for dead, and another takes its place. Milliseconds. */
export const SILENCE_TIME = 60_000;
/** The lease of a sync's pack: shorter than one of a push, since a sync that fails is tried again. Milliseconds. */
export const SYNC_LEASE_TIME = 20 * 60 * 1000;

assert(2 * BEAT_TIME < SILENCE_TIME, "a sync that lost one sign of life is not taken for dead");
assert(SYNC_TIME < SYNC_LEASE_TIME, "the lease of a sync's pack outlives the sync");

/** Spread of the times around what they should be, so that mirrors made together don't stay together. */
const SPREAD = 0.1;

/** What the next time depends on. */
export type SyncTiming = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** From 0 to 1, at random. */
  readonly jitter: number;
  /** Seconds; 0 for none. */
  readonly interval: number;
  /** Attempts that failed in a row, with the last one. */
  readonly failures: number;
  /** Milliseconds that the upstream asked to be left alone for. */
  readonly retryAfter?: number | undefined;
};

/**
 * Gives when to sync next; `undefined` where nothing is to happen by itself. After a failure the wait doubles, up to a day; a mirror
 * without an interval tries again, too, as what had asked for the sync will not do so a second time.
 */
export function nextSync({ now, jitter, interval, failures, retryAfter = 0 }: SyncTiming): number | undefined {
  if (failures === 0 && interval === 0) return undefined;
  const usual = interval === 0 ? MINUTE : interval * 1000;
  const wait =
    failures === 0 ? usual : Math.min(Math.max(MINUTE, Math.min(usual, DAY)) * 2 ** Math.min(failures - 1, 30), DAY);
  const spread = 1 - SPREAD + 2 * SPREAD * jitter;
  return now + Math.round(Math.max(wait * spread, retryAfter));
}
