/**
 * Table `moved`: repositories that were renamed away from this object, or are on their way to it or from it. A row
 * outlives the repository: it keeps another one from being made with the same id, since both would have the same bytes.
 *
 * @packageDocumentation
 */
import type { Forward } from "../../../refs/forward.ts";
import { firstRow, integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const MOVED_DDL = `CREATE TABLE IF NOT EXISTS moved (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  target TEXT NOT NULL,
  is_public INTEGER NOT NULL
) WITHOUT ROWID`;

/**
 * The state of a repository that moves. `leaving`: it is still here, and may be in its new place, too; `forwarding`: it
 * has gone, and the name leads to its new place; `covered`: the name was taken again since, and leads there once more if
 * that repository turns out never to have been used; `gone`: it leads there no more. One of which a part is here is
 * in none of these states: its row has `arriving`, followed by the state that it had before and may come to have again.
 */
export type MoveState = "leaving" | "forwarding" | "covered" | "gone";

/** What the row of a repository begins with that arrives where it was before. */
const BACK = "arriving, ";

/** Notes the state of a repository that moves. `target` is the name that it gets: `{tenant}/{repo}`. */
export function writeMove(db: SqlDatabase, id: string, state: MoveState, { to, isPublic }: Forward): void {
  const sql = "INSERT OR REPLACE INTO moved (id, state, target, is_public) VALUES (?, ?, ?, ?)";
  db.run(sql, id, state, to, Number(isPublic));
}

/** Notes that a part of a repository is here. If it was here before, where it went from here stays noted. */
export function writeArrival(db: SqlDatabase, id: string): void {
  db.run(
    `INSERT INTO moved (id, state, target, is_public) VALUES (?, 'arriving', '', 0)
      ON CONFLICT (id) DO UPDATE SET state = ? || state`,
    id,
    BACK,
  );
}

/** Returns the id of the repository of which a part is here; `undefined` if there is none. */
export function readArrival(db: SqlDatabase): string | undefined {
  const row = firstRow(db.rows("SELECT id FROM moved WHERE state LIKE 'arriving%'"));
  return row === undefined ? undefined : textAt(row, 0);
}

/** Forgets that a repository was to arrive: the table is as it was before. */
export function dropArrival(db: SqlDatabase): void {
  db.run("DELETE FROM moved WHERE state = 'arriving'");
  db.run("UPDATE moved SET state = substr(state, length(?) + 1) WHERE state LIKE 'arriving%'", BACK);
}

/** Returns the repository in this state, or with it as the state before its arrival; `undefined` if there is none. */
export function readMove(db: SqlDatabase, state: MoveState): (Forward & { readonly id: string }) | undefined {
  const row = firstRow(db.rows("SELECT id, target, is_public FROM moved WHERE state IN (?, ?)", state, BACK + state));
  if (row === undefined) return undefined;
  return { id: textAt(row, 0), to: textAt(row, 1), isPublic: integerAt(row, 2) === 1 };
}

/** Changes the state of all repositories that are in a state. */
export function changeMoves(db: SqlDatabase, from: MoveState, to: MoveState): void {
  db.run("UPDATE moved SET state = ? WHERE state = ?", to, from);
}

/** Whether the repository with this id has moved away. */
export function hasMoved(db: SqlDatabase, id: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM moved WHERE id = ? AND state <> 'arriving'", id)) !== undefined;
}

/** Returns the name that the repository with this id went to; `undefined` if it did not move away. */
export function whereMoved(db: SqlDatabase, id: string): string | undefined {
  const row = firstRow(db.rows("SELECT target FROM moved WHERE id = ? AND state <> 'arriving'", id));
  return row === undefined ? undefined : textAt(row, 0);
}

/** Forgets that a repository moved. */
export function deleteMove(db: SqlDatabase, id: string): void {
  db.run("DELETE FROM moved WHERE id = ?", id);
}

/** Returns the ids of all repositories that moved away. */
export function departedIds(db: SqlDatabase): string[] {
  return Array.from(db.rows("SELECT id FROM moved WHERE state <> 'arriving'"), (row) => textAt(row, 0));
}
