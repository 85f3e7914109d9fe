/**
 * The only statements that change table `refs`. `scripts/check-layers.ts` holds who may import this: what moves a ref is
 * the transaction of `../commit-push.ts` alone.
 *
 * @packageDocumentation
 */
import { byteTextOf } from "../../../object/escaped-bytes.ts";
import { columnChunks, type ColumnRow } from "../../sql/column-chunks.ts";
import { jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

/** A value for a ref. Oids are hexadecimal. */
export type RefValue = { readonly name: string; readonly oid: string; readonly peeled?: string };

/** Sets refs, and makes those that don't exist. */
export function writeRefs(db: SqlDatabase, values: Iterable<RefValue>): void {
  const rows = function* (): Generator<ColumnRow> {
    for (const { name, oid, peeled = "" } of values) yield { text: byteTextOf(name), names: [oid, peeled] };
  };
  for (const { texts, width, columns } of columnChunks(rows())) {
    db.run(
      `INSERT INTO refs (name, oid, peeled)
        SELECT value, substr(?2, key * ?4 + 1, ?4), nullif(substr(?3, key * ?4 + 1, ?4), zeroblob(?4)) FROM json_each(?1) WHERE true
        ON CONFLICT (name) DO UPDATE SET oid = excluded.oid, peeled = excluded.peeled`,
      texts,
      ...columns,
      width,
    );
  }
}

/** Removes refs. */
export function deleteRefs(db: SqlDatabase, names: Iterable<string>): void {
  for (const chunk of jsonChunks(Array.from(names, (name) => byteTextOf(name)))) {
    db.run("DELETE FROM refs WHERE name IN (SELECT value FROM json_each(?))", chunk);
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
  writeRefs(db, refs);
}
