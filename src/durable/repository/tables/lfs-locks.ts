/**
 * Table `lfs_locks`: files that somebody has locked, by their paths. `owner` is what owners are compared by.
 *
 * @packageDocumentation
 */
import type { FileLock, LockOwner, LockQuery } from "../../../refs/lfs-locks.ts";
import { firstRow, integerAt, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const LFS_LOCKS_DDL = `CREATE TABLE IF NOT EXISTS lfs_locks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  owner_name TEXT NOT NULL,
  at INTEGER NOT NULL
)`;

const COLUMNS = "seq, path, owner, owner_name, at";
const ID = /^[1-9]\d{0,14}$/;

function lockAt(row: SqlRow): FileLock {
  return {
    id: String(integerAt(row, 0)),
    path: textAt(row, 1),
    owner: { key: textAt(row, 2), name: textAt(row, 3) },
    lockedAt: integerAt(row, 4),
  };
}

/** Returns the number that an id stands for; `undefined` if no lock has such an id. */
function seqOf(id: string): number | undefined {
  return ID.test(id) ? Number(id) : undefined;
}

/** Returns the lock of a path; `undefined` if there is none. */
export function lockOfPath(db: SqlDatabase, path: string): FileLock | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM lfs_locks WHERE path = ?`, path));
  return row === undefined ? undefined : lockAt(row);
}

/** Returns the lock with an id; `undefined` if there is none. */
export function lockOfId(db: SqlDatabase, id: string): FileLock | undefined {
  const seq = seqOf(id);
  const row = seq === undefined ? undefined : firstRow(db.rows(`SELECT ${COLUMNS} FROM lfs_locks WHERE seq = ?`, seq));
  return row === undefined ? undefined : lockAt(row);
}

/** Returns the locks that a query asks for, and up to one beyond its limit. */
export function listLocks(db: SqlDatabase, { path, id, after = "0", limit }: LockQuery): FileLock[] {
  if (path !== undefined || id !== undefined) {
    const lock = path === undefined ? lockOfId(db, id ?? "") : lockOfPath(db, path); // One of the two is given.
    return lock === undefined || (id !== undefined && lock.id !== id) ? [] : [lock];
  }
  const rows = db.rows(
    `SELECT ${COLUMNS} FROM lfs_locks WHERE seq > ? ORDER BY seq LIMIT ?`,
    seqOf(after) ?? 0, // A list begins before the first.
    limit + 1,
  );
  return Array.from(rows, lockAt);
}

/** Returns the paths that others than this owner have locked, with the names of those. */
export function foreignLocks(db: SqlDatabase, ownerKey: string): { readonly path: string; readonly owner: string }[] {
  const rows = db.rows("SELECT path, owner_name FROM lfs_locks WHERE owner <> ? ORDER BY seq", ownerKey);
  return Array.from(rows, (row) => ({ path: textAt(row, 0), owner: textAt(row, 1) }));
}

/** Counts the locks. */
export function countLocks(db: SqlDatabase): number {
  const row = firstRow(db.rows("SELECT count(*) FROM lfs_locks"));
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Locks a path, which must not be locked. */
export function insertLock(db: SqlDatabase, path: string, owner: LockOwner, now: number): void {
  db.run("INSERT INTO lfs_locks (path, owner, owner_name, at) VALUES (?, ?, ?, ?)", path, owner.key, owner.name, now);
}

/** Deletes the lock of a path. */
export function deleteLock(db: SqlDatabase, path: string): void {
  db.run("DELETE FROM lfs_locks WHERE path = ?", path);
}
