/**
 * All error classes of the project. Expected outcomes are unions; faults are thrown as one of these classes. One file
 * per surface turns them into an answer: `http/git-failure.ts` and `http/problem.ts`.
 *
 * Their messages are for people. Programs decide by their classes and fields, never by their text.
 *
 * @packageDocumentation
 */
import type { LimitName } from "./limit-name.ts";

/** The client broke the protocol. The answer is `ERR` or status 400. It has no code: all breaches are treated alike. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The client sent a pack or an object that git refuses. The answer is in the `unpack` line. */
export class ObjectRejected extends Error {
  override readonly name = "ObjectRejected";
  /** `shallow`: the objects are sound, but the client's history is cut and the objects behind the cut are not here. */
  readonly rule: "shallow" | undefined;
  constructor(message: string, rule?: "shallow") {
    super(message);
    this.rule = rule;
  }
}

/** A pack refers to objects that are neither in it nor here. */
export class MissingReferences extends ObjectRejected {
  /** The raw names of the objects, one after the other. */
  readonly names: Uint8Array;
  constructor(message: string, names: Uint8Array) {
    super(message);
    this.names = names;
  }
}

/** The client sent an object that git's fsck refuses. The repository's settings may accept such objects. */
export class FsckRejected extends ObjectRejected {
  /** The object name in hexadecimal. */
  readonly oid: string;
  /** The message id of the check that refuses it, as in git-fsck(1). */
  readonly id: string;
  constructor(oid: string, id: string, text: string) {
    super(`object ${oid}: ${id}: ${text}`);
    this.oid = oid;
    this.id = id;
  }
}

/** The place of stored data: the name of its pack and the offset in it, as far as they are known. */
export type StoredPlace = { readonly pack?: string; readonly offset?: number };

/** Stored data is not as the catalog says. The host's fault: it is logged, and answered on band 3 or with 500. */
export class CorruptStore extends Error {
  override readonly name = "CorruptStore";
  /** The place of the damage, for the log. */
  readonly place: StoredPlace;
  constructor(message: string, { cause, ...place }: StoredPlace & { readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.place = place;
  }
}

/**
 * Returns the error to throw for an error that was caught while stored data was read. An object that git would refuse
 * is not the client's fault there, so it becomes a {@link CorruptStore}. A {@link CorruptStore} without a pack gets
 * `place`.
 */
export function storedFault(error: unknown, place: StoredPlace = {}): unknown {
  if (error instanceof ObjectRejected) return new CorruptStore(error.message, { ...place, cause: error });
  if (!(error instanceof CorruptStore) || error.place.pack !== undefined || place.pack === undefined) return error;
  return new CorruptStore(error.message, { ...place, ...error.place, cause: error });
}

/** An object that the catalog promises is missing. */
export class MissingObject extends Error {
  override readonly name = "MissingObject";
  readonly oid: string;
  constructor(oid: string) {
    super(`missing object ${oid}`);
    this.oid = oid;
  }
}

/** A request is too large, has too many items or is over a budget. The answer states the bound and its value. */
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
  caller: "too many of your requests are under way",
} as const;

/**
 * There is no memory for the request now. The status is 503, or 429 if too many requests of its own share or caller
 * wait for memory.
 */
export class HostBusy extends Error {
  override readonly name = "HostBusy";
  readonly reason: keyof typeof BUSY;
  /** The seconds after which the client may try again, for `Retry-After`. */
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

/** The client takes or sends too little. Its request ends, so that others get the memory that it holds. */
export class ClientTooSlow extends Error {
  override readonly name = "ClientTooSlow";
  readonly reason: keyof typeof SLOW;
  constructor(reason: keyof typeof SLOW) {
    super(SLOW[reason]);
    this.reason = reason;
  }
}

/** The bucket failed. What is stored is sound, nothing was changed, and the client may try again. */
export class BucketUnavailable extends Error {
  override readonly name = "BucketUnavailable";
  /** Whether it took nothing, or gave nothing. */
  readonly does: "takes" | "gives";
  constructor(does: BucketUnavailable["does"], key: string, options: ErrorOptions) {
    super(`the bucket ${does} nothing now (${key}): nothing was changed, try again later`, options);
    this.does = does;
  }
}

/** Whether stored data can't be had: it is damaged, or the bucket fails. What only saves work is then done without. */
export function isStorageFault(error: unknown): error is CorruptStore | BucketUnavailable {
  return error instanceof CorruptStore || error instanceof BucketUnavailable;
}

/** Returns what is read; `undefined` if a limit is exceeded, as by an object that is too large to be held. */
export async function unlessTooLarge<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof LimitExceeded) return undefined;
    throw error;
  }
}
