/**
 * The bounds of a tenant: why it takes no repository, and what its repositories may hold.
 *
 * @packageDocumentation
 */
import type { RegisterRefusal, RegisterRequest } from "../../access/directory.ts";
import type { Allowance, Usage } from "../../access/quotas.ts";
import type { TokenCheck } from "../../access/token-store.ts";
import type { TenantRow } from "./tables/tenant.ts";
import type { TenantRepo } from "./tables/tenant-repos.ts";

/** What a repository has that is gone. */
export const NO_USAGE: Usage = { bytes: 0, objects: 0 };

/** Returns by how much one usage is more than another; negative numbers if it is less. */
export function grownBy(before: Usage, after: Usage): Required<Usage> {
  const { lfsBytes: had = 0 } = before; // Without Git LFS objects nothing is said of them.
  const { lfsBytes: has = 0 } = after; // As above.
  return { bytes: after.bytes - before.bytes, objects: after.objects - before.objects, lfsBytes: has - had };
}

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
function boundOf({ record }: TenantRow, byPush: boolean): "no-push-to-create" | "repo-quota" | undefined {
  const { settings, repoCount } = record;
  if (byPush && !settings.pushToCreate) return "no-push-to-create";
  return settings.quotas.repos !== undefined && repoCount >= settings.quotas.repos ? "repo-quota" : undefined;
}

/** Returns what a look-up of a token says of the repository that it is used on, listed or not. */
export function saidOf(row: TenantRow, listed: TenantRepo | undefined): Omit<TokenCheck, "token"> {
  const allowance = allowanceOf(row, listed);
  if (listed !== undefined && !listed.removing) {
    const { objectFormat, offload } = listed;
    return { allowance, listed: objectFormat, ...(offload === undefined ? {} : { offload }) };
  }
  const takesNoMore = boundOf(row, true);
  return takesNoMore === undefined ? { allowance } : { allowance, takesNoMore };
}
