/**
 * Addresses of pages. Paths and revisions have one character per byte, and each byte that a path of a URL can't have as
 * it is becomes a percent escape: a name that is not UTF-8 has a link like any other.
 *
 * @packageDocumentation
 */
import { percentEncoded } from "../http/content-address.ts";
import type { RepositoryName } from "../access/names.ts";
import { shownName } from "../access/names.ts";

/** The pages of a repository that show something at a path of a revision. */
export type PathPage = "tree" | "blob" | "raw" | "blame" | "commits" | "activity";

/** Returns the address of a repository's front page. */
export function repositoryLink(name: RepositoryName): string {
  return `/${shownName(name)}`;
}

/** Returns the address of what a page shows at a path of a revision. */
export function pathLink(name: RepositoryName, page: PathPage, revision: string, path = ""): string {
  return `${repositoryLink(name)}/${page}/${percentEncoded(revision)}${path === "" ? "" : `/${percentEncoded(path)}`}`;
}

/** Returns the address of a commit. */
export function commitLink(name: RepositoryName, oid: string): string {
  return `${repositoryLink(name)}/commit/${oid}`;
}
