/**
 * What holds no more of a repository's tables when they come from a backup, or from an earlier moment: whatever was under
 * way then.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../../sql/sql-database.ts";

/**
 * By how much the version rises. Isolates and tenants know the versions that the lost object gave out since the copy was
 * made, and must not take a new state for one of them.
 */
export const VERSION_JUMP = 1_000_000;

const STATEMENTS = [
  `UPDATE repository SET version = version + ${VERSION_JUMP}, derived_version = -1, derived_job_at = NULL, usage_version = -1`,
  "UPDATE hooks SET job_at = NULL, taken_at = NULL",
  "UPDATE maintenance SET job_at = NULL",
  "UPDATE mirror SET running = NULL, running_until = NULL, asked = 0, next_sync = 0",
  // The pointer goes with the restore. It is written anew with the mirror's next sync.
  "DELETE FROM mirror_pointer",
  // The bytes of uploads are in no backup. Files that came since may be in use elsewhere, so none is deleted for a lease.
  "DELETE FROM uploads",
  "DELETE FROM upload_parts",
  "DELETE FROM kept_blobs",
  "DELETE FROM leases WHERE replaced = 0",
  // Forks may have been made since: no pack is deleted without its lender.
  `INSERT OR IGNORE INTO lending (one, purge_state, purge_at, purge_began, waiting)
    SELECT 1, 'none', 0, 0, 0 FROM repository`,
  // The twin is a cache, and in no backup.
  "DELETE FROM clone_twin",
];

/** Settles the tables of a repository that was restored. */
export function settleRestored(db: SqlDatabase): void {
  for (const statement of STATEMENTS) db.run(statement);
}
