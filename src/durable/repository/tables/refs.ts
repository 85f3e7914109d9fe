/**
 * Table `refs`: every ref and its value. `name` compares as bytes, which is git's order. The indexes answer whether an
 * object is a tip without reading the refs.
 *
 * @packageDocumentation
 */
import { present } from "../../../bytes/assert.ts";
import { compareRefNames } from "../../../refs/ref-order.ts";
import type { RefRow } from "../../../refs/ref-rows.ts";
import {
  blobAt,
  firstRow,
  integerAt,
  jsonChunks,
  textAt,
  type SqlDatabase,
  type SqlRow,
} from "../../sql/sql-database.ts";

export const REFS_DDL = `CREATE TABLE IF NOT EXISTS refs (
  name TEXT PRIMARY KEY,
  oid BLOB NOT NULL,
  peeled BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_oid ON refs (oid);
CREATE INDEX IF NOT EXISTS refs_peeled ON refs (peeled) WHERE peeled IS NOT NULL`;

/** The new value of a ref, in hex. */
export type RefValue = { readonly name: string; readonly oid: string; readonly peeled?: string };

function refRow(row: SqlRow): RefRow {
  const base = { name: textAt(row, 0), oid: blobAt(row, 1) };
  return row[2] === null ? base : { ...base, peeled: blobAt(row, 2) };
}

/**
 * Returns the first string after all strings that start with `prefix`, in byte order; `undefined` if there is none.
 * UTF-8 sorts in the order of code points, so the last code point that has a successor is raised.
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => present(character.codePointAt(0), "a character's code point"));
  for (;;) {
    const last = points.pop();
    if (last === undefined) return undefined;
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
}

/** Sorts prefixes by bytes, and drops those that another one covers, so that no ref matches twice. */
function disjointPrefixes(prefixes: readonly string[]): string[] {
  const kept: string[] = [];
  for (const prefix of prefixes.toSorted(compareRefNames)) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}

/**
 * Yields, in byte order, the refs that start with one of the prefixes and come after `after`. An empty list, or an
 * empty prefix, matches all.
 */
export function* listRefs(db: SqlDatabase, prefixes: readonly string[], after = ""): Generator<RefRow> {
  if (prefixes.length === 0 || prefixes.includes("")) {
    const rows = db.rows("SELECT name, oid, peeled FROM refs WHERE name > ? ORDER BY name", after);
    for (const row of rows) yield refRow(row);
    return;
  }
  const ranges = disjointPrefixes(prefixes)
    .map((prefix) => ({ from: prefix, end: prefixEnd(prefix) }))
    .filter(({ end }) => end === undefined || compareRefNames(end, after) > 0)
    // The first string after a name is the name followed by a NUL.
    .map(({ from, end }) => [compareRefNames(from, after) > 0 ? from : `${after}\0`, end ?? null]);
  for (const chunk of jsonChunks(ranges)) {
    // CROSS JOIN keeps the ranges outermost: they are sorted and disjoint, so the rows come out sorted too.
    const rows = db.rows(
      `SELECT r.name, r.oid, r.peeled FROM json_each(?) j CROSS JOIN refs r
        ON r.name >= (j.value ->> 0) AND (j.value ->> 1 IS NULL OR r.name < (j.value ->> 1)) ORDER BY j.key, r.name`,
      chunk,
    );
    for (const row of rows) yield refRow(row);
  }
}

/** Returns the current values, in hex, of those names that are refs. */
export function readRefs(db: SqlDatabase, names: Iterable<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const chunk of jsonChunks(names)) {
    const rows = db.rows("SELECT r.name, lower(hex(r.oid)) FROM json_each(?) j JOIN refs r ON r.name = j.value", chunk);
    for (const row of rows) found.set(textAt(row, 0), textAt(row, 1));
  }
  return found;
}

/** Yields the refs among the names, in no order. */
export function* listNamedRefs(db: SqlDatabase, names: Iterable<string>): Generator<RefRow> {
  for (const chunk of jsonChunks(names)) {
    const rows = db.rows("SELECT r.name, r.oid, r.peeled FROM json_each(?) j JOIN refs r ON r.name = j.value", chunk);
    for (const row of rows) yield refRow(row);
  }
}

/** Returns those names that are a directory of an existing ref's name. */
export function namesWithRefsBelow(db: SqlDatabase, names: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const chunk of jsonChunks(names)) {
    const rows = db.rows(
      // "0" is the character after "/".
      `SELECT j.value FROM json_each(?) j
        WHERE EXISTS (SELECT 1 FROM refs WHERE name > (j.value || '/') AND name < (j.value || '0'))`,
      chunk,
    );
    for (const row of rows) found.add(textAt(row, 0));
  }
  return found;
}

/** Yields the names of the refs below a directory, in byte order. */
export function* refNamesBelow(db: SqlDatabase, directory: string): Generator<string> {
  const rows = db.rows(
    "SELECT name FROM refs WHERE name > ? AND name < ? ORDER BY name",
    `${directory}/`,
    `${directory}0`,
  );
  for (const row of rows) yield textAt(row, 0);
}

/** Returns the value of one ref in hex; `undefined` if there is no such ref. */
export function readRef(db: SqlDatabase, name: string): string | undefined {
  const row = firstRow(db.rows("SELECT lower(hex(oid)) FROM refs WHERE name = ?", name));
  return row === undefined ? undefined : textAt(row, 0);
}

/** Sets refs, and makes those that don't exist. */
export function writeRefs(db: SqlDatabase, values: Iterable<RefValue>): void {
  const rows = function* (): Generator {
    for (const { name, oid, peeled } of values) yield [name, oid, peeled ?? null];
  };
  for (const chunk of jsonChunks(rows())) {
    db.run(
      `INSERT INTO refs (name, oid, peeled) SELECT value ->> 0, unhex(value ->> 1), unhex(value ->> 2) FROM json_each(?) WHERE true
        ON CONFLICT (name) DO UPDATE SET oid = excluded.oid, peeled = excluded.peeled`,
      chunk,
    );
  }
}

/** Removes refs. */
export function deleteRefs(db: SqlDatabase, names: Iterable<string>): void {
  for (const chunk of jsonChunks(names)) {
    db.run("DELETE FROM refs WHERE name IN (SELECT value FROM json_each(?))", chunk);
  }
}

/** Returns the number of distinct values of refs. */
export function countTips(db: SqlDatabase): number {
  const row = firstRow(db.rows("SELECT count(DISTINCT oid) FROM refs"));
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Returns those oids, in hex, that are the value of a ref. */
export function findTips(db: SqlDatabase, oids: Iterable<string>): Set<string> {
  return matching(db, oids, "EXISTS (SELECT 1 FROM refs WHERE oid = unhex(j.value))");
}

/** Returns those oids, in hex, that a ref peels to. */
export function findPeeledTips(db: SqlDatabase, oids: Iterable<string>): Set<string> {
  return matching(db, oids, "EXISTS (SELECT 1 FROM refs WHERE peeled IS NOT NULL AND peeled = unhex(j.value))");
}

function matching(db: SqlDatabase, oids: Iterable<string>, condition: string): Set<string> {
  const found = new Set<string>();
  for (const chunk of jsonChunks(oids)) {
    for (const row of db.rows(`SELECT j.value FROM json_each(?) j WHERE ${condition}`, chunk))
      found.add(textAt(row, 0));
  }
  return found;
}
