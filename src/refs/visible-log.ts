/**
 * Decides from where on a caller may see the ref log, and the past that is read from it.
 *
 * The log shows deleted branches and values that a forced push replaced. Administrators of a repository may read all of
 * it. For other callers it begins where their right to see it did. A caller that may read a repository because it is
 * public sees nothing from before it was public. A mirror shows the history of its upstream, and not that of the
 * repository before it followed this upstream.
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
