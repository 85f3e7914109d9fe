/**
 * Addresses of a repository's content, taken apart and put together without losing a byte: paths and revisions have one
 * character per byte.
 *
 * @packageDocumentation
 */
import { parseRevision, type RevisionSyntax } from "../browse/revision-syntax.ts";
import { withoutEmptySegments } from "./path-segments.ts";
import { Problem } from "./problem.ts";

/** Decodes percent-encoding, into one character per byte. */
export function percentDecoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Encodes a text that has one character per byte. Letters, digits and these signs stay: `.`, `_`, `~`, `/` and `-`. */
export function percentEncoded(bytes: string): string {
  return bytes.replaceAll(
    /[^A-Za-z0-9._~/-]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Returns the path of a URL after its first `pieces`, with one character per byte and without a final slash. */
export function pathAfter(url: string, pieces: number): string {
  const rest = withoutEmptySegments(new URL(url).pathname).split("/").slice(pieces).map(percentDecoded).join("/");
  return rest.replace(/\/+$/, "");
}

/** Returns a query parameter of a URL, with one character per byte; "" if it is absent. */
export function queryBytes(url: string, name: string): string {
  const { search } = new URL(url);
  for (const pair of search.slice(1).split("&")) {
    const at = pair.indexOf("=");
    if (at >= 0 && percentDecoded(pair.slice(0, at)) === name)
      return percentDecoded(pair.slice(at + 1).replaceAll("+", " "));
  }
  return "";
}

/**
 * Parses a revision.
 *
 * @throws Problem
 */
export function requestedRevision(text: string): RevisionSyntax {
  const revision = parseRevision(text);
  if (revision === undefined)
    throw new Problem(422, "This is no revision that is understood here: a name, then ^, ^N, ~N or ^{type}.");
  return revision;
}

/**
 * Takes `{a}...{b}` apart. A revision that is left out is `HEAD`, as in git.
 *
 * @throws Problem
 */
export function comparedRevisions(text: string): readonly [string, string] {
  const [left = "", right, ...more] = text.split("...");
  if (right === undefined || more.length > 0)
    throw new Problem(404, "Two revisions with ... between them are compared.");
  return [left === "" ? "HEAD" : left, right === "" ? "HEAD" : right];
}
