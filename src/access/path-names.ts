/**
 * The names that a request's path contains, for the log and the tenant's usage. Nothing is decided by them.
 *
 * @packageDocumentation
 */
import { folded, isTenantName, parseGitRepositoryName, splitMoment } from "./names.ts";

/** The tenant of a path, and the repository where it has one. */
export type PathNames = { readonly tenant?: string; readonly repo?: string };

const REPOSITORIES = ["api", "v1", "repos"];
const TENANTS = ["api", "v1", "tenants"];

function beginsWith(pieces: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((piece, at) => pieces[at] === piece);
}

/** Returns the valid names in a path of Git or of the API, in the case in which they are compared. */
export function namesInPath(path: string): PathNames {
  const pieces = path.split("/").filter((piece) => piece !== "");
  const isOfTenant = beginsWith(pieces, TENANTS);
  const rest = isOfTenant || beginsWith(pieces, REPOSITORIES) ? pieces.slice(TENANTS.length) : pieces;
  const [tenant, repo] = rest;
  if (tenant === undefined || !isTenantName(tenant)) return {};
  const name = repo === undefined || isOfTenant ? undefined : parseGitRepositoryName(tenant, splitMoment(repo).repo);
  return name === undefined ? { tenant: folded(tenant) } : { tenant: name.tenant, repo: name.repo };
}
