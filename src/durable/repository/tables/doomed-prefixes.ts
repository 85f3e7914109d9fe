/**
 * Table `doomed_prefixes`: prefixes of deleted repositories whose bytes still have to be deleted. A row outlives the
 * repository it names.
 *
 * @packageDocumentation
 */
import { firstRow, integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const DOOMED_PREFIXES_DDL = `CREATE TABLE IF NOT EXISTS doomed_prefixes (
  id TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  leased_until INTEGER NOT NULL,
  lent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`;

/** Whether the repository with this id was deleted, or must never be made. */
export function isDoomed(db: SqlDatabase, id: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM doomed_prefixes WHERE id = ?", id)) !== undefined;
}

/** A prefix that is to be deleted, and whether packs below it were lent: those stay until they are returned. */
export type DoomedPrefix = { readonly id: string; readonly lent: boolean };

/** Dooms a prefix. `leasedUntil` is when the last upload into it must have ended: until then it is checked again. */
export function doomPrefix(db: SqlDatabase, { id, lent }: DoomedPrefix, dueAt: number, leasedUntil: number): void {
  const sql = "INSERT OR IGNORE INTO doomed_prefixes (id, due_at, leased_until, lent) VALUES (?, ?, ?, ?)";
  db.run(sql, id, dueAt, leasedUntil, Number(lent));
}

/** Returns the prefixes for which a job is due. */
export function duePrefixes(db: SqlDatabase, now: number): DoomedPrefix[] {
  const rows = db.rows("SELECT id, lent FROM doomed_prefixes WHERE due_at <= ?", now);
  return Array.from(rows, (row) => ({ id: textAt(row, 0), lent: integerAt(row, 1) === 1 }));
}

/** Puts off the next job for a prefix. */
export function postponePrefix(db: SqlDatabase, id: string, dueAt: number): void {
  db.run("UPDATE doomed_prefixes SET due_at = ? WHERE id = ?", dueAt, id);
}

/**
 * Notes that a prefix is empty. Its row is deleted, or stays due for when the last upload under way must have ended.
 */
export function notePrefixEmpty(db: SqlDatabase, id: string, now: number): void {
  db.run("DELETE FROM doomed_prefixes WHERE id = ? AND leased_until <= ?", id, now);
  db.run("UPDATE doomed_prefixes SET due_at = leased_until WHERE id = ?", id);
}

/** Returns when the next prefix is due; `undefined` if there is none. */
export function nextPrefixDue(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(due_at) FROM doomed_prefixes"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}
