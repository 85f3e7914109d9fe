/**
 * Table `kept_blobs`: blobs that were sent by themselves. Each lies under a lease, and is kept as long as that.
 *
 * @packageDocumentation
 */
import { type KeptBlob, type KeptBlobAnswer, type KeptBlobRequest, MOST_KEPT } from "../../../refs/kept-blobs.ts";
import { firstRow, integerAt, jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";
import { findObjects, keepObjects } from "./kept-objects.ts";
import { hasLease } from "./leases.ts";
import { noteUploadChange } from "./repository.ts";

/** A blob whose lease ends sooner is not found any more: it has to outlive the commit. Milliseconds. */
const LEAST_LEFT = 10 * 60 * 1000;

export const KEPT_BLOBS_DDL = `CREATE TABLE IF NOT EXISTS kept_blobs (
  pack TEXT PRIMARY KEY,
  oid TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_blobs_oid ON kept_blobs (oid)`;

/** Forgets the blob under a lease. Returns whether there was one. */
export function deleteKeptBlob(db: SqlDatabase, pack: string): boolean {
  const isThere = firstRow(db.rows("SELECT 1 FROM kept_blobs WHERE pack = ?", pack)) !== undefined;
  if (isThere) db.run("DELETE FROM kept_blobs WHERE pack = ?", pack);
  return isThere;
}

function keep(db: SqlDatabase, { oid, pack, size, bytes }: KeptBlob, now: number): KeptBlobAnswer {
  if (!hasLease(db, pack, now)) return { kind: "gone" };
  const count = firstRow(db.rows("SELECT count(*) FROM kept_blobs"));
  if (count !== undefined && integerAt(count, 0) >= MOST_KEPT) return { kind: "full" };
  noteUploadChange(db);
  db.run("INSERT INTO kept_blobs (pack, oid, size, bytes) VALUES (?, ?, ?, ?)", pack, oid, size, bytes);
  return { kind: "kept", blobs: [] };
}

function find(db: SqlDatabase, oids: readonly string[], now: number): KeptBlobAnswer {
  const blobs: KeptBlob[] = [];
  for (const chunk of jsonChunks(oids)) {
    const rows = db.rows(
      `SELECT k.oid, k.pack, k.size, k.bytes FROM kept_blobs k JOIN leases l ON l.pack = k.pack
        WHERE k.oid IN (SELECT value FROM json_each(?)) AND l.expires_at > ?`,
      chunk,
      now + LEAST_LEFT,
    );
    for (const row of rows) {
      blobs.push({ oid: textAt(row, 0), pack: textAt(row, 1), size: integerAt(row, 2), bytes: integerAt(row, 3) });
    }
  }
  return { kind: "kept", blobs };
}

/** Answers a request about kept blobs, as a part of the caller's transaction. */
export function answerKeptBlobs(db: SqlDatabase, request: KeptBlobRequest, now: number): KeptBlobAnswer {
  switch (request.kind) {
    case "keep":
      return keep(db, request.blob, now);
    case "find":
      return find(db, request.oids, now);
    case "keep-objects":
      return keepObjects(db, request.objects, now) ? { kind: "objects", objects: [], isCut: false } : { kind: "full" };
    case "find-objects":
      return { kind: "objects", ...findObjects(db, request.oids, now) };
  }
}
