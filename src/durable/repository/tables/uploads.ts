/**
 * Tables `uploads` and `upload_parts`: packs that come in parts, and how long each part is to be. When one ends says its row in `leases`.
 *
 * @packageDocumentation
 */
import type { Upload, UploadPart } from "../../../refs/upload-store.ts";
import { firstRow, integerAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const UPLOADS_DDL = `CREATE TABLE IF NOT EXISTS uploads (
  name TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload_parts (
  upload TEXT NOT NULL,
  number INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID`;

export function insertUpload(db: SqlDatabase, name: string, now: number): void {
  db.run("INSERT INTO uploads (name, started_at) VALUES (?, ?)", name, now);
}

export function deleteUpload(db: SqlDatabase, name: string): void {
  db.run("DELETE FROM uploads WHERE name = ?", name);
  db.run("DELETE FROM upload_parts WHERE upload = ?", name);
}

export function countUploads(db: SqlDatabase): number {
  const row = firstRow(db.rows("SELECT count(*) FROM uploads"));
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Gives an upload whose time is not up at `now`. */
export function readUpload(db: SqlDatabase, name: string, now: number): Upload | undefined {
  const row = firstRow(
    db.rows(
      `SELECT started_at, expires_at FROM uploads JOIN leases ON pack = name WHERE name = ? AND expires_at > ?`,
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

/** Sums what all uploads may bring, that part of that one aside. */
export function sumOtherParts(db: SqlDatabase, name: string, number: number): number {
  const sql = "SELECT coalesce(sum(bytes), 0) FROM upload_parts WHERE NOT (upload = ? AND number = ?)";
  const row = firstRow(db.rows(sql, name, number));
  return row === undefined ? 0 : integerAt(row, 0);
}

export function putPart(db: SqlDatabase, name: string, { number, bytes }: UploadPart): void {
  db.run("INSERT OR REPLACE INTO upload_parts (upload, number, bytes) VALUES (?, ?, ?)", name, number, bytes);
}
