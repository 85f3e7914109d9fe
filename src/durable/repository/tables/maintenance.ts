/**
 * Tables `maintenance` and `maintenance_runs`: what was asked for, which job is under way, and what the last runs did.
 *
 * @packageDocumentation
 */
import { KEPT_VALUES_TIME, type MaintenanceRun } from "../../../refs/maintenance-store.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const MAINTENANCE_DDL = `CREATE TABLE IF NOT EXISTS maintenance (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  asked INTEGER NOT NULL DEFAULT 0,
  job_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  purges INTEGER NOT NULL DEFAULT 0,
  walk_after INTEGER NOT NULL DEFAULT 0,
  cruft_version INTEGER NOT NULL DEFAULT 0,
  dropped_version INTEGER NOT NULL DEFAULT 0,
  graph_objects INTEGER NOT NULL DEFAULT 0,
  graph_after INTEGER NOT NULL DEFAULT 0,
  lfs_doubt INTEGER NOT NULL DEFAULT 0,
  lfs_purges INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS maintenance_runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  step TEXT NOT NULL,
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
/** The characters that are kept of an error. */
const MOST_ERROR = 1000;

/** A job that has not reported after this time is taken for lost. Milliseconds. */
export const JOB_TIME = 15 * 60_000;
/** The time that a run takes that has not ended. A build that does not know it shows such a run as failed. */
const NOT_ENDED = -1;

/** The row. */
export type MaintenanceRow = {
  readonly asked: boolean;
  /** When the job was sent that has not reported yet. Milliseconds since the epoch. */
  readonly jobAt?: number;
  /** The number of failures in a row. */
  readonly failures: number;
  /**
   * When maintenance, or a walk, was last asked for: what steps met before that does not count for their turns. Its column was first when the next step
   * might be begun after a failure: such a time may be to come, and is gone after the next run.
   */
  readonly askedAt: number;
  /** Whether a purge was asked for. */
  readonly purges: boolean;
  /** When the refs may be walked again to find what they reach. */
  readonly walkAfter: number;
  /** The version of the catalog in which objects last went into a cruft pack; 0 if none ever did. */
  readonly cruftVersion: number;
  /** The version of the catalog in which it last lost objects for good; 0 if it never did. */
  readonly droppedVersion: number;
  /** The objects of the catalog of which the commit-graph was last made; 0 if it has to be made anew. */
  readonly graphObjects: number;
  /** The version in which objects last left the catalog: a layer that was made from an earlier one may have them. */
  readonly graphAfter: number;
  /** Whether Git LFS objects may have lost their last pointer since they were last looked for. */
  readonly lfsDoubt: boolean;
  /** Whether those that have none have to go at once: a purge is not done before. */
  readonly lfsPurges: boolean;
};

const NO_ROW: MaintenanceRow = {
  asked: false,
  failures: 0,
  askedAt: 0,
  purges: false,
  walkAfter: 0,
  cruftVersion: 0,
  droppedVersion: 0,
  graphObjects: 0,
  graphAfter: 0,
  lfsDoubt: false,
  lfsPurges: false,
};

export function readMaintenance(db: SqlDatabase): MaintenanceRow {
  const row = firstRow(
    db.rows(`SELECT asked, job_at, failures, not_before, purges, walk_after, cruft_version, dropped_version, graph_objects,
      graph_after, lfs_doubt, lfs_purges FROM maintenance`),
  );
  if (row === undefined) return NO_ROW;
  return {
    asked: integerAt(row, 0) === 1,
    ...(row[1] === null ? {} : { jobAt: integerAt(row, 1) }),
    failures: integerAt(row, 2),
    askedAt: integerAt(row, 3),
    purges: integerAt(row, 4) === 1,
    walkAfter: integerAt(row, 5),
    cruftVersion: integerAt(row, 6),
    droppedVersion: integerAt(row, 7),
    graphObjects: integerAt(row, 8),
    graphAfter: integerAt(row, 9),
    lfsDoubt: integerAt(row, 10) === 1,
    lfsPurges: integerAt(row, 11) === 1,
  };
}

export function writeMaintenance(db: SqlDatabase, row: MaintenanceRow): void {
  db.run(
    `INSERT OR REPLACE INTO maintenance (one, asked, job_at, failures, not_before, purges, walk_after, cruft_version,
      dropped_version, graph_objects, graph_after, lfs_doubt, lfs_purges) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    Number(row.asked),
    row.jobAt ?? null,
    row.failures,
    row.askedAt,
    Number(row.purges),
    row.walkAfter,
    row.cruftVersion,
    row.droppedVersion,
    row.graphObjects,
    row.graphAfter,
    Number(row.lfsDoubt),
    Number(row.lfsPurges),
  );
}

/** Notes the version of the catalog in which objects went into a cruft pack. */
export function noteCruft(db: SqlDatabase, version: number): void {
  writeMaintenance(db, { ...readMaintenance(db), cruftVersion: version });
}

/** Notes the version of the catalog in which it lost objects for good. */
export function noteDropped(db: SqlDatabase, version: number): void {
  writeMaintenance(db, { ...readMaintenance(db), droppedVersion: version });
}

/** Notes that the purge that was asked for is done. `lfs`: Git LFS objects are left to be looked for. */
export function notePurged(db: SqlDatabase, lfs: boolean): void {
  writeMaintenance(db, { ...readMaintenance(db), purges: false, lfsPurges: lfs });
}

/** Notes that Git LFS objects that have lost their pointers were found. */
export function noteLfsLook(db: SqlDatabase): void {
  writeMaintenance(db, { ...readMaintenance(db), lfsDoubt: false, lfsPurges: false });
}

/** Has the refs walked as soon as can be: packs are wanted back. */
export function askForWalk(db: SqlDatabase, now: number): void {
  writeMaintenance(db, { ...readMaintenance(db), askedAt: now, walkAfter: 0 });
}

/** How long after a pack lost its mark the refs are walked: more moves often follow. Milliseconds. */
export const WALK_DELAY = 60_000;

/** The refs are not walked again for this time, and for this many times what the last walk took. Milliseconds. */
export const WALK_PAUSE = 60_000;
const WALK_SHARE = 20;
/** The time for which values of refs may stand in a walk's way. Milliseconds. */
const UNDECIDED_PAUSE = KEPT_VALUES_TIME + WALK_PAUSE;

/**
 * Returns how long after a walk the next one is begun at the earliest.
 *
 * @param holdsFor - For how long it is known that another walk would leave the same undecided. Milliseconds.
 */
export function walkPause({ outcome, undecided, ms }: MaintenanceRun, holdsFor = 0): number {
  if (outcome === "stale") return ms;
  return Math.max(undecided === true ? Math.max(UNDECIDED_PAUSE, holdsFor) : WALK_PAUSE, WALK_SHARE * ms);
}

/** Returns when the refs may be walked if something has become doubtful now. */
function walkAfterDoubt(db: SqlDatabase, { walkAfter }: MaintenanceRow, now: number): number {
  const soon = now + WALK_DELAY;
  if (walkAfter <= now) return soon;
  if (walkAfter <= now + UNDECIDED_PAUSE) return walkAfter;
  // The next walk was put off because it would have found the same, or because the last one took long.
  const last = listRuns(db).find(({ step }) => step === "walk");
  const rested = last === undefined ? 0 : last.at + (1 + WALK_SHARE) * last.ms;
  return Math.min(walkAfter, Math.max(soon, rested));
}

/** Notes that a pack has lost its mark, or came without one, or that other values of refs may count from now on. */
export function noteDoubt(db: SqlDatabase, now: number): void {
  const row = readMaintenance(db);
  const walkAfter = walkAfterDoubt(db, row, now);
  if (walkAfter !== row.walkAfter || !row.lfsDoubt) writeMaintenance(db, { ...row, walkAfter, lfsDoubt: true });
}

function stepAt(row: SqlRow, column: number): MaintenanceRun["step"] {
  const step = textAt(row, column);
  const steps = ["walk", "bitmap", "graph", "twin", "midx", "lfs", "bundle", "order"] as const;
  return steps.find((each) => each === step) ?? "roll-up"; // The first step had no name of its own.
}

function outcomeAt(row: SqlRow, column: number): MaintenanceRun["outcome"] {
  const outcome = textAt(row, column);
  if (outcome === "done" || outcome === "nothing" || outcome === "stale" || outcome === "failed") return outcome;
  throw new CorruptStore(`outcome of maintenance ${outcome}`);
}

/** Returns the runs that are kept, newest first. */
export function listRuns(db: SqlDatabase): MaintenanceRun[] {
  const rows = db.rows(
    `SELECT outcome, at, ms, packs, objects, bytes, written, error, step FROM maintenance_runs WHERE ms >= 0
      ORDER BY seq DESC`,
  );
  return Array.from(rows, (row) => ({
    step: stepAt(row, 8),
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
    `INSERT INTO maintenance_runs (step, outcome, at, ms, packs, objects, bytes, written, error)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    run.step,
    run.outcome,
    run.at,
    run.ms,
    run.packs,
    run.objects,
    run.bytes,
    run.written,
    run.error?.slice(0, MOST_ERROR) ?? null,
  );
  db.run(
    "DELETE FROM maintenance_runs WHERE seq NOT IN (SELECT seq FROM maintenance_runs ORDER BY seq DESC LIMIT ?)",
    MOST_RUNS,
  );
}

/** Notes that a step is begun, in place of the one that was begun before. It is no run yet. */
export function noteBegun(db: SqlDatabase, step: MaintenanceRun["step"], at: number): void {
  forgetBegun(db);
  const error = "The job ended without a report.";
  const run = {
    step,
    outcome: "failed",
    at,
    ms: NOT_ENDED,
    packs: 0,
    objects: 0,
    bytes: 0,
    written: 0,
    error,
  } as const;
  insertRun(db, run);
}

/** Forgets the step that is begun: its job has reported. */
export function forgetBegun(db: SqlDatabase): void {
  db.run("DELETE FROM maintenance_runs WHERE ms = ?", NOT_ENDED);
}

/** Where a job has not reported for too long, the step that it had begun has failed. */
export function endLostJob(db: SqlDatabase, now: number): void {
  const { jobAt, ...row } = readMaintenance(db);
  if (jobAt === undefined || jobAt + JOB_TIME > now) return;
  db.transaction(() => {
    writeMaintenance(db, row);
    db.run("UPDATE maintenance_runs SET ms = max(0, ? - at) WHERE ms = ?", now, NOT_ENDED);
  });
}
