/**
 * Table `leases`: packs that are being uploaded. Files under a lease's name may be in the bucket but not in the
 * catalog; when the lease ends, the alarm deletes them.
 *
 * @packageDocumentation
 */
import type { StoredPackName } from "../../../catalog/pack-record.ts";
import { firstRow, integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

/** Expired leases that are handled in one go. */
const SWEEP_BATCH = 100;

export const LEASES_DDL = `CREATE TABLE IF NOT EXISTS leases (
  pack TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL,
  replaced INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`;

/** How long a lease runs, in milliseconds. */
export const LEASE_TIME = 24 * 60 * 60 * 1000;

export function insertLease(db: SqlDatabase, pack: string, expiresAt: number): void {
  db.run("INSERT INTO leases (pack, expires_at) VALUES (?, ?)", pack, expiresAt);
}

/** Leases the files of a pack that left the catalog: until then, readers that began before still read them. */
export function insertReplaced(db: SqlDatabase, pack: string, expiresAt: number): void {
  db.run("INSERT OR REPLACE INTO leases (pack, expires_at, replaced) VALUES (?, ?, 1)", pack, expiresAt);
}

/** Returns the packs that left the catalog, and whose files are still there for readers that began before. */
export function listReplaced(db: SqlDatabase): StoredPackName[] {
  const rows = db.rows(
    "SELECT l.pack, b.home FROM leases l LEFT JOIN borrowed_packs b ON b.pack = l.pack WHERE l.replaced = 1",
  );
  return Array.from(rows, (row) => ({ name: textAt(row, 0), ...(row[1] === null ? {} : { home: textAt(row, 1) }) }));
}

/**
 * Leases files that came after the moment to which the repository went back: nobody is told of them, and nothing lands with them. `replaced`
 * is 3, so that none of them is taken for an upload that is under way.
 */
export function insertStray(db: SqlDatabase, pack: string, expiresAt: number): void {
  db.run("INSERT OR IGNORE INTO leases (pack, expires_at, replaced) VALUES (?, ?, 3)", pack, expiresAt);
}

/**
 * Ends the leases of packs that left the catalog, and of what came after the moment to which the repository went back, for a purge. From then
 * on readers that began before get them no more. `replaced` is 2 until their files are deleted.
 */
export function endReplaced(db: SqlDatabase, now: number): void {
  db.run("UPDATE leases SET expires_at = min(expires_at, ?), replaced = 2 WHERE replaced IN (1, 3)", now);
}

/** Whether files of packs that a purge removed are left in the bucket. */
export function areAnyPurged(db: SqlDatabase): boolean {
  return firstRow(db.rows("SELECT 1 FROM leases WHERE replaced = 2 LIMIT 1")) !== undefined;
}

/** Extends a lease. */
export function renewLease(db: SqlDatabase, pack: string, expiresAt: number): void {
  db.run("UPDATE leases SET expires_at = ? WHERE pack = ?", expiresAt, pack);
}

/** Whether the upload's lease still runs. After its end, the upload's files may be about to be deleted. */
export function hasLease(db: SqlDatabase, pack: string, now: number): boolean {
  return (
    firstRow(db.rows("SELECT 1 FROM leases WHERE pack = ? AND expires_at > ? AND replaced < 3", pack, now)) !==
    undefined
  );
}

export function deleteLease(db: SqlDatabase, pack: string): void {
  db.run("DELETE FROM leases WHERE pack = ?", pack);
}

/** Returns the packs whose leases ended at or before `now`, oldest first, as many as are handled in one go. */
export function expiredLeases(db: SqlDatabase, now: number): string[] {
  const rows = db.rows("SELECT pack FROM leases WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", now, SWEEP_BATCH);
  return Array.from(rows, (row) => textAt(row, 0));
}

/** Returns when the next, or the last, lease ends; `undefined` if there is none. */
export function leaseEnd(db: SqlDatabase, which: "next" | "last"): number | undefined {
  const row = firstRow(db.rows(`SELECT ${which === "next" ? "min" : "max"}(expires_at) FROM leases`));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}
