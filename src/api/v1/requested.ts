/**
 * Returns what a request's path names, to a caller that may do the requested action with it. Every route begins here.
 *
 * @packageDocumentation
 */
import { present } from "../../bytes/assert.ts";
import type { Context } from "hono";
import { decide, type Action, type TenantAction } from "../../access/decide.ts";
import { folded, isTenantName, parseRepositoryName, type RepositoryName } from "../../access/names.ts";
import { authorize, authorizeTenant } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { DescribedRepository } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";

/** The message for what does not exist, and for what may not be known to exist. */
const NO_REPOSITORY = "There is no such repository.";

/**
 * Returns the path's names. It decides nothing if they can be a repository's.
 *
 * @throws AccessDenied, Problem if they can't.
 */
export async function requestedName(context: Context<ApiEnv>, action: Action): Promise<RepositoryName> {
  const { tenant = "", repo = "" } = context.req.param();
  const name = parseRepositoryName(tenant, repo);
  if (name !== undefined) return name;
  await authorize(context.var.host, action, { tenant, repo }, undefined);
  throw new Problem(action === "read" ? 404 : 422, "This can't be the name of a repository.");
}

/**
 * Returns the repository to a caller that may do this with it.
 *
 * @throws AccessDenied, Problem
 */
export async function requestedRepository(
  context: Context<ApiEnv>,
  action: Action,
): Promise<{ name: RepositoryName; record: DescribedRepository }> {
  const name = await requestedName(context, action);
  const record = await context.var.api.settings(name).describe();
  await authorize(context.var.host, action, name, record);
  if (record === undefined) throw new Problem(404, NO_REPOSITORY);
  return { name, record };
}

/**
 * Returns the name to a caller that may administer a repository of it, whether it exists or not. It looks the
 * repository up only for other callers, to decide what they may know.
 *
 * @throws AccessDenied, Problem
 */
export async function administeredName(context: Context<ApiEnv>): Promise<RepositoryName> {
  const { host, api } = context.var;
  const name = await requestedName(context, "administer");
  const { principal } = await host.identify(name);
  const decision = decide(principal, "administer", name, undefined);
  const record = decision === "hide" ? await api.settings(name).describe() : undefined;
  await authorize(host, "administer", name, record);
  return name;
}

/**
 * Returns the path's tenant, in lower case, to a caller that may do this with it, whether it exists or not.
 *
 * @throws AccessDenied, Problem if it can't be a tenant.
 */
export async function requestedTenant(context: Context<ApiEnv>, action: TenantAction): Promise<string> {
  const { tenant: spelled = "" } = context.req.param();
  const tenant = folded(spelled);
  await authorizeTenant(context.var.host, action, tenant);
  if (isTenantName(tenant)) return tenant;
  throw new Problem(context.req.method === "PUT" ? 422 : 404, "This can't be the name of a tenant.");
}

/**
 * Returns the value of a parameter of the route's path.
 *
 * @throws Bug if the path has none of this name.
 */
export function pathParam(context: Context, name: string): string {
  return present(context.req.param(name), `the parameter ${name} of the path`);
}
