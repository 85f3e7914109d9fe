/**
 * The platform's recovery of a database to a point in time.
 *
 * @packageDocumentation
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
 */
import type { RecoveryAnswer } from "../../access/object-copies.ts";

/** How far back the platform goes. Milliseconds: 30 days. */
export const PAST_TIME = 30 * 24 * 60 * 60 * 1000;

/** The part of a Durable Object's storage that goes back. */
export interface PointInTime {
  getBookmarkForTime(at: number | Date): Promise<string>;
  /** Has the object begin its next life with the database of a bookmark. Returns one that leads back to the present. */
  onNextSessionRestoreBookmark(bookmark: string): Promise<string>;
}

/** What the local runtime says: it keeps no past. */
const UNSUPPORTED = /does not implement point-in-time recovery/;

/** Has the database be that of `at` when the object is made next. Times are in milliseconds since the epoch. */
export async function recoverTo(past: PointInTime, at: number, now: number): Promise<RecoveryAnswer> {
  if (at > now) return { kind: "refused", why: "at: it is in the future." };
  if (now - at > PAST_TIME) return { kind: "refused", why: "at: the platform goes back 30 days." };
  try {
    return { kind: "recovered", undo: await past.onNextSessionRestoreBookmark(await past.getBookmarkForTime(at)) };
  } catch (error) {
    const why = String(error);
    if (UNSUPPORTED.test(why)) return { kind: "unsupported", why: "The platform here keeps no past of its objects." };
    throw error;
  }
}
