/**
 * The layers of a repository's commit-graph: when a new one is due, and how they are replaced, in one transaction.
 *
 * The graph has no commit that is not in the catalog. A walk that takes objects out of it says how many layers from the lowest on have only
 * commits that are still there. The others are dropped in the same transaction; and a layer that was made from an earlier snapshot is refused.
 *
 * @packageDocumentation
 */
import type { CommitGraphRecord } from "../../catalog/commit-graph-record.ts";
import type {
  BeginMaintenanceAnswer,
  GraphSum,
  ReplaceGraphsAnswer,
  ReplaceGraphsRequest,
} from "../../refs/maintenance-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import {
  deleteGraphs,
  dropGraphs,
  insertGraph,
  listGraphs,
  readGraphWay,
  writeGraphWay,
} from "./tables/commit-graphs.ts";
import { deleteLease, hasLease, insertReplaced, LEASE_TIME } from "./tables/leases.ts";
import { type MaintenanceRow, readMaintenance, writeMaintenance } from "./tables/maintenance.ts";
import { bumpCatalogVersion, readRepository } from "./tables/repository.ts";

/** A repository with fewer objects gets no graph, not even if it is asked for. */
const LEAST_OBJECTS = 100;
/** A graph that nobody asked for is made once there are this many new objects, or a share of those that there were. */
const LEAST_NEW_OBJECTS = 1000;
const NEW_PERCENT = 5;
const MOST_NEW_OBJECTS = 20_000;

/** Returns the sums over the layers. */
export function sumOfGraphs(layers: readonly CommitGraphRecord[]): GraphSum {
  const sum = { layers: layers.length, commits: 0, filters: 0, bytes: 0 };
  for (const { commits, filters, bytes } of layers) {
    sum.commits += commits;
    sum.filters += filters;
    sum.bytes += bytes;
  }
  return sum;
}

/** Returns what a step of the commit-graph begins with. */
export function graphBeginning(
  db: SqlDatabase,
): Pick<Extract<BeginMaintenanceAnswer, { kind: "begun" }>, "droppedGraphs" | "graphWay"> {
  const graphWay = readGraphWay(db);
  return { droppedGraphs: listGraphs(db, "dropped"), ...(graphWay === undefined ? {} : { graphWay }) };
}

/** Whether a layer of new commits is due in a catalog of `objects`. */
export function isGraphDue(
  { graphObjects, asked }: Pick<MaintenanceRow, "graphObjects" | "asked">,
  objects: number,
): boolean {
  const least = Math.min(Math.max(LEAST_NEW_OBJECTS, (graphObjects * NEW_PERCENT) / 100), MOST_NEW_OBJECTS);
  const isNew = objects !== graphObjects && objects >= LEAST_OBJECTS;
  return isNew && (asked || Math.abs(objects - graphObjects) >= least);
}

function retire(db: SqlDatabase, layers: readonly CommitGraphRecord[], until: number): void {
  for (const { name } of layers) insertReplaced(db, name, until);
}

/**
 * Drops the layers from number `kept` on, because objects leave the catalog in version `version`. With `forGood`, nothing is made of
 * them any more, and their files go at once.
 */
export function dropLayers(
  db: SqlDatabase,
  { kept, version, forGood }: { readonly kept: number; readonly version: number; readonly forGood: boolean },
  now: number,
): void {
  const left = listGraphs(db).slice(kept);
  retire(db, forGood ? [...left, ...listGraphs(db, "dropped")] : left, forGood ? now : now + LEASE_TIME);
  writeGraphWay(db, undefined);
  if (forGood) deleteGraphs(db, kept);
  else dropGraphs(db, kept);
  const row = readMaintenance(db);
  writeMaintenance(db, { ...row, graphAfter: version, graphObjects: left.length > 0 ? 0 : row.graphObjects });
}

/** Forgets a layer that is damaged, and those above it: the graph is made anew. Returns whether there was one. */
export function forgetLayers(db: SqlDatabase, name: string, now: number): boolean {
  const layers = listGraphs(db);
  const at = layers.findIndex((layer) => layer.name === name);
  if (at < 0) return false;
  retire(db, layers.slice(at), now + LEASE_TIME);
  writeGraphWay(db, undefined);
  deleteGraphs(db, at);
  writeMaintenance(db, { ...readMaintenance(db), graphObjects: 0 });
  return true;
}

/** See `MaintenanceStore.replaceGraphs`. `now` is in milliseconds since the epoch. */
export function replaceGraphs(db: SqlDatabase, request: ReplaceGraphsRequest, now: number): ReplaceGraphsAnswer {
  const { id, version, seen, kept, added, way, objects } = request;
  return db.transaction(() => {
    const row = readRepository(db);
    if (row?.record.id !== id) return { kind: "gone" };
    const maintenance = readMaintenance(db);
    const layers = listGraphs(db);
    const isSame = layers.length === seen.length && layers.every(({ name }, i) => name === seen[i]);
    if (version < maintenance.graphAfter || !isSame) return { kind: "stale" };
    if (added !== undefined && !hasLease(db, added.name, now)) return { kind: "stale" };
    writeMaintenance(db, { ...maintenance, graphObjects: objects });
    writeGraphWay(db, way);
    if (added === undefined) return { kind: "done" };
    retire(db, layers.slice(kept), now + LEASE_TIME);
    deleteGraphs(db, kept);
    insertGraph(db, kept, added);
    deleteLease(db, added.name);
    bumpCatalogVersion(db);
    return { kind: "done" };
  });
}
