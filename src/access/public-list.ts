/**
 * The list of the repositories of all tenants that everybody may read. It is a hint: whoever shows it asks each repository whether that
 * is so.
 *
 * @packageDocumentation
 */
import type { Page } from "./token-store.ts";

/** Whether everybody may read a repository of a tenant. */
export type ListingChange = { readonly repo: string; readonly isPublic: boolean };

/** A repository on the list. Names are in lower case. */
export type ListedRepository = { readonly tenant: string; readonly repo: string };

/** A question for a part of the list: what follows `after`, of one tenant or of all. */
export type PublicQuery = { readonly after?: ListedRepository; readonly tenant?: string; readonly limit: number };

/** The list. */
export interface PublicList {
  /** Lists repositories by their tenants' names, and then by their own. */
  publicRepos(query: PublicQuery): Promise<Page<ListedRepository>>;
}
