/**
 * Table `lfs_locks`: files that somebody has locked, by their paths.
 *
 * @packageDocumentation
 */
export const LFS_LOCKS_DDL = `CREATE TABLE IF NOT EXISTS lfs_locks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  owner_name TEXT NOT NULL,
  at INTEGER NOT NULL
)`;
