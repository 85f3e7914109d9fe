/**
 * Table `deliveries`: pending deliveries to webhooks, and the latest of those that ended. Bodies are not kept: they are
 * made from the ref log, also for a redelivery.
 *
 * @packageDocumentation
 */
import {
  type AttemptResult,
  type Delivery,
  type DeliveryEvent,
  type DeliveryState,
  HOOK_EVENTS,
} from "../../../events/hook.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const DELIVERIES_DDL = `CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hook TEXT NOT NULL,
  guid TEXT NOT NULL,
  event TEXT NOT NULL,
  seq INTEGER,
  ref TEXT,
  redelivery INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  duration INTEGER,
  created_at INTEGER NOT NULL,
  attempted_at INTEGER,
  due_at INTEGER,
  detail TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_hook ON deliveries (hook, id);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (hook, due_at) WHERE due_at IS NOT NULL`;

/** A new delivery. `seq` and `ref` are absent for a `ping`. */
export type NewDelivery = {
  readonly hook: string;
  readonly guid: string;
  readonly event: DeliveryEvent;
  readonly seq?: number;
  readonly ref?: string;
  /** See `Delivery`. */
  readonly detail?: string;
  readonly redelivery: boolean;
};

const COLUMNS = `id, guid, event, seq, ref, redelivery, state, attempts, status, error, duration, created_at, attempted_at,
  due_at, detail`;

function eventAt(row: SqlRow, column: number): DeliveryEvent {
  const name = textAt(row, column);
  const event = HOOK_EVENTS.find((known) => known === name);
  if (event === undefined && name !== "ping") throw new CorruptStore(`event ${name}`);
  return event ?? "ping";
}

function stateAt(row: SqlRow, column: number): DeliveryState {
  const state = textAt(row, column);
  if (state === "pending" || state === "delivered" || state === "failed") return state;
  throw new CorruptStore(`state ${state}`);
}

function deliveryRow(row: SqlRow): Delivery {
  return {
    id: integerAt(row, 0),
    guid: textAt(row, 1),
    event: eventAt(row, 2),
    ...(row[3] === null ? {} : { seq: integerAt(row, 3) }),
    ...(row[4] === null ? {} : { ref: textAt(row, 4) }),
    redelivery: integerAt(row, 5) === 1,
    state: stateAt(row, 6),
    attempts: integerAt(row, 7),
    ...(row[8] === null ? {} : { status: integerAt(row, 8) }),
    ...(row[9] === null ? {} : { error: textAt(row, 9) }),
    ...(row[10] === null ? {} : { duration: integerAt(row, 10) }),
    createdAt: integerAt(row, 11),
    ...(row[12] === null ? {} : { attemptedAt: integerAt(row, 12) }),
    ...(row[13] === null ? {} : { nextAttemptAt: integerAt(row, 13) }),
    ...(row[14] === null ? {} : { detail: textAt(row, 14) }),
  };
}

/** Adds a delivery that is due at once. */
export function insertDelivery(db: SqlDatabase, delivery: NewDelivery, now: number): void {
  db.run(
    `INSERT INTO deliveries (hook, guid, event, seq, ref, redelivery, state, attempts, created_at, due_at,
      detail) VALUES (?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?)`,
    delivery.hook,
    delivery.guid,
    delivery.event,
    delivery.seq ?? null,
    delivery.ref ?? null,
    delivery.redelivery ? 1 : 0,
    now,
    now,
    delivery.detail ?? null,
  );
}

/** Returns a webhook's deliveries, newest first, at most `limit`. */
export function listDeliveries(db: SqlDatabase, hook: string, limit: number): Delivery[] {
  const rows = db.rows(`SELECT ${COLUMNS} FROM deliveries WHERE hook = ? ORDER BY id DESC LIMIT ?`, hook, limit);
  return Array.from(rows, deliveryRow);
}

export function readDelivery(db: SqlDatabase, hook: string, id: number): Delivery | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM deliveries WHERE hook = ? AND id = ?`, hook, id));
  return row === undefined ? undefined : deliveryRow(row);
}

/** Returns a webhook's deliveries that are due, in the order they were made, at most `limit`. */
export function dueDeliveries(db: SqlDatabase, hook: string, now: number, limit: number): Delivery[] {
  const rows = db.rows(
    `SELECT ${COLUMNS} FROM deliveries WHERE hook = ? AND due_at <= ? ORDER BY id LIMIT ?`,
    hook,
    now,
    limit,
  );
  return Array.from(rows, deliveryRow);
}

/**
 * A webhook's pending deliveries: how many they are, how many of them are redeliveries, and when the next one is due.
 */
export type PendingDeliveries = { readonly count: number; readonly redeliveries: number; readonly due?: number };

/** Counts a webhook's deliveries that are pending. */
export function pendingDeliveries(db: SqlDatabase, hook: string): PendingDeliveries {
  const row = firstRow(
    db.rows(
      "SELECT count(*), sum(redelivery), min(due_at) FROM deliveries WHERE hook = ? AND due_at IS NOT NULL",
      hook,
    ),
  );
  if (row === undefined || row[2] === null) return { count: 0, redeliveries: 0 };
  return { count: integerAt(row, 0), redeliveries: integerAt(row, 1), due: integerAt(row, 2) };
}

/** The state of a delivery after an attempt. `due` is when it is tried again. */
export type Attempted = {
  readonly hook: string;
  readonly result: AttemptResult;
  readonly state: DeliveryState;
  readonly due?: number;
  readonly now: number;
};

export function noteAttempt(db: SqlDatabase, { hook, result, state, due, now }: Attempted): void {
  db.run(
    `UPDATE deliveries SET state = ?, attempts = attempts + 1, status = ?, error = ?, duration = ?, attempted_at = ?, due_at = ?
      WHERE hook = ? AND id = ?`,
    state,
    result.status ?? null,
    result.error ?? null,
    result.duration,
    now,
    due ?? null,
    hook,
    result.id,
  );
}

/** Gives up all pending deliveries of a webhook. */
export function giveUpDeliveries(db: SqlDatabase, hook: string): void {
  db.run("UPDATE deliveries SET state = 'failed', due_at = NULL WHERE hook = ? AND due_at IS NOT NULL", hook);
}

/** Deletes a webhook's deliveries except the pending ones and the newest `kept` that ended. */
export function pruneDeliveries(db: SqlDatabase, hook: string, kept: number): void {
  db.run(
    `DELETE FROM deliveries WHERE hook = ?1 AND due_at IS NULL AND id <=
      (SELECT id FROM deliveries WHERE hook = ?1 AND due_at IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    hook,
    kept,
  );
}

/** Deletes all deliveries of a webhook. */
export function deleteDeliveries(db: SqlDatabase, hook: string): void {
  db.run("DELETE FROM deliveries WHERE hook = ?", hook);
}
