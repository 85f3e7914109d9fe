/**
 * The faults of the project: the whole vocabulary. Expected outcomes are unions; these are thrown, and one file a surface turns
 * them into an answer (see `http/git-failure.ts` and `http/problem.ts`).
 *
 * @packageDocumentation
 */

/** The client broke the protocol: answered with `ERR` or 400. */
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

/** Stored data is not what the catalog says: our fault, logged and answered on band 3 or 500. */
export class CorruptStore extends Error {
  override readonly name = "CorruptStore";
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

/** Too big, too many, over budget: answered with the limit's name. */
export class LimitExceeded extends Error {
  override readonly name = "LimitExceeded";
  readonly limit: string;
  /** The bound, in the limit's unit. */
  readonly max: number;
  constructor(limit: string, max: number, message: string) {
    super(message);
    this.limit = limit;
    this.max = max;
  }
}
