/**
 * Tables `pushes` and `ref_log`: who moved which ref, when and from where. One row a push and one a moved ref, so that a push of
 * 100,000 refs does not repeat its options as often.
 *
 * @packageDocumentation
 */
import { firstRow, integerAt, jsonChunks, SQL_VALUE_LIMIT, type SqlDatabase } from "../sql-database.ts";

export const REF_LOG_DDL = `CREATE TABLE IF NOT EXISTS pushes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  options TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ref_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  push INTEGER NOT NULL,
  name TEXT NOT NULL,
  old BLOB NOT NULL,
  new BLOB NOT NULL
)`;

/** One moved ref. Hex; all zeros for none. */
export type RefMove = { readonly name: string; readonly oldOid: string; readonly newOid: string };

/** Who moved refs, when, and what the push said beside. */
export type PushEntry = { readonly actor: string; readonly at: number; readonly options: readonly string[] };

/** Adds a push and what it moved; gives the push's id. Options too long for a row are left out of the log, and the log says so. */
export function appendRefLog(db: SqlDatabase, entry: PushEntry, moves: Iterable<RefMove>): number {
  const options = JSON.stringify(entry.options);
  const kept = options.length * 3 <= SQL_VALUE_LIMIT ? options : JSON.stringify(["(too long)"]);
  db.run("INSERT INTO pushes (actor, at, options) VALUES (?, ?, ?)", entry.actor, entry.at, kept);
  const last = firstRow(db.rows("SELECT max(seq) FROM pushes"));
  const push = last === undefined ? 0 : integerAt(last, 0);
  const rows = function* (): Generator {
    for (const { name, oldOid, newOid } of moves) yield [name, oldOid, newOid];
  };
  for (const chunk of jsonChunks(rows())) {
    db.run(
      "INSERT INTO ref_log (push, name, old, new) SELECT ?, value ->> 0, unhex(value ->> 1), unhex(value ->> 2) FROM json_each(?)",
      push,
      chunk,
    );
  }
  return push;
}
