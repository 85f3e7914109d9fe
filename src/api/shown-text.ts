/**
 * Texts that people are shown, on pages, in terminals and in mail: what names and describes things.
 *
 * @packageDocumentation
 */
import * as v from "valibot";

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LINES = /[^\P{Cc}\t\n\r]/u;
const REFUSED = "has a control character";

/** The schema of a name of 1 to `most` characters: on one line, and without what terminals and pages act on. */
export function shownName(most: number) {
  return v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(most),
    v.check((text) => !CONTROL.test(text), REFUSED),
  );
}

/** The schema of a description of up to `most` characters, which may have lines. */
export function shownText(most: number) {
  return v.pipe(
    v.string(),
    v.maxLength(most),
    v.check((text) => !CONTROL_BUT_LINES.test(text), REFUSED),
  );
}
