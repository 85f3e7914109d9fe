/**
 * Table `mirrors`: how each of a tenant's mirrors goes, as it last reported.
 *
 * @packageDocumentation
 */
import type { ListedMirror, MirrorQuery, MirrorReport } from "../../../access/mirror-list.ts";
import { integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const MIRRORS_DDL = `CREATE TABLE IF NOT EXISTS mirrors (
  repo TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  upstream TEXT NOT NULL,
  interval INTEGER NOT NULL,
  last_attempt INTEGER,
  last_sync INTEGER,
  last_error TEXT,
  failures INTEGER NOT NULL,
  next_sync INTEGER
) WITHOUT ROWID`;

const COLUMNS = "repo, name, upstream, interval, last_attempt, last_sync, last_error, failures, next_sync";

function mirrorAt(row: SqlRow): ListedMirror {
  return {
    repo: textAt(row, 0),
    name: textAt(row, 1),
    upstream: textAt(row, 2),
    interval: integerAt(row, 3),
    ...(row[4] === null ? {} : { lastAttempt: integerAt(row, 4) }),
    ...(row[5] === null ? {} : { lastSync: integerAt(row, 5) }),
    ...(row[6] === null ? {} : { lastError: textAt(row, 6) }),
    failures: integerAt(row, 7),
    ...(row[8] === null ? {} : { nextSync: integerAt(row, 8) }),
  };
}

/** Returns mirrors in the order of their names. */
export function listMirrors(db: SqlDatabase, { after, limit, failing }: MirrorQuery): ListedMirror[] {
  const sql = `SELECT ${COLUMNS} FROM mirrors WHERE repo > ? AND failures >= ? ORDER BY repo LIMIT ?`;
  return Array.from(db.rows(sql, after, failing ? 1 : 0, limit), mirrorAt);
}

/** Notes how a mirror goes. */
export function writeMirrorReport(db: SqlDatabase, repo: string, report: MirrorReport): void {
  db.run(
    `INSERT OR REPLACE INTO mirrors (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    repo,
    report.name,
    report.upstream,
    report.interval,
    report.lastAttempt ?? null,
    report.lastSync ?? null,
    report.lastError ?? null,
    report.failures,
    report.nextSync ?? null,
  );
}

/** Takes a mirror off the list. */
export function deleteMirrorReport(db: SqlDatabase, repo: string): void {
  db.run("DELETE FROM mirrors WHERE repo = ?", repo);
}
