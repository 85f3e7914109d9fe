/**
 * Tables `maintenance` and `maintenance_runs`: what was asked for, which job is under way, and what the last runs did.
 *
 * @packageDocumentation
 */
import type { MaintenanceRun } from "../../../refs/maintenance-store.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const MAINTENANCE_DDL = `CREATE TABLE IF NOT EXISTS maintenance (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  asked INTEGER NOT NULL DEFAULT 0,
  job_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS maintenance_runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  outcome TEXT NOT NULL,
  at INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  packs INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  written INTEGER NOT NULL,
  error TEXT
)`;

/** The runs that are kept. */
const MOST_RUNS = 20;

/** The row. */
export type MaintenanceRow = {
  readonly asked: boolean;
  /** When the job was sent that has not reported yet. Milliseconds since the epoch. */
  readonly jobAt?: number;
  /** The number of failures in a row. */
  readonly failures: number;
  /** When the next step may be begun, after a failure. */
  readonly notBefore: number;
};

const NO_ROW: MaintenanceRow = { asked: false, failures: 0, notBefore: 0 };

export function readMaintenance(db: SqlDatabase): MaintenanceRow {
  const row = firstRow(db.rows("SELECT asked, job_at, failures, not_before FROM maintenance"));
  if (row === undefined) return NO_ROW;
  return {
    asked: integerAt(row, 0) === 1,
    ...(row[1] === null ? {} : { jobAt: integerAt(row, 1) }),
    failures: integerAt(row, 2),
    notBefore: integerAt(row, 3),
  };
}

export function writeMaintenance(db: SqlDatabase, { asked, jobAt, failures, notBefore }: MaintenanceRow): void {
  db.run(
    "INSERT OR REPLACE INTO maintenance (one, asked, job_at, failures, not_before) VALUES (1, ?, ?, ?, ?)",
    Number(asked),
    jobAt ?? null,
    failures,
    notBefore,
  );
}

function outcomeAt(row: SqlRow, column: number): MaintenanceRun["outcome"] {
  const outcome = textAt(row, column);
  if (outcome === "done" || outcome === "nothing" || outcome === "stale" || outcome === "failed") return outcome;
  throw new CorruptStore(`outcome of maintenance ${outcome}`);
}

/** Returns the runs that are kept, newest first. */
export function listRuns(db: SqlDatabase): MaintenanceRun[] {
  const rows = db.rows(
    "SELECT outcome, at, ms, packs, objects, bytes, written, error FROM maintenance_runs ORDER BY seq DESC",
  );
  return Array.from(rows, (row) => ({
    outcome: outcomeAt(row, 0),
    at: integerAt(row, 1),
    ms: integerAt(row, 2),
    packs: integerAt(row, 3),
    objects: integerAt(row, 4),
    bytes: integerAt(row, 5),
    written: integerAt(row, 6),
    ...(row[7] === null ? {} : { error: textAt(row, 7) }),
  }));
}

/** Keeps a run, and drops the oldest beyond those that are kept. */
export function insertRun(db: SqlDatabase, run: MaintenanceRun): void {
  db.run(
    "INSERT INTO maintenance_runs (outcome, at, ms, packs, objects, bytes, written, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    run.outcome,
    run.at,
    run.ms,
    run.packs,
    run.objects,
    run.bytes,
    run.written,
    run.error ?? null,
  );
  db.run("DELETE FROM maintenance_runs WHERE seq <= (SELECT max(seq) FROM maintenance_runs) - ?", MOST_RUNS);
}
