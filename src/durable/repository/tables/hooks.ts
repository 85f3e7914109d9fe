/**
 * Table `hooks`: webhooks, each with its place in the ref log.
 *
 * @packageDocumentation
 */
import { type Hook, HOOK_EVENTS, type HookEvent, type HookSettings } from "../../../events/hook.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow, type SqlValue } from "../../sql/sql-database.ts";

export const HOOKS_DDL = `CREATE TABLE IF NOT EXISTS hooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  secret TEXT,
  events TEXT NOT NULL,
  active INTEGER NOT NULL,
  disabled_why TEXT,
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  job_at INTEGER,
  taken_at INTEGER,
  failing_since INTEGER,
  is_tenants INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`;

/** The row, including what the API does not show. */
export type HookRow = Hook & {
  readonly secret?: string;
  /** The origin under which the host was reached when the webhook was set. */
  readonly origin: string;
  /** The last place in the ref log for which deliveries were made. */
  readonly seen: number;
  /**
   * When the job that has not reported yet was sent, and when it was taken up. Milliseconds since the epoch, as below.
   */
  readonly jobAt?: number;
  readonly takenAt?: number;
  /** When deliveries began to fail, if none has succeeded since. */
  readonly failingSince?: number;
  /** Whether it is a copy of a webhook of the tenant. */
  readonly isTenants: boolean;
};

const COLUMNS = `id, url, secret, events, active, disabled_why, origin, created_at, updated_at, seen, job_at, taken_at,
  failing_since, is_tenants`;

function eventsOf(text: string): HookEvent[] {
  const names = text.split(" ");
  return HOOK_EVENTS.filter((event) => names.includes(event));
}

function hookRow(row: SqlRow): HookRow {
  return {
    id: textAt(row, 0),
    url: textAt(row, 1),
    ...(row[2] === null ? {} : { secret: textAt(row, 2) }),
    hasSecret: row[2] !== null,
    events: eventsOf(textAt(row, 3)),
    active: integerAt(row, 4) === 1,
    ...(row[5] === null ? {} : { disabledWhy: textAt(row, 5) }),
    origin: textAt(row, 6),
    createdAt: integerAt(row, 7),
    updatedAt: integerAt(row, 8),
    seen: integerAt(row, 9),
    ...(row[10] === null ? {} : { jobAt: integerAt(row, 10) }),
    ...(row[11] === null ? {} : { takenAt: integerAt(row, 11) }),
    ...(row[12] === null ? {} : { failingSince: integerAt(row, 12) }),
    isTenants: integerAt(row, 13) === 1,
  };
}

/** Returns all webhooks, oldest first. */
export function listHooks(db: SqlDatabase): HookRow[] {
  return Array.from(db.rows(`SELECT ${COLUMNS} FROM hooks ORDER BY created_at, id`), hookRow);
}

export function readHook(db: SqlDatabase, id: string): HookRow | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM hooks WHERE id = ?`, id));
  return row === undefined ? undefined : hookRow(row);
}

/** The columns of a new webhook. */
export type NewHook = {
  readonly id: string;
  readonly settings: HookSettings;
  readonly origin: string;
  readonly seen: number;
  readonly now: number;
};

/** Returns the columns that a webhook's settings fill, in the order `url, secret, events, active`. */
function settingColumns({ url, secret, events, active }: HookSettings): readonly SqlValue[] {
  return [url, secret ?? null, events.join(" "), active ? 1 : 0];
}

export function insertHook(db: SqlDatabase, { id, settings, origin, seen, now }: NewHook): void {
  db.run(
    `INSERT INTO hooks (id, url, secret, events, active, origin, created_at, updated_at, seen)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    ...settingColumns(settings),
    origin,
    now,
    now,
    seen,
  );
}

/** Notes that a webhook is a copy of one of the tenant. */
export function markAsTenants(db: SqlDatabase, id: string): void {
  db.run("UPDATE hooks SET is_tenants = 1 WHERE id = ?", id);
}

/** Replaces a webhook's settings and its place. Earlier failures no longer count. */
export function updateHook(db: SqlDatabase, { id, settings, origin, seen, now }: NewHook): void {
  db.run(
    `UPDATE hooks SET url = ?, secret = ?, events = ?, active = ?, disabled_why = NULL, origin = ?, updated_at = ?, seen = ?,
      failing_since = NULL WHERE id = ?`,
    ...settingColumns(settings),
    origin,
    now,
    seen,
    id,
  );
}

/** Turns a webhook off, with the reason. */
export function disableHook(db: SqlDatabase, id: string, why: string, now: number): void {
  db.run("UPDATE hooks SET active = 0, disabled_why = ?, updated_at = ? WHERE id = ?", why, now, id);
}

export function deleteHook(db: SqlDatabase, id: string): void {
  db.run("DELETE FROM hooks WHERE id = ?", id);
}

/** Notes how far in the ref log a webhook has come. */
export function noteSeen(db: SqlDatabase, id: string, seen: number): void {
  db.run("UPDATE hooks SET seen = ? WHERE id = ?", seen, id);
}

/** Notes when a job was sent and when it was taken up; `null` if there is none. */
export function noteHookJob(db: SqlDatabase, id: string, jobAt: number | null, takenAt: number | null): void {
  db.run("UPDATE hooks SET job_at = ?, taken_at = ? WHERE id = ?", jobAt, takenAt, id);
}

/** Notes since when all deliveries fail; `null` if the last one succeeded. */
export function noteFailing(db: SqlDatabase, id: string, since: number | null): void {
  db.run("UPDATE hooks SET failing_since = ? WHERE id = ?", since, id);
}
