/**
 * Table `pack_bitmaps`: the `.bitmap` files of packs. A row of 0 bytes says that the pack can have none.
 *
 * @packageDocumentation
 */
import type { PackBitmapSize } from "../../../catalog/pack-record.ts";
import { integerAt, jsonChunks, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const PACK_BITMAPS_DDL = `CREATE TABLE IF NOT EXISTS pack_bitmaps (
  pack TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  commits INTEGER NOT NULL
) WITHOUT ROWID`;

/** Notes the file of a pack. One that is known already stays: both have the same bytes. */
export function insertBitmap(db: SqlDatabase, pack: string, { bytes, commits }: PackBitmapSize): void {
  db.run("INSERT OR IGNORE INTO pack_bitmaps (pack, bytes, commits) VALUES (?, ?, ?)", pack, bytes, commits);
}

/** Forgets the files of packs. */
export function deleteBitmaps(db: SqlDatabase, packs: readonly string[]): void {
  for (const chunk of jsonChunks(packs)) {
    db.run("DELETE FROM pack_bitmaps WHERE pack IN (SELECT value FROM json_each(?))", chunk);
  }
}

/** Returns the file of a row's pack, of which columns `column` and the next are bytes and commits. */
export function bitmapAt(row: SqlRow, column: number): { readonly bitmap?: PackBitmapSize } {
  if (row[column] === null) return {};
  return { bitmap: { bytes: integerAt(row, column), commits: integerAt(row, column + 1) } };
}
