/**
 * Table `kept_objects`: small objects that no ref reaches yet, with their bytes, for a day.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import { type ObjectType } from "../../../object/object-type.ts";
import { type KeptObject, MOST_KEPT_OBJECTS, MOST_OBJECTS_BYTES } from "../../../refs/kept-blobs.ts";
import {
  blobAt,
  firstRow,
  integerAt,
  jsonChunks,
  type SqlDatabase,
  type SqlRow,
  textAt,
} from "../../sql/sql-database.ts";

/** How long an object is kept, in milliseconds: a day. */
const KEPT_TIME = 24 * 60 * 60 * 1000;
const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"];

export const KEPT_OBJECTS_DDL = `CREATE TABLE IF NOT EXISTS kept_objects (
  oid TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID`;

function typeAt(row: SqlRow, column: number): ObjectType {
  const name = textAt(row, column);
  const type = TYPES.find((known) => known === name);
  if (type === undefined) throw new CorruptStore(`type ${name} of a kept object`);
  return type;
}

/** Keeps objects for a day, and drops those whose day is over. Returns whether there was room for all. */
export function keepObjects(db: SqlDatabase, objects: readonly KeptObject[], now: number): boolean {
  db.run("DELETE FROM kept_objects WHERE expires_at <= ?", now);
  const sums = firstRow(db.rows("SELECT count(*), coalesce(sum(size), 0) FROM kept_objects"));
  const count = (sums === undefined ? 0 : integerAt(sums, 0)) + objects.length;
  const bytes =
    (sums === undefined ? 0 : integerAt(sums, 1)) + objects.reduce((sum, each) => sum + each.bytes.length, 0);
  if (count > MOST_KEPT_OBJECTS || bytes > MOST_OBJECTS_BYTES) return false;
  for (const object of objects) {
    db.run(
      "INSERT OR REPLACE INTO kept_objects (oid, type, size, bytes, expires_at) VALUES (?, ?, ?, ?, ?)",
      object.oid,
      object.type,
      object.bytes.length,
      object.bytes,
      now + KEPT_TIME,
    );
  }
  return true;
}

/** Returns those of some objects that are kept. */
export function findObjects(db: SqlDatabase, oids: readonly string[], now: number): KeptObject[] {
  const found: KeptObject[] = [];
  for (const chunk of jsonChunks(oids)) {
    const rows = db.rows(
      `SELECT oid, type, bytes FROM kept_objects WHERE oid IN (SELECT value FROM json_each(?)) AND expires_at > ?`,
      chunk,
      now,
    );
    for (const row of rows) found.push({ oid: textAt(row, 0), type: typeAt(row, 1), bytes: blobAt(row, 2) });
  }
  return found;
}
