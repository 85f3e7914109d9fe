/**
 * Brings a mirror up to date for a reader: asks for a sync, unless one is under way, and waits for its end. A job does
 * the sync and not the reader's own request, which the platform ends soon after its answer: an interrupted sync would
 * hold up others until its time is up.
 *
 * @packageDocumentation
 */
import type { MirrorStatus, MirrorStore } from "../refs/mirror-store.ts";

/** Milliseconds that a reader waits for a sync in all, and between questions about it: at first, and at most. */
const FRESHEN_TIME = 20_000;
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1000;

/** A clock, in milliseconds. */
export type Passing = { now(): number; wait(time: number): Promise<void> };

/** Whether a failing upstream is left alone for now: its readers are many, and none of them can mend it. */
function isLeftAlone({ failures, nextSync }: MirrorStatus, now: number): boolean {
  return failures > 0 && nextSync !== undefined && nextSync > now;
}

/** Returns whether a sync has ended well, or may have; false if none was waited for. */
export async function freshen(
  mirror: Pick<MirrorStore, "readMirror" | "requestSyncForReader">,
  time: Passing,
): Promise<boolean> {
  const began = time.now();
  const found = await mirror.readMirror();
  if (found === undefined || isLeftAlone(found.status, began)) return false;
  // A mirror may be as old as its timer allows; without this bound, readers would ask the upstream without end.
  if (!found.status.syncing && !(await mirror.requestSyncForReader())) return false;
  for (let pause = FIRST_WAIT; time.now() - began < FRESHEN_TIME; pause = Math.min(2 * pause, LONGEST_WAIT)) {
    await time.wait(pause);
    if ((await mirror.readMirror())?.status.syncing !== true) return true;
  }
  return false;
}
