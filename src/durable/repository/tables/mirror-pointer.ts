/**
 * Table `mirror_pointer`: whether there may be a pointer in the bucket, which only this object writes. The row outlives
 * the mirror and the repository, because the pointer has to be deleted when they are.
 *
 * @packageDocumentation
 */
import { firstRow, integerAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const MIRROR_POINTER_DDL = `CREATE TABLE IF NOT EXISTS mirror_pointer (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  doomed INTEGER NOT NULL
)`;

/** The pointer that may be there. `doomed` is true if it has to be deleted. */
export type PointerRow = { readonly version: number; readonly previous: number; readonly doomed: boolean };

/** Reads the row; `undefined` if there is no pointer. */
export function readPointer(db: SqlDatabase): PointerRow | undefined {
  const row = firstRow(db.rows("SELECT version, previous, doomed FROM mirror_pointer"));
  if (row === undefined) return undefined;
  return { version: integerAt(row, 0), previous: integerAt(row, 1), doomed: integerAt(row, 2) === 1 };
}

/** Notes a pointer, before it is written. */
export function writePointer(db: SqlDatabase, { version, previous, doomed }: PointerRow): void {
  db.run(
    "INSERT OR REPLACE INTO mirror_pointer (one, version, previous, doomed) VALUES (1, ?, ?, ?)",
    version,
    previous,
    doomed ? 1 : 0,
  );
}

/** Deletes the row of a pointer that is no longer there. */
export function deletePointer(db: SqlDatabase): void {
  db.run("DELETE FROM mirror_pointer");
}
