/**
 * Table `usage_days`: what each repository was used for, by day. A repository is known by its id, so that a name may
 * change hands. The rows with the id "" are the sums of all repositories and of the tenant itself.
 *
 * @packageDocumentation
 */
import { type CountedUsage, type DayUsage, dayOf } from "../../../access/usage.ts";
import { firstRow, integerAt, type SqlDatabase } from "../../sql/sql-database.ts";
import { readRepo } from "./tenant-repos.ts";

export const USAGE_DAYS_DDL = `CREATE TABLE IF NOT EXISTS usage_days (
  repo_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  clones INTEGER NOT NULL,
  fetches INTEGER NOT NULL,
  pushes INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  PRIMARY KEY (repo_id, day)
) WITHOUT ROWID`;

/** Days that the counts of one repository are kept. */
export const REPOSITORY_DAYS = 92;
/** Days that the sums of a tenant are kept. */
export const TENANT_DAYS = 400;

/** The id of the sums. */
const ALL = "";
const COLUMNS = ["requests", "clones", "fetches", "pushes", "bytes_in", "bytes_out", "ms"];

function add(db: SqlDatabase, repoId: string, counted: DayUsage): void {
  const { day, requests, clones, fetches, pushes, bytesIn, bytesOut, ms } = counted;
  db.run(
    `INSERT INTO usage_days (repo_id, day, ${COLUMNS.join(", ")}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (repo_id, day) DO UPDATE SET ${COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")}`,
    repoId,
    day,
    requests,
    clones,
    fetches,
    pushes,
    bytesIn,
    bytesOut,
    ms,
  );
}

/** Whether something was counted on a day. */
function isKnown(db: SqlDatabase, day: number): boolean {
  return firstRow(db.rows("SELECT 1 FROM usage_days WHERE repo_id = ? AND day = ?", ALL, day)) !== undefined;
}

function dropOld(db: SqlDatabase, today: number): void {
  db.run("DELETE FROM usage_days WHERE repo_id <> ? AND day <= ?", ALL, today - REPOSITORY_DAYS);
  db.run("DELETE FROM usage_days WHERE repo_id = ? AND day <= ?", ALL, today - TENANT_DAYS);
}

/** Adds what was counted. A name that is not listed counts for the tenant alone. The first count of a day drops old days. */
export function addUsageDays(db: SqlDatabase, counted: readonly CountedUsage[], now: number): void {
  if (!isKnown(db, dayOf(now))) dropOld(db, dayOf(now));
  for (const { repo, ...usage } of counted) {
    const listed = repo === undefined ? undefined : readRepo(db, repo);
    if (listed !== undefined) add(db, listed.id, usage);
    add(db, ALL, usage);
  }
}

/** Returns the counted days of a repository by its id, or the sums, in order. */
export function listUsageDays(db: SqlDatabase, repoId = ALL, { from, to }: { from: number; to: number }): DayUsage[] {
  const rows = db.rows(
    `SELECT day, ${COLUMNS.join(", ")} FROM usage_days WHERE repo_id = ? AND day BETWEEN ? AND ? ORDER BY day`,
    repoId,
    from,
    to,
  );
  return Array.from(rows, (row) => ({
    day: integerAt(row, 0),
    requests: integerAt(row, 1),
    clones: integerAt(row, 2),
    fetches: integerAt(row, 3),
    pushes: integerAt(row, 4),
    bytesIn: integerAt(row, 5),
    bytesOut: integerAt(row, 6),
    ms: integerAt(row, 7),
  }));
}

/** Forgets all that was counted. */
export function deleteUsageDays(db: SqlDatabase): void {
  db.run("DELETE FROM usage_days");
}
