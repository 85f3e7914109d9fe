/**
 * The faults of the project: the whole vocabulary. Expected outcomes are unions; these are thrown, and one file a surface turns
 * them into an answer (see `http/git-failure.ts` and `http/problem.ts`).
 *
 * Their messages are for people. What a program decides by is their class and their fields, never their text.
 *
 * @packageDocumentation
 */
import type { LimitName } from "./limit-name.ts";

/** The client broke the protocol: answered with `ERR` or 400. It carries no code, since nothing tells one breach from another. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The client sent objects or a pack that git refuses: answered in the `unpack` line. */
export class ObjectRejected extends Error {
  override readonly name = "ObjectRejected";
  /** `shallow`: nothing is wrong with the objects but that the client's own history is cut, and what lies behind is not here. */
  readonly rule: "shallow" | undefined;
  constructor(message: string, rule?: "shallow") {
    super(message);
    this.rule = rule;
  }
}

/** The client sent an object that git's fsck refuses, which the repository's settings may let pass. */
export class FsckRejected extends ObjectRejected {
  /** The object's name, in hexadecimal. */
  readonly oid: string;
  /** The message id of what refuses it, as in git-fsck(1). */
  readonly id: string;
  constructor(oid: string, id: string, text: string) {
    super(`object ${oid}: ${id}: ${text}`);
    this.oid = oid;
    this.id = id;
  }
}

/** Where stored data is: the name of its pack, and the offset of the entry or of the bytes in it, as far as they are known. */
export type StoredPlace = { readonly pack?: string; readonly offset?: number };

/** Stored data is not what the catalog says: our fault, logged and answered on band 3 or 500. */
export class CorruptStore extends Error {
  override readonly name = "CorruptStore";
  /** Where the damage was found; the log has it. */
  readonly place: StoredPlace;
  constructor(message: string, { cause, ...place }: StoredPlace & { readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.place = place;
  }
}

/**
 * Returns what to throw for a fault met while stored data was read. Objects that git would refuse are no client's fault there, and
 * a fault that does not know where it happened learns it.
 */
export function storedFault(error: unknown, place: StoredPlace = {}): unknown {
  if (error instanceof ObjectRejected) return new CorruptStore(error.message, { ...place, cause: error });
  if (!(error instanceof CorruptStore) || error.place.pack !== undefined || place.pack === undefined) return error;
  return new CorruptStore(error.message, { ...place, ...error.place, cause: error });
}

/** An object that the catalog promises is not there. */
export class MissingObject extends Error {
  override readonly name = "MissingObject";
  readonly oid: string;
  constructor(oid: string) {
    super(`missing object ${oid}`);
    this.oid = oid;
  }
}

/** Too big, too many, over budget: answered with a sentence that says which bound, and what it is. */
export class LimitExceeded extends Error {
  override readonly name = "LimitExceeded";
  readonly limit: LimitName;
  /** The bound, in the limit's unit. */
  readonly max: number;
  constructor(limit: LimitName, max: number, message: string) {
    super(message);
    this.limit = limit;
    this.max = max;
  }
}

const BUSY = {
  host: "the host is busy",
  share: "too many requests for this repository are under way",
} as const;

/** There is no room for the request now: answered with 503, or 429 where it is the asker's own requests that take it. */
export class HostBusy extends Error {
  override readonly name = "HostBusy";
  readonly reason: keyof typeof BUSY;
  /** Seconds, as `Retry-After` has them. */
  readonly retryAfter: number;
  constructor(reason: keyof typeof BUSY, retryAfter: number) {
    super(`${BUSY[reason]}: try again in ${retryAfter} seconds`);
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

const SLOW = {
  standstill: "too little was taken or sent for too long",
  pressed: "too little was taken or sent while others waited",
} as const;

/** The client stands still: its request ends, so that others get what it holds. */
export class ClientTooSlow extends Error {
  override readonly name = "ClientTooSlow";
  readonly reason: keyof typeof SLOW;
  constructor(reason: keyof typeof SLOW) {
    super(SLOW[reason]);
    this.reason = reason;
  }
}
