/**
 * Tables `lfs_links` and `lfs_deleting`: which repositories, by their ids, have each Git LFS object of the tenant; and
 * the objects whose bytes are being deleted, with the time at which that was begun. Both outlive the tenant, whose
 * objects may have to be deleted still.
 *
 * @packageDocumentation
 */
import { firstRow, integerAt, jsonChunks, type SqlDatabase } from "../../sql/sql-database.ts";

export const LFS_LINKS_DDL = `CREATE TABLE IF NOT EXISTS lfs_links (
  oid TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  PRIMARY KEY (oid, repo_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lfs_deleting (
  oid TEXT PRIMARY KEY,
  since INTEGER NOT NULL
) WITHOUT ROWID`;

/** A deletion that was not reported after this time has failed: no job goes on for as long. Milliseconds. */
export const DELETION_TIME = 20 * 60_000;

/** Adds a link. */
export function insertLfsLink(db: SqlDatabase, oid: string, repoId: string): void {
  db.run("INSERT OR IGNORE INTO lfs_links (oid, repo_id) VALUES (?, ?)", oid, repoId);
}

/** Deletes a link. */
export function deleteLfsLink(db: SqlDatabase, oid: string, repoId: string): void {
  db.run("DELETE FROM lfs_links WHERE oid = ? AND repo_id = ?", oid, repoId);
}

/** Whether some repository has an object. */
export function isLfsLinked(db: SqlDatabase, oid: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM lfs_links WHERE oid = ? LIMIT 1", oid)) !== undefined;
}

/** Returns when the deletion of an object's bytes was begun; `undefined` if it was not. */
export function lfsDeletingSince(db: SqlDatabase, oid: string): number | undefined {
  const row = firstRow(db.rows("SELECT since FROM lfs_deleting WHERE oid = ?", oid));
  return row === undefined ? undefined : integerAt(row, 0);
}

/** Notes that the bytes of an object are being deleted from now on. */
export function noteLfsDeleting(db: SqlDatabase, oid: string, now: number): void {
  db.run("INSERT OR REPLACE INTO lfs_deleting (oid, since) VALUES (?, ?)", oid, now);
}

/** Notes that the bytes of objects are deleted. */
export function endLfsDeleting(db: SqlDatabase, oids: readonly string[]): void {
  for (const chunk of jsonChunks(oids)) {
    db.run("DELETE FROM lfs_deleting WHERE oid IN (SELECT value FROM json_each(?))", chunk);
  }
}
