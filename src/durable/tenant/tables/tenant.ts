/**
 * Table `tenant`: the one row that exists while there is a tenant, with its settings.
 *
 * @packageDocumentation
 */
import type { TenantRecord, TenantSettings } from "../../../access/directory.ts";
import type { Quotas, Usage } from "../../../access/quotas.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";
import { usageOf } from "./tenant-repos.ts";

export const TENANT_DDL = `CREATE TABLE IF NOT EXISTS tenant (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  push_to_create INTEGER NOT NULL,
  quota_repos INTEGER,
  quota_bytes INTEGER,
  quota_objects INTEGER,
  quota_blob_bytes INTEGER,
  repo_count INTEGER NOT NULL DEFAULT 0,
  used_bytes INTEGER NOT NULL DEFAULT 0,
  used_objects INTEGER NOT NULL DEFAULT 0,
  leaving INTEGER NOT NULL DEFAULT 0,
  in_directory INTEGER NOT NULL DEFAULT 0,
  least_mirror_interval INTEGER NOT NULL DEFAULT 0,
  used_lfs_bytes INTEGER NOT NULL DEFAULT 0
)`;

/** The row, including what the API does not show. */
export type TenantRow = {
  readonly record: TenantRecord;
  /** Whether it is being deleted; it then does not exist for anybody outside. */
  readonly leaving: boolean;
  /** Whether the directory lists it, as far as is known. */
  readonly inDirectory: boolean;
};

function quotasAt(row: SqlRow, column: number): Quotas {
  const [repos, bytes, objects, blobBytes] = [0, 1, 2, 3].map((at) =>
    row[column + at] === null ? undefined : integerAt(row, column + at),
  );
  return {
    ...(repos === undefined ? {} : { repos }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(objects === undefined ? {} : { objects }),
    ...(blobBytes === undefined ? {} : { blobBytes }),
  };
}

/** Reads the row; `undefined` if there is no tenant. */
export function readTenant(db: SqlDatabase): TenantRow | undefined {
  const row = firstRow(
    db.rows(`SELECT name, created_at, push_to_create, quota_repos, quota_bytes, quota_objects, quota_blob_bytes,
      repo_count, leaving, in_directory, used_bytes, used_objects, least_mirror_interval, used_lfs_bytes FROM tenant`),
  );
  if (row === undefined) return undefined;
  return {
    record: {
      name: textAt(row, 0),
      createdAt: integerAt(row, 1),
      settings: {
        pushToCreate: integerAt(row, 2) === 1,
        quotas: quotasAt(row, 3),
        ...(integerAt(row, 12) === 0 ? {} : { leastMirrorInterval: integerAt(row, 12) }),
      },
      repoCount: integerAt(row, 7),
      usage: usageOf(integerAt(row, 10), integerAt(row, 11), integerAt(row, 13)),
    },
    leaving: integerAt(row, 8) === 1,
    inDirectory: integerAt(row, 9) === 1,
  };
}

/** Makes the row. */
export function insertTenant(db: SqlDatabase, name: string, settings: TenantSettings, now: number): void {
  db.run("INSERT INTO tenant (one, name, created_at, push_to_create) VALUES (1, ?, ?, 1)", name, now);
  updateTenant(db, settings);
}

/** Changes settings. Quotas are replaced as a whole. */
export function updateTenant(db: SqlDatabase, change: Partial<TenantSettings>): void {
  const { pushToCreate, quotas, leastMirrorInterval } = change;
  if (leastMirrorInterval !== undefined) db.run("UPDATE tenant SET least_mirror_interval = ?", leastMirrorInterval);
  if (pushToCreate !== undefined) db.run("UPDATE tenant SET push_to_create = ?", pushToCreate ? 1 : 0);
  if (quotas === undefined) return;
  db.run(
    "UPDATE tenant SET quota_repos = ?, quota_bytes = ?, quota_objects = ?, quota_blob_bytes = ?",
    quotas.repos ?? null,
    quotas.bytes ?? null,
    quotas.objects ?? null,
    quotas.blobBytes ?? null,
  );
}

/** Adds `change` to the number of repositories. */
export function addRepoCount(db: SqlDatabase, change: number): void {
  db.run("UPDATE tenant SET repo_count = repo_count + ?", change);
}

/** Adds to the tenant's sums by how much a repository has grown; negative numbers if it has shrunk. */
export function addUsage(db: SqlDatabase, change: Required<Usage>): void {
  db.run(
    "UPDATE tenant SET used_bytes = used_bytes + ?, used_objects = used_objects + ?, used_lfs_bytes = used_lfs_bytes + ?",
    change.bytes,
    change.objects,
    change.lfsBytes,
  );
}

export function setLeaving(db: SqlDatabase): void {
  db.run("UPDATE tenant SET leaving = 1");
}

export function setInDirectory(db: SqlDatabase, inDirectory: boolean): void {
  db.run("UPDATE tenant SET in_directory = ?", inDirectory ? 1 : 0);
}

/** Forgets the tenant. */
export function deleteTenant(db: SqlDatabase): void {
  db.run("DELETE FROM tenant");
}
