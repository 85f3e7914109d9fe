/**
 * Conditional requests: whether a client already has a file, and whether the part it asks for belongs to the file it
 * knows.
 *
 * @packageDocumentation
 * @see RFC 9110, section 13
 */

/** The values that tell one version of a file from another. */
export type Validators = {
  /** A strong entity tag, with its quotes. */
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
 * Whether `Range` applies to this version. A client with `If-Range` has a part of one version, and wants all of any
 * other.
 */
export function mayContinue(headers: Headers, { etag, modified }: Validators): boolean {
  const known = headers.get("If-Range");
  return known === null || known === etag || known === new Date(modified).toUTCString();
}
