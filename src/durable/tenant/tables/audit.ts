/**
 * Table `audit`: what was done in a tenant, and by whom.
 *
 * @packageDocumentation
 */
import type { AuditEntry, AuditQuery, AuditRecord } from "../../../access/audit.ts";
import { integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const AUDIT_DDL = `CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL
)`;

/** Entries that a tenant's log keeps. */
export const MOST_AUDITED = 10_000;
/** Characters of an entry's details. */
const MOST_DETAILS = 2000;

function detailsAt(row: SqlRow, column: number): Record<string, unknown> {
  const details: unknown = JSON.parse(textAt(row, column));
  return typeof details === "object" && details !== null ? { ...details } : {};
}

function recordAt(row: SqlRow): AuditRecord {
  return {
    id: integerAt(row, 0),
    at: integerAt(row, 1),
    actor: textAt(row, 2),
    ...(row[3] === null ? {} : { actorName: textAt(row, 3) }),
    action: textAt(row, 4),
    subject: textAt(row, 5),
    details: detailsAt(row, 6),
  };
}

/** Adds an entry, and drops the oldest beyond {@link MOST_AUDITED}. */
export function insertAudit(
  db: SqlDatabase,
  { actor, actorName, action, subject, details }: AuditEntry,
  now: number,
): void {
  const text = JSON.stringify(details);
  db.run(
    "INSERT INTO audit (at, actor, actor_name, action, subject, details) VALUES (?, ?, ?, ?, ?, ?)",
    now,
    actor,
    actorName ?? null,
    action,
    subject,
    // Details that are too long are left out as a whole: half of them could say something else.
    text.length > MOST_DETAILS ? "{}" : text,
  );
  db.run("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", MOST_AUDITED);
}

/** Returns entries, the newest first. */
export function listAudit(db: SqlDatabase, { before, limit, action }: AuditQuery): AuditRecord[] {
  const sql = `SELECT id, at, actor, actor_name, action, subject, details FROM audit
    WHERE id < ?1 AND (?2 IS NULL OR action = ?2) ORDER BY id DESC LIMIT ?3`;
  return Array.from(db.rows(sql, before ?? Number.MAX_SAFE_INTEGER, action ?? null, limit), recordAt);
}

/** Forgets everything. */
export function deleteAudit(db: SqlDatabase): void {
  db.run("DELETE FROM audit");
}
