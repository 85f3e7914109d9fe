/**
 * The text of an upstream's progress, as it is fit to be shown.
 *
 * @packageDocumentation
 */

/** The most characters of a line that is shown. */
const MOST = 200;

/**
 * Returns the last line of progress that was said in full. A carriage return ends a line, too: the next one takes its
 * place on a terminal. Characters that would act on a terminal are left out.
 */
export function lastLineOf(progress: string): string {
  const whole = progress.slice(0, Math.max(progress.lastIndexOf("\r"), progress.lastIndexOf("\n"), 0));
  const lines = whole.split(/[\r\n]+/).map((line) => line.replaceAll(/\p{Cc}/gu, "").trim());
  // Nothing was said in full yet.
  return (lines.findLast((line) => line !== "") ?? "").slice(0, MOST);
}

/** The most characters of a text that a sentence quotes. */
const MOST_QUOTED = 500;

/** Returns a text without line ends and other control characters, and not too long, for a sentence that quotes it. */
export function inOneLine(text: string): string {
  return text
    .slice(0, 2 * MOST_QUOTED)
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, MOST_QUOTED);
}
