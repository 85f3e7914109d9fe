/**
 * Conditional requests: whether a client has a file already, and whether the part it asks for is of the file it knows.
 *
 * @packageDocumentation
 * @see RFC 9110, section 13
 */

/** What tells one version of a file from another. */
export type Validators = {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
};

const SECOND = 1000;

/** Returns the headers that let a client ask conditionally later. */
export function validatorHeaders({ etag, modified }: Validators): Record<string, string> {
  return { ETag: etag, "Last-Modified": new Date(modified).toUTCString() };
}

/** Whether the client has this version: `If-None-Match`, or else `If-Modified-Since`. */
export function isUnchanged(headers: Headers, { etag, modified }: Validators): boolean {
  const tags = headers.get("If-None-Match");
  if (tags !== null) {
    return tags.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
  }
  // Without the header there is no date, and the comparison fails.
  const since = Date.parse(headers.get("If-Modified-Since") ?? "");
  return Math.floor(modified / SECOND) * SECOND <= since;
}

/**
 * Whether `Range` holds for this version. A client that says `If-Range` has a part of one, and wants all of any other.
 */
export function mayContinue(headers: Headers, { etag, modified }: Validators): boolean {
  const known = headers.get("If-Range");
  return known === null || known === etag || known === new Date(modified).toUTCString();
}
