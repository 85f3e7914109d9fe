/**
 * The other objects that a tenant calls, over the RPC of Durable Objects.
 *
 * @packageDocumentation
 */
import { repositoryKey } from "../../access/names.ts";
import { objectNamed, type PlacementSettings } from "../placement.ts";
import type { RepositoryObject } from "../repository/repository-object.ts";
import { DIRECTORY_NAME, type DirectoryObject } from "./directory-object.ts";
import type { TenantSurroundings } from "./tenant-upkeep.ts";

/** The Worker's bindings that the object uses. */
export type TenantObjectEnv = PlacementSettings & {
  readonly REPOSITORIES: DurableObjectNamespace<RepositoryObject>;
  readonly DIRECTORY: DurableObjectNamespace<DirectoryObject>;
};

/** Opens what a tenant calls. */
export function surroundings(env: TenantObjectEnv, tenant: string): Omit<TenantSurroundings, "remember"> {
  const repository = (repo: string): DurableObjectStub<RepositoryObject> =>
    objectNamed(env.REPOSITORIES, repositoryKey({ tenant, repo }), env);
  const directory = objectNamed(env.DIRECTORY, DIRECTORY_NAME, env);
  return {
    removeRepository: async (repo, id) => repository(repo).remove(id),
    giveHooks: async (repo, hooks) => void (await repository(repo).confirm(undefined, hooks)),
    retractRepository: async (repo, id) => repository(repo).retract(id),
    confirmRepository: async (repo, id, hooks) => repository(repo).confirm(id, hooks),
    lfsObjects: async (repo, after, limit) =>
      // An object that answers without them has none.
      (await repository(repo).lfs({ kind: "shared", after, limit })).shared ?? [],
    enterDirectory: async (createdAt, spelled) => {
      await directory.enter({ name: tenant, createdAt, ...(spelled === tenant ? {} : { spelled }) });
    },
    leaveDirectory: async () => directory.leave(tenant),
    changePublic: async (changes) => directory.changePublic(tenant, changes),
  };
}
