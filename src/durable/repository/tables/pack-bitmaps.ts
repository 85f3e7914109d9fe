/**
 * Table `pack_bitmaps`: the `.bitmap` files of packs, and the `.tips` files that were written with them. A row of 0 bytes says that the
 * pack can have none.
 *
 * @packageDocumentation
 */
import type { PackBitmapSize } from "../../../catalog/pack-record.ts";
import { firstRow, integerAt, jsonChunks, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const PACK_BITMAPS_DDL = `CREATE TABLE IF NOT EXISTS pack_bitmaps (
  pack TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  commits INTEGER NOT NULL,
  tips INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`;

/**
 * Notes the file of a pack. Of two that were written at once, the one that is noted later counts, as it was mostly written later, too:
 * branches may have moved in between. That there can be none takes nothing away that was found.
 */
export function insertBitmap(db: SqlDatabase, pack: string, { bytes, commits, tips = 0 }: PackBitmapSize): void {
  db.run(
    `INSERT INTO pack_bitmaps (pack, bytes, commits, tips) VALUES (?, ?, ?, ?)
      ON CONFLICT (pack) DO UPDATE SET bytes = excluded.bytes, commits = excluded.commits, tips = excluded.tips
      WHERE excluded.bytes > 0 OR pack_bitmaps.bytes = 0`,
    pack,
    bytes,
    commits,
    tips,
  );
}

/** Forgets the files of packs. */
export function deleteBitmaps(db: SqlDatabase, packs: readonly string[]): void {
  for (const chunk of jsonChunks(packs)) {
    db.run("DELETE FROM pack_bitmaps WHERE pack IN (SELECT value FROM json_each(?))", chunk);
  }
}

/**
 * Forgets the files of a pack that has bitmaps, and is borrowed from the repository with the id `lender`; `undefined` for one that is not
 * borrowed. Returns whether it is such a pack.
 */
export function deleteBitmapOf(db: SqlDatabase, pack: string, lender: string | undefined): boolean {
  const found = db.rows(
    `SELECT 1 FROM pack_bitmaps b LEFT JOIN borrowed_packs l ON l.pack = b.pack
      WHERE b.pack = ? AND b.bytes > 0 AND l.home IS ?`,
    pack,
    lender ?? null, // Nobody lends it.
  );
  if (firstRow(found) === undefined) return false;
  deleteBitmaps(db, [pack]);
  return true;
}

/**
 * Forgets what was found out of packs that came after the one with bitmaps: whether they can be bundles, and on which others they build.
 * With `isOpen`, only of those that can be none as yet. A borrowed pack keeps what it came with, and so does a pack that is larger than
 * all with bitmaps: it was tried, and can have none.
 */
export function forgetNewest(db: SqlDatabase, { isOpen = false } = {}): void {
  db.run(
    `DELETE FROM pack_bitmaps WHERE bytes = 0 AND (tips = 0 OR ? = 0)
      AND pack NOT IN (SELECT pack FROM borrowed_packs)
      AND pack IN (SELECT name FROM packs WHERE objects <
        (SELECT MAX(objects) FROM packs JOIN pack_bitmaps b ON b.pack = name WHERE b.bytes > 0))`,
    isOpen ? 1 : 0,
  );
}

/** Returns the file of a row's pack, of which columns `column` and the next two are bytes, commits and tips. */
export function bitmapAt(row: SqlRow, column: number): { readonly bitmap?: PackBitmapSize } {
  if (row[column] === null) return {};
  const tips = integerAt(row, column + 2);
  const size = { bytes: integerAt(row, column), commits: integerAt(row, column + 1) };
  return { bitmap: tips === 0 ? size : { ...size, tips } };
}
