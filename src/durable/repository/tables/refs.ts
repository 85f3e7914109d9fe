/**
 * Table `refs`: every ref and its value. A name is stored with one character per byte, so that it compares as bytes,
 * which is git's order. The functions of this module take and return names as escaped text. The indexes answer whether
 * an object is a tip without reading the refs.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../../bytes/assert.ts";
import { firstIndex } from "../../../bytes/first-index.ts";
import { atOnce } from "../../../bytes/pacer.ts";
import { byteTextOf, escapedOf } from "../../../object/escaped-bytes.ts";
import { disjointPrefixes } from "../../../refs/ref-prefixes.ts";
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

/** Steps of a character of names that are looked up. */
const CHARACTER_STEPS = 6;
/** The largest byte. */
const LAST_BYTE = 0xff;

function nameAt(row: SqlRow, column: number): string {
  return escapedOf(textAt(row, column));
}

function* byteTexts(names: Iterable<string>): Generator<string> {
  for (const name of names) yield byteTextOf(name);
}

function refRow(row: SqlRow): RefRow {
  const base = { name: nameAt(row, 0), oid: blobAt(row, 1) };
  return row[2] === null ? base : { ...base, peeled: blobAt(row, 2) };
}

/**
 * Returns the first text after all texts that start with `prefix`; `undefined` if there is none. Texts have one
 * character per byte.
 */
export function prefixEnd(prefix: string): string | undefined {
  for (let end = prefix.length - 1; end >= 0; end--) {
    const last = prefix.charCodeAt(end);
    if (last < LAST_BYTE) return prefix.slice(0, end) + String.fromCharCode(last + 1);
  }
  return undefined;
}

/**
 * Work for which there is no ref to show: refs that are passed over, or prefixes that were looked for. The list up to `name` is
 * done with it.
 */
export type PassedOver = { readonly name: string; readonly passedSteps: number };

/** Lists refs, in byte order, that come after a name; all of them after "". What is passed over comes in its place. */
export type RefLister = (afterName: string) => Iterable<RefRow | PassedOver>;

/** The steps of looking for the refs of one prefix: it is a statement of its own. */
const RANGE_STEPS = 1000;

/** Returns what lists the refs that start with one of the prefixes. An empty list, or an empty prefix, matches all. */
export function refLister(db: SqlDatabase, prefixes: readonly string[]): RefLister {
  if (prefixes.length === 0 || prefixes.includes("")) return (afterName) => listAll(db, byteTextOf(afterName));
  // A client may send very many prefixes, so they are put in order once.
  const ranges = disjointPrefixes(prefixes).map((prefix) => ({ from: prefix, end: prefixEnd(prefix) ?? AFTER_ALL }));
  return (afterName) => listRanges(db, ranges, byteTextOf(afterName));
}

function* listAll(db: SqlDatabase, after: string): Generator<RefRow> {
  const rows = db.rows("SELECT name, oid, peeled FROM refs WHERE name > ? ORDER BY name", after);
  for (const row of rows) yield refRow(row);
}

/** Comes after every name: these have one character per byte. */
const AFTER_ALL = "\u0100";

/** The names from `from` on and before `end`. */
type NameRange = { readonly from: string; readonly end: string };

/**
 * The ranges are in order, and have no name in common. Each has a statement of its own, which reads the refs in the order of the table: one
 * for all of them would have SQLite sort all of their refs anew for each part of a list.
 */
function* listRanges(db: SqlDatabase, ranges: readonly NameRange[], after: string): Generator<RefRow | PassedOver> {
  const first = firstIndex(ranges.length, (at) => itemAt(ranges, at).end > after);
  for (let at = first; at < ranges.length; at++) {
    const { from, end } = itemAt(ranges, at);
    // The first string after a name is the name followed by a NUL.
    const start = from > after ? from : `${after}\0`;
    const rows = db.rows("SELECT name, oid, peeled FROM refs WHERE name >= ? AND name < ? ORDER BY name", start, end);
    let last = from > after ? from : after;
    for (const row of rows) {
      last = textAt(row, 0);
      yield refRow(row);
    }
    // A list that goes on from here looks for this range again, and finds nothing more.
    yield { name: escapedOf(last), passedSteps: RANGE_STEPS };
  }
}

/** Returns the current values, in hex, of those names that are refs. */
export function readRefs(db: SqlDatabase, names: Iterable<string>): Map<string, string> {
  return atOnce(readRefsInParts(db, names));
}

/** Reads the same. Yields the steps of each statement: refs may change in between. */
export function* readRefsInParts(
  db: SqlDatabase,
  names: Iterable<string>,
): Generator<number, Map<string, string>, undefined> {
  const found = new Map<string, string>();
  for (const chunk of jsonChunks(byteTexts(names))) {
    const rows = db.rows("SELECT r.name, lower(hex(r.oid)) FROM json_each(?) j JOIN refs r ON r.name = j.value", chunk);
    for (const row of rows) found.set(nameAt(row, 0), textAt(row, 1));
    yield chunk.length * CHARACTER_STEPS;
  }
  return found;
}

/** Yields the refs among the names, in no order. */
export function* listNamedRefs(db: SqlDatabase, names: Iterable<string>): Generator<RefRow> {
  for (const chunk of jsonChunks(byteTexts(names))) {
    const rows = db.rows("SELECT r.name, r.oid, r.peeled FROM json_each(?) j JOIN refs r ON r.name = j.value", chunk);
    for (const row of rows) yield refRow(row);
  }
}

/** Returns those names that are a directory of an existing ref's name. Yields the steps of each statement. */
export function* namesWithRefsBelow(
  db: SqlDatabase,
  names: Iterable<string>,
): Generator<number, Set<string>, undefined> {
  const found = new Set<string>();
  for (const chunk of jsonChunks(byteTexts(names))) {
    const rows = db.rows(
      // "0" is the character after "/".
      `SELECT j.value FROM json_each(?) j
        WHERE EXISTS (SELECT 1 FROM refs WHERE name > (j.value || '/') AND name < (j.value || '0'))`,
      chunk,
    );
    for (const row of rows) found.add(nameAt(row, 0));
    yield chunk.length * CHARACTER_STEPS;
  }
  return found;
}

/** Yields the names of the refs below a directory, in byte order. */
export function* refNamesBelow(db: SqlDatabase, directory: string): Generator<string> {
  const stored = byteTextOf(directory);
  const rows = db.rows("SELECT name FROM refs WHERE name > ? AND name < ? ORDER BY name", `${stored}/`, `${stored}0`);
  for (const row of rows) yield nameAt(row, 0);
}

/** Returns the value of one ref in hex; `undefined` if there is no such ref. */
export function readRef(db: SqlDatabase, name: string): string | undefined {
  const row = firstRow(db.rows("SELECT lower(hex(oid)) FROM refs WHERE name = ?", byteTextOf(name)));
  return row === undefined ? undefined : textAt(row, 0);
}

/** Returns the full names of branches that are at a commit, at most `limit`. */
export function branchesAt(db: SqlDatabase, oid: string, limit: number): string[] {
  const rows = db.rows(
    "SELECT name FROM refs WHERE oid = unhex(?) AND name >= 'refs/heads/' AND name < 'refs/heads0' ORDER BY name LIMIT ?",
    oid,
    limit,
  );
  return Array.from(rows, (row) => nameAt(row, 0));
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
