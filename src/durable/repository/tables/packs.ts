/**
 * Table `packs`, the catalog, and table `pack_refs`: the refs that keep a marked pack's objects reachable. The packs of the
 * tail belong to the catalog, too, and have a table of their own (`tail-packs.ts`): what follows is about both, unless it
 * says otherwise.
 *
 * @packageDocumentation
 */
import { assert } from "../../../bytes/assert.ts";
import type { BitmapPack } from "../../../catalog/bitmap-plan.ts";
import type { RollUpPack } from "../../../catalog/roll-up.ts";
import type { PackRecord, PackSource } from "../../../catalog/pack-record.ts";
import type { TailPack } from "../../../catalog/tail.ts";
import { loanStateOf } from "./forks.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import {
  blobAt,
  firstRow,
  integerAt,
  jsonChunks,
  textAt,
  type SqlDatabase,
  type SqlRow,
  SQL_VALUE_LIMIT,
} from "../../sql/sql-database.ts";
import { bitmapAt, deleteBitmaps, insertBitmap } from "./pack-bitmaps.ts";
import {
  deleteTail,
  insertTail,
  listTail,
  markTail,
  namesInTail,
  PACK_FIGURES,
  packFiguresOf,
  sumTail,
  tailMarks,
} from "./tail-packs.ts";

/** `index_head` is the last column, so that reading the others does not touch its overflow pages. */
export const PACKS_DDL = `CREATE TABLE IF NOT EXISTS packs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  checksum TEXT NOT NULL,
  objects INTEGER NOT NULL,
  own_objects INTEGER NOT NULL,
  pack_bytes INTEGER NOT NULL,
  own_bytes INTEGER NOT NULL,
  index_bytes INTEGER NOT NULL,
  marked INTEGER NOT NULL,
  source TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  kinds BLOB,
  index_head BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS pack_refs (
  ref TEXT NOT NULL,
  pack TEXT NOT NULL,
  PRIMARY KEY (ref, pack)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pack_refs_pack ON pack_refs (pack)`;

/** The most bytes of an index that are kept in its row. */
export const INDEX_HEAD_LIMIT = 65_536;
/** Bytes of an index's header and fan-out table, which every reader needs. @see gitformat-pack(5) */
const INDEX_FANOUT_BYTES = 8 + 256 * 4;
/**
 * If the index heads of a catalog exceed this together, they are cut to header and fan-out, so that an answer fits an
 * RPC.
 */
const INDEX_HEADS_BUDGET = 8 * 1024 * 1024;

assert(INDEX_FANOUT_BYTES <= INDEX_HEAD_LIMIT, "what every reader needs of an index is kept");
assert(2 * INDEX_HEAD_LIMIT <= SQL_VALUE_LIMIT, "a row takes the head of an index beside the types of its objects");
/** A pack pushed with more refs than this depends on all refs at once. */
const MAX_DEPENDENCIES = 1000;
/** The most rows that are written when several packs come to rest on refs. Beyond it, too, they depend on all refs. */
const MAX_PAIRS = 10_000;
/** Steps of a character of the refs on which marks may rest. */
const CHARACTER_STEPS = 3;
/** Stands for "any ref". A ref name can't contain an asterisk. */
const ANY_REF = "*";

function sourceAt(row: SqlRow, column: number): PackSource {
  const source = textAt(row, column);
  if (source === "receive" || source === "mirror" || source === "repack" || source === "copy" || source === "cruft")
    return source;
  throw new CorruptStore(`pack source ${source}`);
}

/** Returns the loan of a pack, from the columns of `borrowed_packs`. */
function loanAt(row: SqlRow, column: number): Pick<PackRecord, "loan"> {
  if (row[column] === null) return {};
  return { loan: { home: textAt(row, column), state: loanStateOf(textAt(row, column + 1)) } };
}

/** The catalog for a caller that has some of its records: see `OpenPage`. */
export type ListedPacks = { readonly packs: PackRecord[]; readonly known: Uint8Array; readonly areMarked: boolean };

/** The flags of a pack that the caller knows. A record that can change otherwise than in its mark is told whole. */
export const KNOWN_PACK = { unmarked: 1, marked: 2 } as const;

/** The catalog for a caller that did not ask for it. */
const NO_PACKS: ListedPacks = { packs: [], known: new Uint8Array(0), areMarked: true };

/** Returns the catalog if it was asked for. */
export function listAskedPacks(db: SqlDatabase, isAsked: boolean, knows: readonly string[]): ListedPacks {
  return isAsked ? listPacksBeyond(db, knows) : NO_PACKS;
}

/** Returns the part of an answer that tells the catalog. */
export function knownPacks({ packs, known }: ListedPacks): Pick<ListedPacks, "packs" | "known"> {
  return { packs, known };
}

/** Returns the marks of the packs whose records change in nothing else, by name. */
function plainMarks(db: SqlDatabase): Map<string, boolean> {
  const rows = db.rows(`SELECT name, marked FROM packs WHERE source <> 'cruft'
      AND name NOT IN (SELECT pack FROM borrowed_packs) AND name NOT IN (SELECT pack FROM pack_bitmaps)
    UNION ALL SELECT name, marked FROM tail_packs`);
  return new Map(Array.from(rows, (row) => [textAt(row, 0), integerAt(row, 1) === 1]));
}

/** Returns the catalog for a caller that has the records of these packs. */
export function listPacksBeyond(db: SqlDatabase, knows: readonly string[]): ListedPacks {
  const marks = knows.length === 0 ? new Map<string, boolean>() : plainMarks(db);
  const flagOf = (name: string): number => {
    const marked = marks.get(name);
    if (marked === undefined) return 0;
    return marked ? KNOWN_PACK.marked : KNOWN_PACK.unmarked;
  };
  const known = Uint8Array.from(knows, flagOf);
  const told = knows.filter((_, i) => known[i] !== 0);
  const packs = [...listPublished(db, told), ...listTail(db, told)];
  return { packs, known, areMarked: !known.includes(KNOWN_PACK.unmarked) && packs.every(({ marked }) => marked) };
}

/** Returns the packs of the catalog that lie in the bucket, oldest first, without cruft packs and these. */
export function listPublished(db: SqlDatabase, except: readonly string[] = []): PackRecord[] {
  const without = JSON.stringify(except);
  const heads = firstRow(
    db.rows(
      `SELECT coalesce(sum(min(index_bytes, ?)), 0) FROM packs WHERE source <> 'cruft'
        AND name NOT IN (SELECT value FROM json_each(?))`,
      INDEX_HEAD_LIMIT,
      without,
    ),
  );
  const cut = heads !== undefined && integerAt(heads, 0) > INDEX_HEADS_BUDGET ? INDEX_FANOUT_BYTES : INDEX_HEAD_LIMIT;
  const rows = db.rows(
    `SELECT ${PACK_FIGURES}, source, created_at,
      kinds, substr(index_head, 1, ?), home, state, b.bytes, b.commits, b.tips FROM packs
      LEFT JOIN borrowed_packs l ON l.pack = name LEFT JOIN pack_bitmaps b ON b.pack = name
      WHERE source <> 'cruft' AND name NOT IN (SELECT value FROM json_each(?)) ORDER BY seq`,
    cut,
    without,
  );
  return Array.from(rows, (row) => ({
    ...packFiguresOf(row),
    source: sourceAt(row, 8),
    createdAt: integerAt(row, 9),
    ...(row[10] === null ? {} : { kinds: blobAt(row, 10) }),
    indexHead: blobAt(row, 11),
    ...loanAt(row, 12),
    ...bitmapAt(row, 14),
  }));
}

/** Returns what planning maintenance takes of each pack in the bucket, cruft packs too, oldest first, without the large columns. */
export function listPackSizes(db: SqlDatabase): (RollUpPack & BitmapPack)[] {
  const rows = db.rows(
    `SELECT name, objects, pack_bytes, marked, source, home, state, b.bytes, b.commits, b.tips FROM packs
      LEFT JOIN borrowed_packs l ON l.pack = name LEFT JOIN pack_bitmaps b ON b.pack = name ORDER BY seq`,
  );
  return Array.from(rows, (row) => ({
    name: textAt(row, 0),
    objects: integerAt(row, 1),
    packBytes: integerAt(row, 2),
    marked: integerAt(row, 3) === 1,
    source: sourceAt(row, 4),
    ...loanAt(row, 5),
    ...bitmapAt(row, 7),
  }));
}

/** Has a pack that was pushed count as one that maintenance has written: it is not put into another order. */
export function leaveUnordered(db: SqlDatabase, name: string): void {
  db.run("UPDATE packs SET source = 'repack' WHERE name = ? AND source IN ('receive', 'mirror')", name);
}

/** Adds a pack. */
export function insertPack(db: SqlDatabase, pack: PackRecord): void {
  // Longer lists of types are files in the bucket.
  if ((pack.kinds?.length ?? 0) > INDEX_HEAD_LIMIT) throw new RangeError(`types of ${pack.kinds?.length} bytes`);
  if (pack.indexHead.length > INDEX_HEAD_LIMIT) throw new RangeError(`index head of ${pack.indexHead.length} bytes`);
  db.run(
    `INSERT INTO packs (name, checksum, objects, own_objects, pack_bytes, own_bytes, index_bytes, marked, source, created_at,
      kinds, index_head) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    pack.name,
    pack.checksum,
    pack.objects,
    pack.ownObjects,
    pack.packBytes,
    pack.ownBytes,
    pack.indexBytes,
    pack.marked ? 1 : 0,
    pack.source,
    pack.createdAt,
    pack.kinds ?? null,
    pack.indexHead,
  );
  if (pack.bitmap !== undefined) insertBitmap(db, pack.name, pack.bitmap);
}

/** Packs on loan count for their owner, as long as that needs them. */
const COUNTED = "LEFT JOIN borrowed_packs ON pack = name WHERE state IS NULL OR state = 'own'";

/** Returns the bytes of all packs and indexes, without those of packs on loan. */
export function sumPackBytes(db: SqlDatabase): number {
  const row = firstRow(db.rows(`SELECT coalesce(sum(pack_bytes + index_bytes), 0) FROM packs ${COUNTED}`));
  return (row === undefined ? 0 : integerAt(row, 0)) + sumTail(db).bytes;
}

/** Returns the number of objects in all packs, without those of packs on loan. */
export function sumPackObjects(db: SqlDatabase): number {
  const row = firstRow(db.rows(`SELECT coalesce(sum(objects), 0) FROM packs ${COUNTED}`));
  return (row === undefined ? 0 : integerAt(row, 0)) + sumTail(db).objects;
}

/** Returns the refs on which the mark of a pack is noted to rest: very many stand for all. */
function dependenciesOn(refs: readonly string[]): readonly string[] {
  return refs.length > MAX_DEPENDENCIES ? [ANY_REF] : refs;
}

/** Adds a pack of the tail. It has the number of its push; its mark rests on these refs. */
export function insertTailPack(db: SqlDatabase, push: number, pack: TailPack, refs: readonly string[]): void {
  insertTail(db, push, pack, dependenciesOn(refs));
}

/** Notes the refs on which the mark of a pack in the bucket rests. */
export function insertDependencies(db: SqlDatabase, pack: string, refs: readonly string[]): void {
  const names = dependenciesOn(refs);
  for (const chunk of jsonChunks(names)) {
    db.run("INSERT OR IGNORE INTO pack_refs (ref, pack) SELECT value, ? FROM json_each(?)", pack, chunk);
  }
}

/** Notes that those of the packs that are in the catalog rest on refs. */
function insertPairs(db: SqlDatabase, packs: readonly string[], refs: readonly string[]): void {
  const names = refs.length * packs.length > MAX_PAIRS ? [ANY_REF] : refs;
  for (const chunk of jsonChunks(packs)) {
    for (const some of jsonChunks(names)) {
      db.run(
        `INSERT OR IGNORE INTO pack_refs (ref, pack)
          SELECT r.value, p.name FROM json_each(?) n JOIN packs p ON p.name = n.value JOIN json_each(?) r`,
        chunk,
        some,
      );
    }
  }
}

/** Marks those of the packs that are in the catalog; their marks rest on these refs. */
export function markPacks(db: SqlDatabase, packs: readonly string[], refs: readonly string[]): void {
  if (refs.length === 0) return;
  for (const name of namesInTail(db, packs)) markTail(db, name, dependenciesOn(refs));
  insertPairs(db, packs, refs);
  for (const chunk of jsonChunks(packs)) {
    db.run("UPDATE packs SET marked = 1 WHERE name IN (SELECT value FROM json_each(?))", chunk);
  }
}

/** Makes every pack whose mark rests on one of `refs` rest on `others` as well. Yields the steps of it. */
export function* spreadMarks(
  db: SqlDatabase,
  refs: readonly string[],
  others: readonly string[],
): Generator<number, void, undefined> {
  const marks = tailMarks(db);
  const packs = yield* packsOn(db, refs);
  for (const name of packs) {
    const rests = marks.get(name);
    if (rests !== undefined) markTail(db, name, dependenciesOn([...new Set([...rests, ...others])]));
  }
  insertPairs(db, [...packs], others);
}

/** Returns the packs whose marks rest on one of these refs. Yields the steps of each statement. */
function* packsOn(db: SqlDatabase, refs: readonly string[]): Generator<number, Set<string>, undefined> {
  const packs = new Set<string>();
  for (const chunk of jsonChunks(refs)) {
    const rows = db.rows("SELECT DISTINCT p.pack FROM json_each(?) j JOIN pack_refs p ON p.ref = j.value", chunk);
    for (const row of rows) packs.add(textAt(row, 0));
    yield chunk.length * CHARACTER_STEPS;
  }
  const asked = new Set(refs);
  for (const [name, rests] of tailMarks(db)) if (rests.some((ref) => asked.has(ref))) packs.add(name);
  return packs;
}

/** Clears the mark of every pack that rests on one of these refs: they no longer keep its objects reachable. Yields the steps of it. */
export function* clearMarks(db: SqlDatabase, refs: readonly string[]): Generator<number, void, undefined> {
  if (refs.length === 0) return;
  unmarkPacks(db, [...(yield* packsOn(db, [ANY_REF, ...refs]))]);
}

/** Clears the marks of these packs. */
export function unmarkPacks(db: SqlDatabase, names: readonly string[]): void {
  if (names.length === 0) return;
  for (const name of namesInTail(db, names)) markTail(db, name, []);
  for (const chunk of jsonChunks(names)) {
    db.run("UPDATE packs SET marked = 0 WHERE name IN (SELECT value FROM json_each(?))", chunk);
    db.run("DELETE FROM pack_refs WHERE pack IN (SELECT value FROM json_each(?))", chunk);
  }
}

/** Returns how many of these packs are in the catalog. */
export function countPacks(db: SqlDatabase, names: readonly string[]): number {
  let count = namesInTail(db, names).length;
  for (const chunk of jsonChunks(names)) {
    const row = firstRow(db.rows("SELECT count(*) FROM packs WHERE name IN (SELECT value FROM json_each(?))", chunk));
    count += row === undefined ? 0 : integerAt(row, 0);
  }
  return count;
}

/**
 * Marks packs if all packs in `from` are marked. The new ones then rest on the refs that those rest on. A tip pack
 * rests on none, and proves nothing about what the refs reach.
 */
export function inheritMarks(db: SqlDatabase, packs: readonly string[], from: readonly string[]): void {
  const refs = new Set<string>();
  const marks = tailMarks(db);
  for (const name of namesInTail(db, from)) {
    const rests = marks.get(name);
    if (rests === undefined) return;
    for (const ref of rests) refs.add(ref);
  }
  for (const chunk of jsonChunks(from)) {
    const named = "name IN (SELECT value FROM json_each(?))";
    if (firstRow(db.rows(`SELECT 1 FROM packs WHERE ${named} AND marked = 0`, chunk)) !== undefined) return;
    const rows = db.rows(`SELECT DISTINCT ref FROM pack_refs JOIN packs ON packs.name = pack WHERE ${named}`, chunk);
    for (const row of rows) refs.add(textAt(row, 0));
  }
  markPacks(db, packs, [...refs]);
}

/** Makes cruft packs ordinary ones again, of which something may be reachable. Returns whether there were any. */
export function reviveCruft(db: SqlDatabase): boolean {
  const found = firstRow(db.rows("SELECT 1 FROM packs WHERE source = 'cruft'")) !== undefined;
  if (found) db.run("UPDATE packs SET source = 'repack', marked = 0 WHERE source = 'cruft'");
  return found;
}

/** Returns the names of the cruft packs that were made before this time, in milliseconds since the epoch. */
export function cruftBefore(db: SqlDatabase, time: number): string[] {
  const rows = db.rows("SELECT name FROM packs WHERE source = 'cruft' AND created_at < ?", time);
  return Array.from(rows, (row) => textAt(row, 0));
}

/** Returns when the oldest cruft pack was made; `undefined` if there is none. */
export function oldestCruft(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(created_at) FROM packs WHERE source = 'cruft'"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}

/** Marks packs that all refs together reach: the mark rests on every ref. */
export function markWithAllRefs(db: SqlDatabase, packs: readonly string[]): void {
  markPacks(db, packs, [ANY_REF]);
}

/** Removes packs from the catalog. Returns those of them that have files in the bucket. */
export function deletePacks(db: SqlDatabase, names: readonly string[]): string[] {
  const inTail = new Set(namesInTail(db, names));
  deleteTail(db, [...inTail]);
  deleteBitmaps(db, names);
  for (const chunk of jsonChunks(names)) {
    db.run("DELETE FROM packs WHERE name IN (SELECT value FROM json_each(?))", chunk);
    db.run("DELETE FROM pack_refs WHERE pack IN (SELECT value FROM json_each(?))", chunk);
  }
  return names.filter((name) => !inTail.has(name));
}
