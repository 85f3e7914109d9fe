/**
 * The bounds of a tenant: why it takes no repository, and what its repositories may hold.
 *
 * @packageDocumentation
 */
import type { RegisterRefusal, RegisterRequest } from "../../access/directory.ts";
import type { Allowance } from "../../access/quotas.ts";
import type { TenantRow } from "./tables/tenant.ts";
import type { TenantRepo } from "./tables/tenant-repos.ts";

/** Returns why a repository can't be entered. */
export function refusalOf(
  row: TenantRow | undefined,
  listed: TenantRepo | undefined,
  request: RegisterRequest,
): RegisterRefusal | undefined {
  if (row === undefined) return "missing-tenant";
  if (row.leaving) return "leaving";
  if (listed !== undefined) return listed.removing ? "removing" : undefined;
  return request.byOperator || request.renamed === true ? undefined : boundOf(row, request.byPush);
}

/** Returns the bounds of a repository. What it holds itself it knows better than its tenant. */
export function allowanceOf({ record }: TenantRow, listed: TenantRepo | undefined): Allowance {
  const { repos: _, ...quotas } = record.settings.quotas;
  const { bytes, objects } = record.usage;
  const own = listed?.usage ?? { bytes: 0, objects: 0 };
  return { ...quotas, elsewhere: { bytes: bytes - own.bytes, objects: objects - own.objects } };
}

/** Returns why a tenant takes no further repository. */
export function boundOf({ record }: TenantRow, byPush: boolean): "no-push-to-create" | "repo-quota" | undefined {
  const { settings, repoCount } = record;
  if (byPush && !settings.pushToCreate) return "no-push-to-create";
  return settings.quotas.repos !== undefined && repoCount >= settings.quotas.repos ? "repo-quota" : undefined;
}
