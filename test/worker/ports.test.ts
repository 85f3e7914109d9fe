/**
 * The ports' suites on what is deployed: the Durable Object and R2, in workerd.
 *
 * @packageDocumentation
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { packStorageSuite } from "../suites/pack-storage.ts";
import { refStoreSuite, type RefStoreUnderTest } from "../suites/ref-store.ts";
import { startTestHost } from "../support/host.ts";
import { type RemotePackStorage, remotePackStorage } from "./remote-pack-storage.ts";

let host: RunningHost;
let storage: RemotePackStorage;
let count = 0;

beforeAll(async () => {
  host = await startTestHost({ entry: join(dirname(fileURLToPath(import.meta.url)), "ports-entry.ts") });
  storage = await remotePackStorage(host.base);
});

afterAll(async () => {
  storage.close();
  await host.stop();
});

refStoreSuite("Durable Object", async () => {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  count += 1;
  const object = namespace.get(namespace.idFromName(`test/${count}`)) as unknown as RefStoreUnderTest;
  return {
    open: (request) => object.open(request),
    beginPush: (request) => object.beginPush(request),
    commitPush: (request) => object.commitPush(request),
    abandonPush: (packName) => object.abandonPush(packName),
    describe: () => object.describe(),
    create: (request) => object.create(request),
    change: (change) => object.change(change),
    remove: () => object.remove(),
    derivedFilesWritten: (id, version) => object.derivedFilesWritten(id, version),
    prefixDeleted: (id) => object.prefixDeleted(id),
  };
});

packStorageSuite("R2", async () => storage);
