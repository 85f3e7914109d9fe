/**
 * `HookStore` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import type { HookStore } from "../events/hook.ts";
import type { RepositoryStub } from "./durable-refs.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the webhooks of a repository, which need not exist. No request is sent before the first call. */
export function durableHooks(object: RepositoryStub, counters: RequestCounters): HookStore {
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  return {
    listHooks: () => call(async () => object.listHooks()),
    addHook: (settings, origin) => call(async () => object.addHook(settings, origin)),
    changeHook: (id, change, origin) => call(async () => object.changeHook(id, change, origin)),
    removeHook: (id) => call(async () => object.removeHook(id)),
    listDeliveries: (hook) => call(async () => object.listDeliveries(hook)),
    redeliver: (hook, delivery) => call(async () => object.redeliver(hook, delivery)),
    takeDeliveries: (id, hook) => call(async () => object.takeDeliveries(id, hook)),
    deliveriesDone: (id, hook, results) => call(async () => object.deliveriesDone(id, hook, results)),
  };
}
