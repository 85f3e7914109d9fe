/**
 * The answer to a request for a repository that was renamed.
 *
 * @packageDocumentation
 */
import { withoutEmptySegments } from "./path-segments.ts";

/** Thrown where a request names a repository by its old name, and its sender may know the new one. */
export class RepositoryMoved extends Error {
  override readonly name = "RepositoryMoved";
  /** The address of the same thing at the repository's new name. */
  readonly location: string;
  /** The new name, `{tenant}/{repo}`. */
  readonly to: string;

  /** `to` is the new name, `{tenant}/{repo}`, and `url` the request's address. */
  constructor(to: string, url: string) {
    super(`This repository is called ${to} now.`);
    this.to = to;
    this.location = locationAt(to, url);
  }
}

/** The paths below which the API has repositories. */
const APIS = ["/api/v1/repos/", "/api/v3/repos/"];

/** Returns a request's URL with another repository in it. An instant and `.git` behind the name stay. */
function locationAt(to: string, text: string): string {
  const url = new URL(text);
  const path = withoutEmptySegments(url.pathname);
  const start = APIS.find((api) => path.startsWith(api)) ?? "/";
  const [, repo = "", ...rest] = path.slice(start.length).split("/");
  const [ending = ""] = /(?:(?:@|%40).*?)?(?:\.git)?$/i.exec(repo) ?? [];
  url.pathname = [`${start}${to}${ending}`, ...rest].join("/");
  return url.href;
}

/**
 * Returns `undefined` for a repository that was renamed: for a caller that asks what has this name, and nothing else.
 *
 * @throws any other error.
 */
export function unlessMoved(error: unknown): undefined {
  if (!(error instanceof RepositoryMoved)) throw error;
}
