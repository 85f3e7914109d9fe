/**
 * Table `clone_twin`: the set of packs that was cloned last, how often it was on one day, and its twin once there is one.
 *
 * @packageDocumentation
 */
import type { CloneTwin } from "../../../catalog/clone-twin.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const CLONE_TWIN_DDL = `CREATE TABLE IF NOT EXISTS clone_twin (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  packs TEXT NOT NULL,
  day INTEGER NOT NULL,
  clones INTEGER NOT NULL,
  name TEXT,
  bytes INTEGER
)`;

/** The row. */
export type TwinRow = {
  /** The set of packs; see `packSet`. */
  readonly packs: string;
  /** The day of the count, in days since the epoch. */
  readonly day: number;
  /** The clones of that day. They are counted until a twin is wanted. */
  readonly clones: number;
  readonly twin?: CloneTwin;
};

/** Returns the row; `undefined` if no set was cloned yet. */
export function readTwin(db: SqlDatabase): TwinRow | undefined {
  const row = firstRow(db.rows("SELECT packs, day, clones, name, bytes FROM clone_twin"));
  if (row === undefined) return undefined;
  const twin = row[3] === null ? {} : { twin: { name: textAt(row, 3), bytes: integerAt(row, 4) } };
  return { packs: textAt(row, 0), day: integerAt(row, 1), clones: integerAt(row, 2), ...twin };
}

/** Writes the row. */
export function writeTwin(db: SqlDatabase, { packs, day, clones, twin }: TwinRow): void {
  db.run(
    "INSERT OR REPLACE INTO clone_twin (one, packs, day, clones, name, bytes) VALUES (1, ?, ?, ?, ?, ?)",
    packs,
    day,
    clones,
    twin?.name ?? null,
    twin?.bytes ?? null,
  );
}

/** Forgets the set and its twin. */
export function deleteTwin(db: SqlDatabase): void {
  db.run("DELETE FROM clone_twin");
}
