/**
 * Tables `uploads` and `upload_parts`: packs that come in parts, with the length of each part. The end of an upload's
 * lease is in `leases`. An upload that has ended keeps its row, and its place, while one of its parts may still be
 * written.
 *
 * `bytes` is the length announced last, and `held` the most bytes that may be in the bucket. The two differ from an
 * announcement until its writing has ended. `writers` counts the writings under way. `overlapped` is 1 if several went
 * on at once: which came last is unknown, so the longest counts.
 *
 * @packageDocumentation
 */
import type { Upload, UploadPart } from "../../../refs/upload-store.ts";
import { firstRow, integerAt, type SqlDatabase } from "../../sql/sql-database.ts";
import { deleteKeptBlob } from "./kept-blobs.ts";

export const UPLOADS_DDL = `CREATE TABLE IF NOT EXISTS uploads (
  name TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  holder TEXT,
  ended INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload_parts (
  upload TEXT NOT NULL,
  number INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,
  writers INTEGER NOT NULL DEFAULT 0,
  overlapped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID`;

export function insertUpload(db: SqlDatabase, name: string, holder: string | undefined, now: number): void {
  db.run("INSERT INTO uploads (name, started_at, holder) VALUES (?, ?, ?)", name, now, holder ?? null);
}

/**
 * Ends an upload, and keeps only parts that are being written. Returns whether there are none, so that the upload is
 * gone.
 */
export function endUpload(db: SqlDatabase, name: string): boolean {
  db.run("UPDATE uploads SET ended = 1 WHERE name = ?", name);
  db.run("DELETE FROM upload_parts WHERE upload = ? AND writers = 0", name);
  if (firstRow(db.rows("SELECT 1 FROM upload_parts WHERE upload = ?", name)) !== undefined) return false;
  deleteUpload(db, name);
  return true;
}

/** Deletes an upload, or a kept blob, by its lease. Returns whether there was one. */
export function deleteUpload(db: SqlDatabase, name: string): boolean {
  const isThere = firstRow(db.rows("SELECT 1 FROM uploads WHERE name = ?", name)) !== undefined;
  db.run("DELETE FROM uploads WHERE name = ?", name);
  db.run("DELETE FROM upload_parts WHERE upload = ?", name);
  return deleteKeptBlob(db, name) || isThere;
}

function sumOf(db: SqlDatabase, sql: string, ...parameters: (string | number)[]): number {
  const row = firstRow(db.rows(sql, ...parameters));
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Counts the places that are taken, by all uploads or by one holder's. */
export function countUploads(db: SqlDatabase, holder?: string): number {
  if (holder === undefined) return sumOf(db, "SELECT count(*) FROM uploads");
  return sumOf(db, "SELECT count(*) FROM uploads WHERE holder = ?", holder);
}

/** Returns an upload whose lease has not ended at `now`. */
export function readUpload(db: SqlDatabase, name: string, now: number): Upload | undefined {
  const row = firstRow(
    db.rows(
      `SELECT started_at, expires_at FROM uploads JOIN leases ON pack = name WHERE name = ? AND ended = 0 AND expires_at > ?`,
      name,
      now,
    ),
  );
  if (row === undefined) return undefined;
  const parts = Array.from(
    db.rows("SELECT number, bytes FROM upload_parts WHERE upload = ? ORDER BY number", name),
    (part): UploadPart => ({ number: integerAt(part, 0), bytes: integerAt(part, 1) }),
  );
  return { name, startedAt: integerAt(row, 0), expiresAt: integerAt(row, 1), parts };
}

/** Returns the most bytes that kept blobs, and all uploads except `except`, may have in the bucket. */
export function sumUploads(db: SqlDatabase, except = ""): number {
  const held = sumOf(db, "SELECT coalesce(sum(held), 0) FROM upload_parts WHERE upload <> ?", except);
  return held + sumOf(db, "SELECT coalesce(sum(bytes), 0) FROM kept_blobs");
}

/** Returns the most bytes of one part that may be in the bucket. */
export function heldOfPart(db: SqlDatabase, name: string, number: number): number {
  const sql = "SELECT coalesce(sum(held), 0) FROM upload_parts WHERE upload = ? AND number = ?";
  return sumOf(db, sql, name, number);
}

/** Notes that a part is about to be written. */
export function announcePart(db: SqlDatabase, name: string, { number, bytes }: UploadPart): void {
  db.run(
    `INSERT INTO upload_parts (upload, number, bytes, held, writers) VALUES (?1, ?2, ?3, ?3, 1)
      ON CONFLICT (upload, number) DO UPDATE SET bytes = ?3, held = max(held, ?3), writers = writers + 1,
      overlapped = max(overlapped, writers > 0)`,
    name,
    number,
    bytes,
  );
}

/**
 * Notes that a writing of a part has ended. If it was the only one and is whole, the part's length is that of the file.
 */
export function partWritten(db: SqlDatabase, name: string, number: number, isWhole: boolean): void {
  db.run(
    `UPDATE upload_parts SET writers = max(0, writers - 1), overlapped = overlapped AND writers > 1,
      held = CASE WHEN ? AND writers = 1 AND NOT overlapped THEN bytes ELSE held END WHERE upload = ? AND number = ?`,
    isWhole ? 1 : 0,
    name,
    number,
  );
}
