/**
 * Decides from where on a caller may see the ref log, and the past that is read from it.
 *
 * The log shows deleted branches and values that a forced push replaced. Administrators of a repository may read all of
 * it. For other callers it begins where their right to see it did. A caller that may read a repository because it is
 * public sees nothing from before it was public, and one with a token is told no events from before the token was made.
 * A mirror shows the history of its upstream, and not that of the repository before it followed this upstream. It is
 * shown to all who may read the mirror, whenever their tokens were made: that is what one names an instant for.
 *
 * @packageDocumentation
 */

/** A place in the ref log: the last move before it (0 for none), and the instant in milliseconds since the epoch. */
export type LogPlace = { readonly seq: number; readonly at: number };

/** The marks that changes of settings left in the log. An absent mark hides nothing. */
export type LogMarks = {
  /** The place where the repository became public after it had been private. */
  readonly publicSince?: LogPlace;
  /** The place where it became a mirror, or began to follow another upstream. */
  readonly mirrorSince?: LogPlace;
};

/** The beginning of every log. */
export const LOG_START: LogPlace = { seq: 0, at: Number.NEGATIVE_INFINITY };

/**
 * Returns the newest mark that concerns a caller. `needsPublic` is true for one that may read the repository only
 * because it is public.
 */
export function logBeginning({ publicSince, mirrorSince }: LogMarks, needsPublic: boolean): LogPlace {
  const marks = [mirrorSince, needsPublic ? publicSince : undefined].filter((mark) => mark !== undefined);
  return marks.reduce(
    (newest, { seq, at }) => ({ seq: Math.max(newest.seq, seq), at: Math.max(newest.at, at) }),
    LOG_START,
  );
}

/**
 * Returns where the log begins for a subscriber of a repository. One that reads it with a token is told nothing from
 * before the token was made (`tokenSince`, absent for others), except what anybody is told of a public repository.
 */
export function eventsBeginning(
  record: LogMarks & { readonly visibility?: "private" | "public" },
  needsPublic: boolean,
  tokenSince: LogPlace | undefined,
): LogPlace {
  const visible = logBeginning(record, needsPublic);
  if (tokenSince === undefined || needsPublic) return visible;
  const forAnybody = record.visibility === "public" ? logBeginning(record, true) : undefined;
  if (forAnybody !== undefined && forAnybody.seq <= tokenSince.seq) return forAnybody;
  return tokenSince.seq > visible.seq ? tokenSince : visible;
}
