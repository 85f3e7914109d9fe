/**
 * The only statements that change table `refs`. `scripts/check-layers.ts` holds who may import this: what moves a ref is
 * the transaction of `../commit-push.ts` alone.
 *
 * @packageDocumentation
 */
import { atOnce } from "../../../bytes/pacer.ts";
import { byteTextOf } from "../../../object/escaped-bytes.ts";
import { columnChunks, type ColumnRow } from "../../sql/column-chunks.ts";
import { jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

/** A value for a ref. Oids are hexadecimal. */
export type RefValue = { readonly name: string; readonly oid: string; readonly peeled?: string };

/** Steps of a ref that is set or removed: its row, and those of two indexes. */
const WRITE_STEPS = 500;
/** Refs that one turn removes, at least. */
const MOST_DELETED = 4000;

/** Sets refs, and makes those that don't exist. Yields the steps of each statement, as a part of the caller's transaction. */
export function* writeRefs(db: SqlDatabase, values: Iterable<RefValue>): Generator<number, void, undefined> {
  const rows = function* (): Generator<ColumnRow> {
    for (const { name, oid, peeled = "" } of values) yield { text: byteTextOf(name), names: [oid, peeled] };
  };
  for (const { texts, count, width, columns } of columnChunks(rows())) {
    db.run(
      `INSERT INTO refs (name, oid, peeled)
        SELECT value, substr(?2, key * ?4 + 1, ?4), nullif(substr(?3, key * ?4 + 1, ?4), zeroblob(?4)) FROM json_each(?1) WHERE true
        ON CONFLICT (name) DO UPDATE SET oid = excluded.oid, peeled = excluded.peeled`,
      texts,
      ...columns,
      width,
    );
    yield count * WRITE_STEPS;
  }
}

/** Removes refs. Yields the steps of each statement, as a part of the caller's transaction. */
export function* deleteRefs(db: SqlDatabase, names: readonly string[]): Generator<number, void, undefined> {
  for (let from = 0; from < names.length; from += MOST_DELETED) {
    const some = names.slice(from, from + MOST_DELETED).map((name) => byteTextOf(name));
    for (const chunk of jsonChunks(some)) {
      db.run("DELETE FROM refs WHERE name IN (SELECT value FROM json_each(?))", chunk);
    }
    yield some.length * WRITE_STEPS;
  }
}

/** Characters outside ASCII, for GLOB. */
const NOT_ASCII = "*[^\u0001-\u007f]*";

/** Changes names that were stored as UTF-8 text to one character per byte. It is run once, on the names of older builds. */
export function storeNamesAsBytes(db: SqlDatabase): void {
  const sql = "SELECT name, lower(hex(oid)), lower(hex(peeled)) FROM refs WHERE name GLOB ?";
  const refs = Array.from(db.rows(sql, NOT_ASCII), (row): RefValue => {
    const value = { name: textAt(row, 0), oid: textAt(row, 1) };
    return row[2] === null || row[2] === "" ? value : { ...value, peeled: textAt(row, 2) };
  });
  // One name as bytes may be another one as text, so all go before any comes.
  for (const chunk of jsonChunks(refs.map(({ name }) => name))) {
    db.run("DELETE FROM refs WHERE name IN (SELECT value FROM json_each(?))", chunk);
  }
  atOnce(writeRefs(db, refs));
}
