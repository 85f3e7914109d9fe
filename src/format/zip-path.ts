/**
 * Paths for zip archives that stay in the folder into which they are unpacked, on every system.
 *
 * Git allows any bytes but a slash in a name. Some of these names are dangerous elsewhere:
 *
 * - Where a backslash separates directories, `..\..\x` leads out of the folder.
 * - Where drives and streams have colons, `C:\x` and `a:b` mean something else.
 * - Control characters, and characters that change the writing direction, show another name than the one that is
 * written.
 *
 * Such a character is written as `%` and its bytes in hexadecimal digits. A `%` that could be taken for the beginning
 * of that is encoded, too. So two names stay two names; otherwise an entry could be written through another one that is
 * a link.
 *
 * Archives in tar's format keep names as they are, as `git archive` does, since programs that unpack them expect such
 * names.
 *
 * @packageDocumentation
 */

/**
 * Matches control characters, backslash and colon, and, in UTF-8 with one character per byte: U+0080 to U+009F, U+061C,
 * U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069. Also matches a percent sign before the digits of a byte of
 * these.
 */
const HARMFUL =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /[\x00-\x1f\x7f\\:]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|%(?=[0189Aa][0-9A-Fa-f]|2[5Ee]|3[Aa]|5[Cc]|7[Ff]|[CcEe]2|[Dd]8)/g;
/**
 * Matches the names that some systems take for the directory itself or its parent, since they drop spaces and dots at
 * the end.
 */
const ONLY_DOTS = /^[. ]+$/;

function escaped(bytes: string): string {
  return Array.from(bytes, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** Returns a path as it is written to a zip archive. Both have one character per byte. */
export function zipPath(path: string): string {
  return path
    .split("/")
    .map((name) => (ONLY_DOTS.test(name) ? name.replaceAll(".", "%2E") : name.replaceAll(HARMFUL, escaped)))
    .join("/");
}
