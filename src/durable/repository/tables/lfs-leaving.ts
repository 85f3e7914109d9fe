/**
 * Tables `lfs_leaving` and `lfs_sweep`: Git LFS objects that the repository, or one that had its name, has no more, and
 * of which their tenants are still to be told; and when the job that does this was sent. An object leaves at
 * `due`: until then, an upload that was announced may still bring its bytes. The rows outlive the repository.
 *
 * @packageDocumentation
 */
import type { LeavingObject } from "../../../refs/lfs-store.ts";
import { firstRow, integerAt, jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const LFS_LEAVING_DDL = `CREATE TABLE IF NOT EXISTS lfs_leaving (
  id TEXT NOT NULL,
  oid TEXT NOT NULL,
  home TEXT NOT NULL,
  due INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (id, oid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lfs_leaving_due ON lfs_leaving (due);
CREATE TABLE IF NOT EXISTS lfs_sweep (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  job_at INTEGER NOT NULL
)`;

/** Adds objects that have left. */
export function addLeaving(db: SqlDatabase, objects: readonly LeavingObject[]): void {
  for (const chunk of jsonChunks(objects.map(({ id, oid, home }) => [id, oid, home]))) {
    db.run(
      "INSERT OR IGNORE INTO lfs_leaving (id, oid, home) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)",
      chunk,
    );
  }
}

/** Adds all objects of a repository that is being removed. Those that are waited for leave when their time is up. */
export function addAllLeaving(db: SqlDatabase, id: string): void {
  db.run(
    "INSERT OR IGNORE INTO lfs_leaving (id, oid, home, due) SELECT ?, oid, home, coalesce(until, 0) FROM lfs_objects",
    id,
  );
}

/** Returns up to `limit` of the rows that are due at `now`. */
export function listLeaving(db: SqlDatabase, now: number, limit: number): LeavingObject[] {
  const rows = db.rows("SELECT id, oid, home FROM lfs_leaving WHERE due <= ? LIMIT ?", now, limit);
  return Array.from(rows, (row) => ({ id: textAt(row, 0), oid: textAt(row, 1), home: textAt(row, 2) }));
}

/** Returns when the next object leaves; `undefined` if none does. */
export function nextLeaving(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(due) FROM lfs_leaving"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}

/** Returns those of a repository's objects that are leaving. */
export function leavingOf(db: SqlDatabase, id: string, oids: readonly string[]): Set<string> {
  const leaving = new Set<string>();
  for (const chunk of jsonChunks(oids)) {
    const sql = "SELECT l.oid FROM json_each(?) j JOIN lfs_leaving l ON l.id = ? AND l.oid = j.value";
    for (const row of db.rows(sql, chunk, id)) leaving.add(textAt(row, 0));
  }
  return leaving;
}

/** Deletes rows of objects of which their tenants know now. */
export function deleteLeaving(db: SqlDatabase, objects: readonly LeavingObject[]): void {
  for (const chunk of jsonChunks(objects.map(({ id, oid }) => [id, oid]))) {
    db.run(`DELETE FROM lfs_leaving WHERE (id, oid) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`, chunk);
  }
}

/** Returns when the job that is under way was sent; `undefined` if there is none. */
export function sweepJobAt(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT job_at FROM lfs_sweep"));
  return row === undefined ? undefined : integerAt(row, 0);
}

/** Notes that a job is under way; without a time, that there is none. */
export function noteSweepJob(db: SqlDatabase, at?: number): void {
  if (at === undefined) db.run("DELETE FROM lfs_sweep");
  else db.run("INSERT OR REPLACE INTO lfs_sweep (one, job_at) VALUES (1, ?)", at);
}
