/**
 * Table `answered_requests`: what requests were answered that are done once, however often they are sent.
 *
 * @packageDocumentation
 */
import type { AnsweredOnce, RequestOnce } from "../../../refs/ref-store.ts";
import { firstRow, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

/** How long an answer is kept, in milliseconds: a day. */
const ANSWER_TIME = 24 * 60 * 60 * 1000;
/** Old answers that are deleted when one is added: more than one, so that they become fewer. */
const MOST_DELETED = 10;

export const ANSWERED_REQUESTS_DDL = `CREATE TABLE IF NOT EXISTS answered_requests (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answered_requests_end ON answered_requests (expires_at)`;

/** Returns what the request with this key was answered within the last day. */
export function readAnswer(db: SqlDatabase, key: string, now: number): AnsweredOnce | undefined {
  const sql = "SELECT fingerprint, answer FROM answered_requests WHERE key = ? AND expires_at > ?";
  const row = firstRow(db.rows(sql, key, now));
  return row === undefined ? undefined : { fingerprint: textAt(row, 0), answer: textAt(row, 1) };
}

/** Returns the same as a part of an answer. */
export function answeredBefore(
  db: SqlDatabase,
  key: string | undefined,
  now: number,
): { readonly answered?: AnsweredOnce } {
  const answered = key === undefined ? undefined : readAnswer(db, key, now);
  return answered === undefined ? {} : { answered };
}

/** Keeps an answer for a day, and deletes some that are older. */
export function insertAnswer(db: SqlDatabase, { key, fingerprint, answer }: RequestOnce, now: number): void {
  db.run(
    "DELETE FROM answered_requests WHERE key IN (SELECT key FROM answered_requests WHERE expires_at <= ? LIMIT ?)",
    now,
    MOST_DELETED,
  );
  db.run(
    "INSERT OR REPLACE INTO answered_requests (key, fingerprint, answer, expires_at) VALUES (?, ?, ?, ?)",
    key,
    fingerprint,
    answer,
    now + ANSWER_TIME,
  );
}
