/**
 * Table `tail_packs`: the packs of small pushes that are not published yet, each whole in one row, with the refs that its
 * mark rests on. `push` is the push's number in the ref log, so that no index and no counter is written.
 *
 * @packageDocumentation
 */
import { assert } from "../../../bytes/assert.ts";
import { TAIL, type TailPack, type TailSum } from "../../../catalog/tail.ts";
import {
  blobAt,
  firstRow,
  integerAt,
  jsonChunks,
  SQL_VALUE_LIMIT,
  textAt,
  type SqlDatabase,
  type SqlRow,
} from "../../sql/sql-database.ts";

/** The large columns are the last, so that reading the others does not touch their overflow pages. */
export const TAIL_PACKS_DDL = `CREATE TABLE IF NOT EXISTS tail_packs (
  push INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  objects INTEGER NOT NULL,
  own_objects INTEGER NOT NULL,
  pack_bytes INTEGER NOT NULL,
  own_bytes INTEGER NOT NULL,
  index_bytes INTEGER NOT NULL,
  marked INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  refs TEXT NOT NULL,
  kinds BLOB NOT NULL,
  index_head BLOB NOT NULL,
  bytes BLOB NOT NULL
)`;

/** The bytes that a row takes beside the pack and its index: types, and the names of refs. */
const ROW_REST_BYTES = 1024 * 1024;

assert(TAIL.packBytes + TAIL.indexBytes + ROW_REST_BYTES <= SQL_VALUE_LIMIT, "a pack of the tail fits a row");

/** The columns with which a row of a pack begins, here and in `packs`. */
export const PACK_FIGURES = "name, checksum, objects, own_objects, pack_bytes, own_bytes, index_bytes, marked";

/** What those columns say of a pack. */
type PackFigures = Pick<
  TailPack,
  "name" | "checksum" | "objects" | "ownObjects" | "packBytes" | "ownBytes" | "indexBytes" | "marked"
>;

/** Reads the columns of {@link PACK_FIGURES}, from the first of a row on. */
export function packFiguresOf(row: SqlRow): PackFigures {
  return {
    name: textAt(row, 0),
    checksum: textAt(row, 1),
    objects: integerAt(row, 2),
    ownObjects: integerAt(row, 3),
    packBytes: integerAt(row, 4),
    ownBytes: integerAt(row, 5),
    indexBytes: integerAt(row, 6),
    marked: integerAt(row, 7) === 1,
  };
}

function packOf(row: SqlRow): TailPack {
  return {
    ...packFiguresOf(row),
    source: "receive",
    createdAt: integerAt(row, 8),
    kinds: blobAt(row, 9),
    indexHead: blobAt(row, 10),
    tail: blobAt(row, 11),
  };
}

/** Returns the packs of the tail, oldest first, without these. */
export function listTail(db: SqlDatabase, except: readonly string[] = []): TailPack[] {
  const rows = db.rows(
    `SELECT ${PACK_FIGURES}, created_at, kinds, index_head,
      bytes FROM tail_packs WHERE name NOT IN (SELECT value FROM json_each(?)) ORDER BY push`,
    JSON.stringify(except),
  );
  return Array.from(rows, packOf);
}

/** Returns what the tail holds. */
export function sumTail(db: SqlDatabase): TailSum {
  const row = firstRow(
    db.rows(`SELECT count(*), coalesce(sum(pack_bytes + index_bytes), 0), coalesce(sum(objects), 0), min(created_at)
      FROM tail_packs`),
  );
  if (row === undefined) return { packs: 0, bytes: 0, objects: 0 };
  const since = row[3] === null ? {} : { since: integerAt(row, 3) };
  return { packs: integerAt(row, 0), bytes: integerAt(row, 1), objects: integerAt(row, 2), ...since };
}

/** Adds the pack of a push, whose mark rests on these refs. */
export function insertTail(db: SqlDatabase, push: number, pack: TailPack, refs: readonly string[]): void {
  assert(
    pack.packBytes === pack.tail.length && pack.indexBytes === pack.indexHead.length,
    "a pack of the tail is whole",
  );
  const { kinds } = pack;
  assert(kinds !== undefined, "the types of a pack of the tail are in its record");
  db.run(
    `INSERT INTO tail_packs (push, name, checksum, objects, own_objects, pack_bytes, own_bytes, index_bytes, marked,
      created_at, refs, kinds, index_head, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    push,
    pack.name,
    pack.checksum,
    pack.objects,
    pack.ownObjects,
    pack.packBytes,
    pack.ownBytes,
    pack.indexBytes,
    Number(pack.marked),
    pack.createdAt,
    JSON.stringify(pack.marked ? refs : []),
    kinds,
    pack.indexHead,
    pack.tail,
  );
}

/** Returns those of these packs that are in the tail. */
export function namesInTail(db: SqlDatabase, names: Iterable<string>): string[] {
  const wanted = new Set(names);
  return Array.from(db.rows("SELECT name FROM tail_packs"), (row) => textAt(row, 0)).filter((name) => wanted.has(name));
}

/** Removes packs from the tail. */
export function deleteTail(db: SqlDatabase, names: readonly string[]): void {
  for (const chunk of jsonChunks(names)) {
    db.run("DELETE FROM tail_packs WHERE name IN (SELECT value FROM json_each(?))", chunk);
  }
}

/** Returns the marked packs of the tail, with the refs that each mark rests on. */
export function tailMarks(db: SqlDatabase): Map<string, readonly string[]> {
  const marks = new Map<string, readonly string[]>();
  for (const row of db.rows("SELECT name, refs FROM tail_packs WHERE marked = 1")) {
    const refs: unknown = JSON.parse(textAt(row, 1));
    marks.set(textAt(row, 0), Array.isArray(refs) ? refs.filter((ref) => typeof ref === "string") : []);
  }
  return marks;
}

/** Sets or clears the mark of a pack of the tail; it rests on these refs. */
export function markTail(db: SqlDatabase, name: string, refs: readonly string[]): void {
  db.run(
    "UPDATE tail_packs SET marked = ?, refs = ? WHERE name = ?",
    Number(refs.length > 0),
    JSON.stringify(refs),
    name,
  );
}
