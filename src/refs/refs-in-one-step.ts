/**
 * How many moves of refs are one step: one call to the repository's object carries them.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import type { RefUpdate } from "./ref-update.ts";

/** Bytes that an RPC carries, less what its frame may take. */
export const MOST_PUSH_BYTES = 30 * 1024 * 1024;
/** What a mirror is told of refs that don't fit. */
export const ONE_SYNC = "one sync: a refspec could leave some out";
/** Bytes that a command takes in an RPC beside its name and oids: the names of its members, and lengths. */
const COMMAND_BYTES = 48;
/** Text that takes two bytes for each of its units. */
const WIDE = /[\u0100-\uffff]/;

/** Returns the bytes that a move takes in a call. `digits` are those of its objects' names together. */
export function moveBytes(name: string, digits: number): number {
  return COMMAND_BYTES + name.length * (WIDE.test(name) ? 2 : 1) + digits;
}

/** Refuses moves that don't fit one call. `what` names them in the message. */
export function refuseStep(refs: string, what: string): never {
  throw new LimitExceeded("refs-in-one-step", MOST_PUSH_BYTES, `${refs} refs are too many for ${what}`);
}

/**
 * Checks that moves fit one call: they have to land in one, to be one step. `what` names them in the message.
 *
 * @throws LimitExceeded if they don't fit.
 */
export function assertFits(updates: readonly RefUpdate[], what: string, options: readonly string[] = []): void {
  let bytes = 0;
  for (const option of options) bytes += option.length;
  for (const { name, oldOid, newOid, peeled = "" } of updates) {
    bytes += moveBytes(name, oldOid.length + newOid.length + peeled.length);
  }
  if (bytes > MOST_PUSH_BYTES) refuseStep(String(updates.length), what);
}
