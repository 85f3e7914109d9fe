/**
 * Table `tenant_repos`: the repositories of a tenant by name. `check_at` is set while it is unknown whether the
 * repository was made, or which objects of Git LFS it has; it is 0 where the repository is only to be given webhooks. `removing`
 * is set while it is unknown whether it is gone. `usage_version` is the version of the repository's last report of what it holds.
 *
 * @packageDocumentation
 */
import type { Usage, UsageReport } from "../../../access/quotas.ts";
import type { Offload } from "../../../access/token-store.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";
import { noteListing } from "./listing-changes.ts";

export const TENANT_REPOS_DDL = `CREATE TABLE IF NOT EXISTS tenant_repos (
  name TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  object_format TEXT NOT NULL,
  is_public INTEGER NOT NULL,
  removing INTEGER NOT NULL DEFAULT 0,
  check_at INTEGER,
  bytes INTEGER NOT NULL DEFAULT 0,
  objects INTEGER NOT NULL DEFAULT 0,
  usage_version INTEGER NOT NULL DEFAULT -1,
  lfs_bytes INTEGER NOT NULL DEFAULT 0,
  offload_from INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tenant_repos_removing ON tenant_repos (is_public) WHERE removing = 1;
CREATE INDEX IF NOT EXISTS tenant_repos_check ON tenant_repos (check_at) WHERE check_at IS NOT NULL`;

/** A repository as its tenant knows it. */
export type TenantRepo = {
  readonly name: string;
  readonly id: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly removing: boolean;
  /** Whether it is to be asked for its Git LFS objects as well as whether it is there. */
  readonly showsObjects: boolean;
  /** Its visibility and the size of blobs that it leaves out, if it leaves out some. */
  readonly offload?: Offload;
  readonly usage: Usage;
  /** -1 if it never reported what it holds. */
  readonly usageVersion: number;
};

const COLUMNS =
  "name, id, object_format, removing, bytes, objects, usage_version, lfs_bytes, is_public, offload_from, check_at";

/** Returns a usage. Without Git LFS objects nothing is said of them. */
export function usageOf(bytes: number, objects: number, lfsBytes: number): Usage {
  return { bytes, objects, ...(lfsBytes === 0 ? {} : { lfsBytes }) };
}

const offloadOf = (isPublic: boolean, offloadFrom: number): Offload => ({
  visibility: isPublic ? "public" : "private",
  offloadFrom,
});

function repoAt(row: SqlRow): TenantRepo {
  const objectFormat = textAt(row, 2);
  if (objectFormat !== "sha1" && objectFormat !== "sha256") throw new CorruptStore(`object format ${objectFormat}`);
  return {
    name: textAt(row, 0),
    id: textAt(row, 1),
    objectFormat,
    removing: integerAt(row, 3) === 1,
    showsObjects: row[10] !== null && row[10] !== 0,
    usage: usageOf(integerAt(row, 4), integerAt(row, 5), integerAt(row, 7)),
    usageVersion: integerAt(row, 6),
    ...(row[9] === null ? {} : { offload: offloadOf(integerAt(row, 8) === 1, integerAt(row, 9)) }),
  };
}

/** Returns a repository by name; `undefined` if none is listed. */
export function readRepo(db: SqlDatabase, name: string): TenantRepo | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM tenant_repos WHERE name = ?`, name));
  return row === undefined ? undefined : repoAt(row);
}

/** Lists a repository that is about to be made. The tenant asks about it at `checkAt`. */
export function insertRepo(
  db: SqlDatabase,
  repo: Pick<TenantRepo, "name" | "id" | "objectFormat"> & { readonly isPublic: boolean },
  checkAt: number,
): void {
  db.run(
    "INSERT INTO tenant_repos (name, id, object_format, is_public, check_at) VALUES (?, ?, ?, ?, ?)",
    repo.name,
    repo.id,
    repo.objectFormat,
    repo.isPublic ? 1 : 0,
    checkAt,
  );
  if (repo.isPublic) noteListing(db, repo.name);
}

/** Returns names of repositories that are not being removed, in byte order, after `after`. */
export function listRepoNames(db: SqlDatabase, after: string, limit: number): string[] {
  const rows = db.rows(
    "SELECT name FROM tenant_repos WHERE name > ? AND removing = 0 ORDER BY name LIMIT ?",
    after,
    limit,
  );
  return Array.from(rows, (row) => textAt(row, 0));
}

/** Notes that a repository has to be removed; without a name, that all have to be. */
export function markRemoving(db: SqlDatabase, name?: string): void {
  if (name === undefined) db.run("UPDATE tenant_repos SET removing = 1, check_at = NULL");
  else db.run("UPDATE tenant_repos SET removing = 1, check_at = NULL WHERE name = ?", name);
}

/** Returns repositories that have to be removed, public ones first. */
export function listRemoving(db: SqlDatabase, limit: number): TenantRepo[] {
  const rows = db.rows(`SELECT ${COLUMNS} FROM tenant_repos WHERE removing = 1 ORDER BY is_public DESC LIMIT ?`, limit);
  return Array.from(rows, repoAt);
}

/** Returns repositories that have to be asked now whether they were made. */
export function listUnchecked(db: SqlDatabase, now: number, limit: number): TenantRepo[] {
  const rows = db.rows(`SELECT ${COLUMNS} FROM tenant_repos WHERE check_at <= ? ORDER BY check_at LIMIT ?`, now, limit);
  return Array.from(rows, repoAt);
}

/** Has every repository that is known to be made be asked about now. The others are asked in any case. */
export function askAllMade(db: SqlDatabase): void {
  db.run("UPDATE tenant_repos SET check_at = 0 WHERE check_at IS NULL AND removing = 0");
}

/** Returns repositories of which it is not known yet whether they were made, and that are asked about later. */
export function listUnconfirmed(db: SqlDatabase, limit: number): TenantRepo[] {
  return Array.from(db.rows(`SELECT ${COLUMNS} FROM tenant_repos WHERE check_at > 0 LIMIT ?`, limit), repoAt);
}

/** Has a repository be asked about at this time. */
export function setCheckAt(db: SqlDatabase, name: string, at: number): void {
  db.run("UPDATE tenant_repos SET check_at = ? WHERE name = ? AND removing = 0", at, name);
}

/** Notes that a repository was made, with this id. */
export function markChecked(db: SqlDatabase, name: string, id: string): void {
  db.run("UPDATE tenant_repos SET id = ?, check_at = NULL WHERE name = ? AND removing = 0", id, name);
}

/** Notes what a repository reports to hold. */
export function setUsage(
  db: SqlDatabase,
  { repo, version, bytes, objects, lfsBytes = 0 }: UsageReport, // It has none if it does not say.
): void {
  db.run(
    "UPDATE tenant_repos SET bytes = ?, objects = ?, lfs_bytes = ?, usage_version = ? WHERE name = ?",
    bytes,
    objects,
    lfsBytes,
    version,
    repo,
  );
}

/** Takes a repository off the list. Returns what it held; `undefined` if it was not listed. */
export function deleteRepo(db: SqlDatabase, name: string, id: string): Usage | undefined {
  const row = firstRow(
    db.rows(
      "DELETE FROM tenant_repos WHERE name = ? AND id = ? RETURNING bytes, objects, lfs_bytes, is_public",
      name,
      id,
    ),
  );
  if (row?.[3] === 1) noteListing(db, name);
  return row === undefined ? undefined : usageOf(integerAt(row, 0), integerAt(row, 1), integerAt(row, 2));
}

/** Notes whether everybody may read a repository. */
export function setPublic(db: SqlDatabase, name: string, isPublic: boolean): void {
  db.run("UPDATE tenant_repos SET is_public = ? WHERE name = ?", isPublic ? 1 : 0, name);
  noteListing(db, name);
}

/** Notes from which size on a repository leaves out blobs; `null` for none. */
export function setOffload(db: SqlDatabase, name: string, offloadFrom: number | null): void {
  db.run("UPDATE tenant_repos SET offload_from = ? WHERE name = ?", offloadFrom, name);
}

/**
 * Returns when the next repository has to be asked about, or 0 if one has to be removed; `undefined` if there is
 * nothing to do.
 */
export function nextRepoDue(db: SqlDatabase): number | undefined {
  if (listRemoving(db, 1).length > 0) return 0;
  const row = firstRow(db.rows("SELECT min(check_at) FROM tenant_repos WHERE check_at IS NOT NULL"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}
