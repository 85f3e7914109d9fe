/**
 * Table `dead_letters`: jobs that failed in all their tries, each once, however often it was given up.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import type { DeadLetter, DeadLetterPlace } from "../../../events/dead-letter.ts";
import { type Job, parseJob } from "../../../events/job.ts";
import { firstRow, integerAt, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const DEAD_LETTERS_DDL = `CREATE TABLE IF NOT EXISTS dead_letters (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  times INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_letters_last_at ON dead_letters (last_at, id)`;

/** The most letters that are kept. */
export const MOST_DEAD_LETTERS = 1000;
/** Days that a letter is kept after its job was given up last. */
export const DEAD_LETTER_DAYS = 30;
const DAY = 24 * 3600 * 1000;

const COLUMNS = "id, job, times, first_at, last_at";

function letterAt(row: SqlRow): DeadLetter {
  const job = parseJob(JSON.parse(textAt(row, 1)));
  if (job === undefined) throw new CorruptStore("a dead letter is no job");
  return {
    id: integerAt(row, 0),
    job,
    times: integerAt(row, 2),
    firstAt: integerAt(row, 3),
    lastAt: integerAt(row, 4),
  };
}

/** Keeps jobs that were given up, and drops what is old or too much. */
export function addDeadLetters(db: SqlDatabase, jobs: readonly Job[], now: number): void {
  for (const job of jobs)
    db.run(
      `INSERT INTO dead_letters (job, kind, times, first_at, last_at) VALUES (?, ?, 1, ?, ?)
       ON CONFLICT (job) DO UPDATE SET times = times + 1, last_at = excluded.last_at`,
      JSON.stringify(job),
      job.type,
      now,
      now,
    );
  db.run("DELETE FROM dead_letters WHERE last_at < ?", now - DEAD_LETTER_DAYS * DAY);
  db.run(
    "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters ORDER BY last_at DESC, id DESC LIMIT -1 OFFSET ?)",
    MOST_DEAD_LETTERS,
  );
}

/** Returns letters, those given up last first. */
export function listDeadLetters(db: SqlDatabase, after: DeadLetterPlace | undefined, limit: number): DeadLetter[] {
  // Without a place the list begins at its first row.
  const { lastAt, id } = after ?? { lastAt: Number.MAX_SAFE_INTEGER, id: 0 };
  const rows = db.rows(
    `SELECT ${COLUMNS} FROM dead_letters WHERE (last_at, id) < (?, ?) ORDER BY last_at DESC, id DESC LIMIT ?`,
    lastAt,
    id,
    limit,
  );
  return Array.from(rows, letterAt);
}

/** Returns how many letters there are of each type of job. */
export function countDeadLetters(db: SqlDatabase): Record<string, number> {
  const rows = db.rows("SELECT kind, count(*) FROM dead_letters GROUP BY kind ORDER BY kind");
  return Object.fromEntries(Array.from(rows, (row) => [textAt(row, 0), integerAt(row, 1)]));
}

export function readDeadLetter(db: SqlDatabase, id: number): DeadLetter | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM dead_letters WHERE id = ?`, id));
  return row === undefined ? undefined : letterAt(row);
}

/** Forgets a letter. Returns whether there was one. */
export function deleteDeadLetter(db: SqlDatabase, id: number): boolean {
  return firstRow(db.rows("DELETE FROM dead_letters WHERE id = ? RETURNING id", id)) !== undefined;
}
