/**
 * The repositories that a visitor is shown of a tenant, or of all: what the pages of lists and their JSON agree on.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { folded, isTenantName } from "../access/names.ts";
import { withQuery } from "../http/content-address.ts";
import { Problem } from "../http/problem.ts";
import { apiJson } from "./api-json.ts";
import type { PageEnv } from "./page-host.ts";

const shownRepository = v.object({
  tenant: v.string(),
  name: v.string(),
  visibility: v.string(),
  description: v.string(),
  size_bytes: v.number(),
  pushed_at: v.nullable(v.string()),
  mirror: v.optional(v.object({ synced_at: v.nullable(v.string()) })),
});
/** A repository of a list. */
export type ShownRepository = v.InferOutput<typeof shownRepository>;
/** The API's lists of repositories. */
export const repositories = v.object({ repos: v.array(shownRepository), cursor: v.optional(v.string()) });
/** A page of repositories. */
export type RepositoryList = v.InferOutput<typeof repositories>;

/** Whose repositories a page of a tenant has: `all`, for those who may list them, or the public ones. */
export type TenantView = { readonly tenant: string; readonly shows: "all" | "public" };

/** Returns what the visitor is shown of the tenant that the address names. @throws Problem if no tenant can have the name */
export async function tenantView(context: Context<PageEnv>): Promise<TenantView> {
  const tenant = context.req.param("tenant") ?? ""; // The route has a tenant.
  if (!isTenantName(tenant)) throw new Problem(404, "There is no such tenant.");
  const { principal } = await context.var.host.identify();
  const isOfTenant = principal.kind === "token" && principal.tenant === folded(tenant);
  return { tenant, shows: principal.kind === "operator" || isOfTenant ? "all" : "public" };
}

/**
 * Returns public repositories, of one tenant or of all; `undefined` where the operator has them listed for nobody.
 * `search` says which page of the list.
 */
export async function publicRepositories(
  context: Context<PageEnv>,
  search: string,
  tenant?: string,
): Promise<RepositoryList | undefined> {
  const query = withQuery(search, tenant === undefined ? {} : { tenant });
  try {
    return await apiJson(context, `/repos${query}`, repositories);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Returns public repositories of a tenant. A tenant that has none is answered like one that is not there.
 *
 * @throws Problem
 */
export async function publicOfTenant(
  context: Context<PageEnv>,
  search: string,
  tenant: string,
): Promise<RepositoryList> {
  const list = await publicRepositories(context, search, tenant);
  const isEmpty = list === undefined || (list.repos.length === 0 && list.cursor === undefined);
  if (isEmpty) throw new Problem(404, "There is no such tenant, or nothing of it that you may see.");
  return list;
}
