/**
 * Table `commit_statuses`: what builds and checks say of commits, one row for each context of a commit.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import {
  type CommitStatus,
  type CountedCommit,
  MOST_CONTEXTS,
  MOST_STATUSES,
  type NewStatus,
  STATUS_STATES,
  type StatusState,
} from "../../../refs/commit-statuses.ts";
import { firstRow, integerAt, jsonChunks, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const COMMIT_STATUSES_DDL = `CREATE TABLE IF NOT EXISTS commit_statuses (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  oid BLOB NOT NULL,
  context TEXT NOT NULL,
  state TEXT NOT NULL,
  description TEXT NOT NULL,
  target_url TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT,
  at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS commit_statuses_context ON commit_statuses (oid, context)`;

function stateAt(row: SqlRow, column: number): StatusState {
  const name = textAt(row, column);
  const state = STATUS_STATES.find((known) => known === name);
  if (state === undefined) throw new CorruptStore(`state ${name} of a commit`);
  return state;
}

/** Returns the statuses of a commit, in the order of their contexts. */
export function listStatuses(db: SqlDatabase, oid: string): CommitStatus[] {
  const rows = db.rows(
    `SELECT seq, context, state, description, target_url, actor, actor_name, at FROM commit_statuses
      WHERE oid = unhex(?) ORDER BY context`,
    oid,
  );
  return Array.from(rows, (row) => ({
    id: integerAt(row, 0),
    context: textAt(row, 1),
    state: stateAt(row, 2),
    description: textAt(row, 3),
    targetUrl: textAt(row, 4),
    actor: textAt(row, 5),
    ...(row[6] === null ? {} : { actorName: textAt(row, 6) }),
    at: integerAt(row, 7),
  }));
}

/** Counts the statuses of commits. Those that have none are left out. */
export function countStatusesOf(db: SqlDatabase, oids: readonly string[]): CountedCommit[] {
  const found = new Map<string, Record<StatusState, number>>();
  for (const chunk of jsonChunks(oids)) {
    const rows = db.rows(
      `SELECT j.value, s.state, count(*) FROM json_each(?) j JOIN commit_statuses s ON s.oid = unhex(j.value)
        GROUP BY 1, 2`,
      chunk,
    );
    for (const row of rows) {
      const oid = textAt(row, 0);
      const counts = found.get(oid) ?? { error: 0, failure: 0, pending: 0, success: 0 };
      counts[stateAt(row, 1)] = integerAt(row, 2);
      found.set(oid, counts);
    }
  }
  return Array.from(found, ([oid, counts]) => ({ oid, counts }));
}

/** Returns the contexts in which each of some commits succeeded. Those without any are left out. */
export function succeededContexts(db: SqlDatabase, oids: Iterable<string>): Map<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const chunk of jsonChunks(oids)) {
    const rows = db.rows(
      `SELECT j.value, s.context FROM json_each(?) j JOIN commit_statuses s ON s.oid = unhex(j.value)
        WHERE s.state = 'success'`,
      chunk,
    );
    for (const row of rows) {
      const oid = textAt(row, 0);
      const contexts = found.get(oid);
      if (contexts === undefined) found.set(oid, new Set([textAt(row, 1)]));
      else contexts.add(textAt(row, 1));
    }
  }
  return found;
}

/**
 * Sets a status in place of the one with its context, and drops the one that is too old. Returns its number, or
 * `undefined` if the commit has as many contexts as it may.
 */
export function setStatus(db: SqlDatabase, oid: string, status: NewStatus): number | undefined {
  const { context, state, description, targetUrl, actor, actorName, at } = status;
  db.run("DELETE FROM commit_statuses WHERE oid = unhex(?) AND context = ?", oid, context);
  const others = firstRow(db.rows("SELECT count(*) FROM commit_statuses WHERE oid = unhex(?)", oid));
  if (others !== undefined && integerAt(others, 0) >= MOST_CONTEXTS) return undefined;
  db.run(
    `INSERT INTO commit_statuses (oid, context, state, description, target_url, actor, actor_name, at)
      VALUES (unhex(?), ?, ?, ?, ?, ?, ?, ?)`,
    oid,
    context,
    state,
    description,
    targetUrl,
    actor,
    actorName ?? null,
    at,
  );
  const newest = firstRow(db.rows("SELECT max(seq) FROM commit_statuses"));
  const seq = newest === undefined ? 0 : integerAt(newest, 0); // A row was just added.
  db.run("DELETE FROM commit_statuses WHERE seq <= ?", seq - MOST_STATUSES);
  return seq;
}
