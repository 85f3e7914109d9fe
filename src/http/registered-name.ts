/**
 * The name and the id with which a repository is made, once its tenant has registered it.
 *
 * @packageDocumentation
 */
import type { RegisterAnswer } from "../access/directory.ts";
import type { TenantHook } from "../access/tenant-hook.ts";
import { repositoryKey, type RepositoryName, spellingOf } from "../access/names.ts";

/** The id, the name as it is shown if that is not in lower case, and the webhooks of the tenant, if it has any. */
export type RegisteredName = {
  readonly id: string;
  readonly spelled?: string;
  readonly tenantHooks?: readonly TenantHook[];
};

/** Returns what the repository is made with: its tenant's spelling and the requester's spelling of its own name. */
export function registeredName(
  name: RepositoryName,
  { id, tenant, hooks }: Extract<RegisterAnswer, { kind: "registered" }>,
): RegisteredName {
  const spelled = `${tenant}/${spellingOf(name).repo}`;
  return {
    id,
    ...(spelled === repositoryKey(name) ? {} : { spelled }),
    ...(hooks === undefined ? {} : { tenantHooks: hooks }),
  };
}
