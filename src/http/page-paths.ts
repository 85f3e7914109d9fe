/**
 * The paths that pages have. A browser's cookie counts for these alone, and no path that git asks for is among them.
 *
 * @packageDocumentation
 */

/** The words behind a repository's name that pages begin with. git asks for none of them. */
export const PAGE_WORDS = [
  "tree",
  "blob",
  "raw",
  "blame",
  "commits",
  "commit",
  "compare",
  "branches",
  "tags",
  "reflog",
  "search",
  "archive",
  "activity",
  "settings",
  "feed",
] as const;

const REPOSITORY_PAGE = new RegExp(String.raw`^/[^/]+/[^/]+/(?:${PAGE_WORDS.join("|")})(?:/|$)`);
const SHORT_PAGE = /^\/(?:[^/]+(?:\/[^/]+)?\/?)?$/;
/** The pages of the host itself. */
const HOST_PAGE = /^\/-\/(?:login|logout|admin|public)(?:\/|$)/;

/** The pages of a tenant. No repository is called `-`. */
const TENANT_PAGE = /^\/[^/]+\/-\/(?:tokens|ssh-keys)\/?$/;

/** Whether a path is that of a page. */
export function isPagePath(path: string): boolean {
  if (path.startsWith("/api/")) return false;
  if (TENANT_PAGE.test(path)) return true;
  return HOST_PAGE.test(path) || REPOSITORY_PAGE.test(path) || (SHORT_PAGE.test(path) && !path.startsWith("/-/"));
}
