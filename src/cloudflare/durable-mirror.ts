/**
 * `MirrorStore` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import type { OpenPage } from "../durable/repository/open-page.ts";
import type { BeginSyncAnswer, MirrorStore } from "../refs/mirror-store.ts";
import { openWhole, type RepositoryStub } from "./durable-refs.ts";
import { assertFits, ONE_SYNC } from "../refs/refs-in-one-step.ts";
import type { RequestCounters } from "./request-counters.ts";

const ALL = { packs: true, refPrefixes: [] } as const;

/** Opens the mirroring of a repository, which need not exist. No request is sent before the first call. */
export function durableMirror(object: RepositoryStub, counters: RequestCounters): MirrorStore {
  const call = <T>(operation: () => Promise<T>): Promise<T> => counters.run("do", operation);
  return {
    readMirror: () => call(async () => object.readMirror()),
    readMirrorHook: () => call(async () => object.readMirrorHook()),
    configureMirror: (change) => call(async () => object.configureMirror(change)),
    promoteMirror: () => call(async () => object.promoteMirror()),
    requestSync: () => call(async () => object.requestSync()),
    requestSyncForReader: () => call(async () => object.requestSyncForReader()),
    beginSync: async (packName): Promise<BeginSyncAnswer> => {
      const begun = await call(async () => object.beginSync(packName));
      if (begun.kind !== "begun") return begun;
      let first: OpenPage | undefined = begun.snapshot;
      const snapshot = await openWhole(ALL, async (after) => {
        const page = first ?? (await call(async () => object.open(ALL, after)));
        first = undefined;
        return page;
      });
      return snapshot.kind === "missing" ? { kind: "gone" } : { ...begun, snapshot };
    },
    renewSync: (packName) => call(async () => object.renewSync(packName)),
    publishSnapshot: (snapshot) => call(async () => object.publishSnapshot(snapshot)),
    endSync: async (request) => {
      assertFits(request.updates, ONE_SYNC);
      return await call(async () => object.endSync(request));
    },
  };
}
