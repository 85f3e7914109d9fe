/**
 * A bound on the lines of a request that no list of its parser counts: options of one word, which may be repeated, and
 * prefixes, which are dropped once they are too many. C git has no such bound.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";

/**
 * The most such lines. git's client asks for six prefixes per branch that it is to fetch by a short name, so a fetch of
 * 100,000 names sends 600,000 lines. As many as this are read in about half a second.
 */
const MOST_ARGUMENTS = 1_000_000;

/** Counts the lines of one request. */
export class ArgumentCount {
  #count = 0;

  /** Counts a line. @throws LimitExceeded on too many */
  add(): void {
    if (++this.#count <= MOST_ARGUMENTS) return;
    throw new LimitExceeded("request-arguments", MOST_ARGUMENTS, `too many arguments: more than ${MOST_ARGUMENTS}`);
  }
}
