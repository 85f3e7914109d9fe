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
/** Bytes after which an answer gets no further object. A call carries 32 MiB. */
const PAGE_BYTES = 4 * 1024 * 1024;
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
  expireObjects(db, now);
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

/**
 * Returns those of some objects that are kept, in the order of their names, up to the size of a page. `isCut`: there may be
 * more behind the last one.
 */
export function findObjects(
  db: SqlDatabase,
  oids: readonly string[],
  now: number,
): { readonly objects: readonly KeptObject[]; readonly isCut: boolean } {
  const objects: KeptObject[] = [];
  let bytes = 0;
  for (const chunk of jsonChunks(oids.toSorted())) {
    const rows = db.rows(
      `SELECT oid, type, bytes FROM kept_objects
        WHERE oid IN (SELECT value FROM json_each(?)) AND expires_at > ? ORDER BY oid`,
      chunk,
      now,
    );
    for (const row of rows) {
      const object = { oid: textAt(row, 0), type: typeAt(row, 1), bytes: blobAt(row, 2) };
      objects.push(object);
      bytes += object.bytes.length;
      if (bytes >= PAGE_BYTES) return { objects, isCut: true };
    }
  }
  return { objects, isCut: false };
}

/** Drops objects whose day is over. */
export function expireObjects(db: SqlDatabase, now: number): void {
  db.run("DELETE FROM kept_objects WHERE expires_at <= ?", now);
}

/** Drops all objects, for a purge. */
export function dropObjects(db: SqlDatabase): void {
  db.run("DELETE FROM kept_objects");
}

/** Whether any objects are kept. It reads no object. */
export function areObjectsKept(db: SqlDatabase): boolean {
  return firstRow(db.rows("SELECT 1 FROM kept_objects LIMIT 1")) !== undefined;
}

/** Returns when the first day is over; `undefined` if nothing is kept. It reads all objects, behind which the time stands. */
export function firstExpiry(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(expires_at) FROM kept_objects"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}
