/**
 * Table `head_log`: the branches that HEAD pointed to before syncs moved it, so that a mirror can be read as it was.
 *
 * @packageDocumentation
 */
import { firstRow, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const HEAD_LOG_DDL = `CREATE TABLE IF NOT EXISTS head_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  old TEXT NOT NULL
)`;

/** Notes that HEAD moves away from a branch at an instant, in milliseconds since the epoch. */
export function appendHeadLog(db: SqlDatabase, at: number, old: string): void {
  db.run("INSERT INTO head_log (at, old) VALUES (?, ?)", at, old);
}

/** Returns the branch that HEAD pointed to at an instant; `undefined` if it has not moved since. */
export function headAt(db: SqlDatabase, at: number): string | undefined {
  const row = firstRow(db.rows("SELECT old FROM head_log WHERE at > ? ORDER BY seq LIMIT 1", at));
  return row === undefined ? undefined : textAt(row, 0);
}
