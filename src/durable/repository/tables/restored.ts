/**
 * What holds no more of a repository's tables when they come from a backup, or from an earlier moment: whatever was under
 * way then. What outlives a repository was kept as it was, beside that of the copy.
 *
 * @packageDocumentation
 */
import type { Whereabouts } from "../../../access/object-copies.ts";
import { firstRow, jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";
import { isDoomed } from "./doomed-prefixes.ts";
import { insertStray, LEASE_TIME } from "./leases.ts";
import { changeMoves, dropArrival, whereMoved } from "./moved.ts";
import { keepLogEnds } from "./ref-log.ts";

/**
 * By how much the version rises at least. Isolates and tenants know the versions that the lost object gave out since the copy
 * was made, and must not take a new state for one of them. It rises to the time in milliseconds, if that is more: so those are
 * not given out twice that were given out since an earlier restore.
 */
export const VERSION_JUMP = 1_000_000;

/**
 * Tables whose rows SQLite counts, and whose numbers clients see. Their numbers rise to the time, too. Those of statuses don't: how
 * many there are is read from their numbers, so that a gap would drop the oldest.
 */
const COUNTED_TABLES = ["deliveries", "lfs_locks"];

const STATEMENTS = [
  "UPDATE repository SET derived_version = -1, derived_job_at = NULL, usage_version = -1",
  "UPDATE hooks SET job_at = NULL, taken_at = NULL",
  "UPDATE maintenance SET job_at = NULL",
  "UPDATE mirror SET running = NULL, running_until = NULL, asked = 0, next_sync = 0",
  // The pointer goes. It is written anew with the mirror's next sync.
  "UPDATE mirror_pointer SET doomed = 1",
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
  // The repository lives, and has these objects; and what moved away lives elsewhere.
  "DELETE FROM doomed_prefixes WHERE id IN (SELECT id FROM repository)",
  "DELETE FROM moved WHERE id IN (SELECT id FROM repository)",
  "DELETE FROM doomed_prefixes WHERE id IN (SELECT id FROM moved)",
  "DELETE FROM lfs_leaving WHERE id IN (SELECT id FROM repository) AND oid IN (SELECT oid FROM lfs_objects)",
  // A job that was under way when the copy was made is not now.
  "DELETE FROM lfs_sweep",
  `DELETE FROM pack_returns WHERE borrower IN (SELECT id FROM repository) AND kind <> 'kept'
    AND pack IN (SELECT pack FROM borrowed_packs)`,
];

/** Settles the tables of a repository that was restored. `now` is in milliseconds since the epoch. */
export function settleRestored(db: SqlDatabase, now: number): void {
  for (const statement of STATEMENTS) db.run(statement);
  dropArrival(db);
  changeMoves(db, "forwarding", "gone");
  db.run("UPDATE repository SET version = max(version + ?, ?)", VERSION_JUMP, now);
  keepLogEnds(db);
  db.run("UPDATE log_ends SET push = max(push, ?), move = max(move, ?)", now, now);
  for (const table of COUNTED_TABLES) {
    db.run(
      "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE ?1 NOT IN (SELECT name FROM sqlite_sequence)",
      table,
    );
    db.run("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", now, table);
  }
}

/** What names files of a repository's prefix. A lease may be of a pack, and of what lies under a name of its own beside packs. */
const NAMED = [
  "SELECT name FROM packs",
  "SELECT pack FROM leases",
  "SELECT name FROM commit_graphs",
  "SELECT name FROM clone_twin WHERE name IS NOT NULL",
  "SELECT name FROM multi_pack_index WHERE name IS NOT NULL",
].join(" UNION ALL ");

/**
 * Has those files deleted in a day that these tables don't name: they came after the moment to which the repository went back. Until then it
 * can go forward again; and an upload that was under way has ended by then. What forks have borrowed of them stays, as of any repository.
 */
export function leaseStrays(db: SqlDatabase, names: readonly string[], now: number): void {
  for (const chunk of jsonChunks(names)) {
    const rows = db.rows(`SELECT value FROM json_each(?) WHERE value NOT IN (${NAMED})`, chunk);
    for (const row of Array.from(rows)) insertStray(db, textAt(row, 0), now + LEASE_TIME);
  }
}

/** Returns what these tables know of the repository with an id. */
export function whereabouts(db: SqlDatabase, id: string): Whereabouts {
  if (firstRow(db.rows("SELECT 1 FROM repository WHERE id = ?", id)) !== undefined) return { kind: "here" };
  const to = whereMoved(db, id);
  if (to !== undefined) return { kind: "moved", to };
  return { kind: isDoomed(db, id) ? "doomed" : "unknown" };
}
