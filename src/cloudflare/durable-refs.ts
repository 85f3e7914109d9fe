/**
 * `RefStore` and `RepositorySettings` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import type { RepositoryObject } from "../durable/repository-object.ts";
import type { RefStore } from "../refs/ref-store.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";
import type { PackRecord } from "../store/catalog.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Where the objects of repositories are. */
export type RepositoryNamespace = DurableObjectNamespace<RepositoryObject>;

/** Opens the truth of `{tenant}/{repo}`, which need not exist. Nothing is asked before the first call. */
export function durableRefs(
  namespace: RepositoryNamespace,
  counters: RequestCounters,
  repository: string,
): RefStore<PackRecord> & RepositorySettings {
  const object = namespace.get(namespace.idFromName(repository));
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  return {
    open: (request) => call(async () => object.open(request)),
    beginPush: (request) => call(async () => object.beginPush(request)),
    commitPush: (request) => call(async () => object.commitPush(request)),
    abandonPush: (packName) => call(async () => object.abandonPush(packName)),
    describe: () => call(async () => object.describe()),
    create: (request) => call(async () => object.create(request)),
    change: (change) => call(async () => object.change(change)),
    remove: () => call(async () => object.remove()),
    derivedFilesWritten: (id, version) => call(async () => object.derivedFilesWritten(id, version)),
    prefixDeleted: (id) => call(async () => object.prefixDeleted(id)),
  };
}
