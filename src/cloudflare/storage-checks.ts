/**
 * One question for each kind of storage, for the deep health check. None costs more than one operation, and none
 * writes.
 *
 * @packageDocumentation
 */
import { DIRECTORY_NAME } from "../durable/tenant/directory-object.ts";
import { objectNamed } from "../durable/placement.ts";
import type { Env } from "../env.ts";

/** A key that nobody writes: that it is missing is the right answer. */
const NOTHING = "healthz";

/** Returns the questions, by the name of the storage. Each throws if its storage does not answer. */
export function storageChecks(env: Env): Readonly<Record<string, () => Promise<void>>> {
  return {
    bucket: async () => {
      await env.BUCKET.head(NOTHING);
    },
    kv: async () => {
      await env.KV.get(NOTHING);
    },
    durable_objects: async () => {
      await objectNamed(env.DIRECTORY, DIRECTORY_NAME, env).tenants("", 1);
    },
  };
}
