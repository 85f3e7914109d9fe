/**
 * The path of a request, as the host's routes see it.
 *
 * @packageDocumentation
 */

/** A piece that a URL takes out of a path, alone or with the piece before it. */
const DOTS = /^(?:\.|%2e){1,2}$/i;
/** What a URL takes for a slash, or leaves out, so that other pieces come of it. */
// eslint-disable-next-line no-control-regex -- control characters are what it is for
const REDRAWN = /[\\\u0000-\u001F]/;

/** Whether a URL makes another path of this one: by its pieces `.` and `..`, however they are written. */
export function isResolvedByUrl(path: string): boolean {
  return REDRAWN.test(path) || path.split("/").some((piece) => DOTS.test(piece));
}

/**
 * Returns the URL of a percent-encoded path, with its query, at the origin of `base`. It is `undefined` if the URL would
 * have another path: a name within a path, such as `..`, must not lead to another thing than the one that is meant.
 */
export function urlOfPath(path: string, base: string): URL | undefined {
  const url = new URL(path, base);
  return url.pathname === path.replace(/[?#].*$/s, "") ? url : undefined;
}

/** Returns a path without doubled slashes and without one at its end: clients join addresses carelessly. */
export function withoutEmptySegments(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}
