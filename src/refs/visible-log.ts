/**
 * From where on the ref log, and the past that is read out of it, may be seen.
 *
 * The log tells of branches that were deleted and of values that were forced away. Who administers a repository may read all of it.
 * For everybody else it begins where the right to see it did: whoever reads a repository because it is public saw nothing of it before
 * it was, and a mirror shows the history of its upstream, not what the repository held before it followed that one.
 *
 * @packageDocumentation
 */

/** A place in the ref log: the last move before it, 0 for none, and the moment in milliseconds since the epoch. */
export type LogPlace = { readonly seq: number; readonly at: number };

/** The marks that changes of settings left in the log. A mark that is absent hides nothing. */
export type LogMarks = {
  /** Where the repository became public, having been private before. */
  readonly publicSince?: LogPlace;
  /** Where it became a mirror, or began to follow another upstream. */
  readonly mirrorSince?: LogPlace;
};

/** The beginning of everything. */
export const LOG_START: LogPlace = { seq: 0, at: Number.NEGATIVE_INFINITY };

/** Gives the newest mark that concerns a caller; `needsPublic` is one who may read the repository only because it is public. */
export function logBeginning({ publicSince, mirrorSince }: LogMarks, needsPublic: boolean): LogPlace {
  const marks = [mirrorSince, needsPublic ? publicSince : undefined].filter((mark) => mark !== undefined);
  return marks.reduce(
    (newest, { seq, at }) => ({ seq: Math.max(newest.seq, seq), at: Math.max(newest.at, at) }),
    LOG_START,
  );
}
