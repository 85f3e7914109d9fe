/**
 * Names in zip archives that stay in the folder they are unpacked in, on whatever system that is.
 *
 * To git a name is bytes without a slash. Where a backslash is a slash, `..\..\x` leads out of the folder; where drives and streams have
 * colons, `C:\x` and `a:b` mean something else; control characters and those that turn the direction of writing show another name than
 * the one that is written. Such characters are written as `%` and their bytes in hexadecimal digits, and so is a `%` that would be taken
 * for the beginning of that: two names stay two names, or else an entry could be written through another that is a link.
 *
 * Archives in tar's format keep names as they are, as `git archive` does: what unpacks them knows such names.
 *
 * @packageDocumentation
 */

/**
 * Control characters, backslash and colon. In UTF-8, with one character a byte: U+0080 to U+009F, U+061C, U+200E, U+200F, U+2028 to
 * U+202E and U+2066 to U+2069. And a percent sign that stands before the digits of a byte of these.
 */
const HARMFUL =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /[\x00-\x1f\x7f\\:]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|%(?=[0189Aa][0-9A-Fa-f]|2[5Ee]|3[Aa]|5[Cc]|7[Ff]|[CcEe]2|[Dd]8)/g;
/** Systems that drop spaces and dots at the end of a name take this for the directory itself, or the one above. */
const ONLY_DOTS = /^[. ]+$/;

function escaped(bytes: string): string {
  return Array.from(bytes, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** Gives a path as it is written to a zip archive; one character a byte. */
export function zipPath(path: string): string {
  return path
    .split("/")
    .map((name) => (ONLY_DOTS.test(name) ? name.replaceAll(".", "%2E") : name.replaceAll(HARMFUL, escaped)))
    .join("/");
}
