/**
 * The ref store in memory: the Durable Object's own tables and transactions, on Node's SQLite.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { openWhole } from "../../src/cloudflare/durable-refs.ts";
import { RepositoryDatabase } from "../../src/durable/repository/repository-database.ts";
import type { MaintenanceStore } from "../../src/refs/maintenance-store.ts";
import type { PackCatalog } from "../../src/refs/pack-catalog.ts";
import type { RefStore } from "../../src/refs/ref-store.ts";
import type { RepositorySettings } from "../../src/refs/repository-settings.ts";
import { nodeSql } from "./node-sql.ts";

/** A repository in memory; `database` is what the alarm would see. */
export type MemoryRefStore = RefStore &
  PackCatalog &
  MaintenanceStore &
  RepositorySettings & { readonly database: RepositoryDatabase };

/** Makes a name that has no repository yet. Small pushes are published after `publishAfter` milliseconds; 0: they have no tail. */
export function memoryRefStore(now: () => number = Date.now, publishAfter = 0): MemoryRefStore {
  const database = new RepositoryDatabase(nodeSql(), () => randomBytes(16).toString("hex"), publishAfter);
  return {
    database,
    open: (request) =>
      openWhole(request, async (after) => {
        const page = database.open(request, after, [], await database.ahead.refsFor(request, after));
        if (request.clone === true) database.maintenance.noteClone(page, now());
        return page;
      }),
    beginPush: async (request) => database.beginPush(request, now()),
    commitPush: async (request) => await database.commitPush(request, now),
    replacePacks: async (request) => database.maintenance.replacePacks(request, now()),
    maintenance: async () => database.maintenance.state(now()),
    askForMaintenance: async (purge) => {
      database.maintenance.ask(purge, now());
      return database.maintenance.state(now());
    },
    reviveUnreachable: async () => database.maintenance.answer({ kind: "revive" }, now()).revived === true,
    beginMaintenance: async (id, packNames) => database.maintenance.begin(id, packNames, now()),
    replaceGraphs: async (request) => database.maintenance.replaceGraphs(request, now()),
    reportLfs: async (report) => database.maintenance.reportLfs(report, now()),
    reportDamage: async (files) => void database.maintenance.answer({ kind: "damage", files }, now()),
    endMaintenance: async (id, run) => database.maintenance.end({ kind: "end", id, run }, now()),
    leasePacks: async (id, packNames) => database.tail.lease(id, packNames, now()),
    abandonPush: async (packName) => database.abandonPush(packName),
    describe: async (publicOnly) => database.describe(publicOnly),
    create: async (request) => database.create(request, now()),
    change: async (change, tags) => database.change(change, now(), tags),
    move: () => Promise.reject(new Error("there is no other object")),
    forward: async () => database.moves.forward(),
    refLog: async (query) => database.refLog(query),
    pushCertificate: async (push) => database.pushCertificate(push),
    remove: async (id) => database.remove(now(), id),
    derivedFilesWritten: async (id, version) => database.derivedFilesWritten(id, version),
    prefixDeleted: async (id) => database.prefixDeleted(id, now()),
  };
}
