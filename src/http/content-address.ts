/**
 * Addresses of a repository's content, taken apart and put together without losing a byte: paths and revisions have one
 * character per byte.
 *
 * @packageDocumentation
 */
import { parseRevision, type RevisionSyntax } from "../browse/revision-syntax.ts";
import { bytesOf } from "../object/byte-text.ts";
import { withoutEmptySegments } from "./path-segments.ts";
import { Problem } from "./problem.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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

/** Returns a text without slashes at its end. It looks at each character once, whatever a stranger sends. */
function withoutFinalSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === "/") end--;
  return text.slice(0, end);
}

/** Returns a text without slashes around it. */
export function withoutSlashes(text: string): string {
  const inner = withoutFinalSlashes(text);
  let from = 0;
  while (inner.charAt(from) === "/") from++;
  return inner.slice(from);
}

/** Returns the path of a URL after its first `pieces`, with one character per byte and without a final slash. */
export function pathAfter(url: string, pieces: number): string {
  const rest = withoutEmptySegments(new URL(url).pathname).split("/").slice(pieces).map(percentDecoded).join("/");
  return withoutFinalSlashes(rest);
}

/** Returns the query of a URL, pair by pair, with one character per byte. */
export function queryPairs(url: string): [name: string, value: string][] {
  const decoded = (text: string): string => percentDecoded(text.replaceAll("+", " "));
  const pairs = new URL(url).search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "");
  return pairs.map((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [decoded(pair), ""] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
  });
}

/** Returns a query parameter of a URL, with one character per byte; "" if it is absent. */
export function queryBytes(url: string, name: string): string {
  return queryPairs(url).find(([known]) => known === name)?.[1] ?? ""; // An absent one and an empty one are alike.
}

/**
 * Returns a query with other values for some parameters, and the rest byte for byte. The values are ASCII; `undefined`
 * takes a parameter away.
 */
export function withQuery(search: string, changes: Readonly<Record<string, string | undefined>>): string {
  const nameOf = (pair: string): string => percentDecoded(pair.replace(/=.*$/s, "").replaceAll("+", " "));
  const kept = search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair !== "" && !Object.hasOwn(changes, nameOf(pair)));
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${percentEncoded(value)}`],
  );
  return `?${[...kept, ...added].join("&")}`;
}

/**
 * Returns text that has one character per byte as what it says in UTF-8. Bytes that are none are refused, and never
 * replaced: of a path, another one would come.
 *
 * @throws Problem
 */
export function utf8Text(bytes: string, what: string): string {
  try {
    return strict.decode(bytesOf(bytes));
  } catch {
    throw new Problem(422, `${what} is not UTF-8.`);
  }
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
