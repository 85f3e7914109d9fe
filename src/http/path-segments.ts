/**
 * The path of a request, as the host's routes see it.
 *
 * @packageDocumentation
 */

/** Returns a path without doubled slashes and without one at its end: clients join addresses carelessly. */
export function withoutEmptySegments(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}
