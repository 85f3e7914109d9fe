/**
 * Table `signing_keys`: the public keys whose signatures on pushes are accepted, by fingerprint.
 *
 * @packageDocumentation
 */
import type { SigningKey } from "../../../signing/signing-key.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const SIGNING_KEYS_DDL = `CREATE TABLE IF NOT EXISTS signing_keys (
  fingerprint TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID`;

const COLUMNS = "fingerprint, kind, title, key, created_at";

function keyAt(row: SqlRow): SigningKey {
  return {
    fingerprint: textAt(row, 0),
    kind: textAt(row, 1) === "ssh" ? "ssh" : "openpgp",
    title: textAt(row, 2),
    key: textAt(row, 3),
    createdAt: integerAt(row, 4),
  };
}

/** Returns all keys, in the order of their fingerprints. */
export function listSigningKeys(db: SqlDatabase): SigningKey[] {
  return Array.from(db.rows(`SELECT ${COLUMNS} FROM signing_keys ORDER BY fingerprint`), keyAt);
}

/** Returns one key; `undefined` if none has that fingerprint. */
export function readSigningKeyRow(db: SqlDatabase, fingerprint: string): SigningKey | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM signing_keys WHERE fingerprint = ?`, fingerprint));
  return row === undefined ? undefined : keyAt(row);
}

/** Adds a key. */
export function insertSigningKey(db: SqlDatabase, key: SigningKey): void {
  db.run(
    `INSERT INTO signing_keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`,
    key.fingerprint,
    key.kind,
    key.title,
    key.key,
    key.createdAt,
  );
}

/** Removes one key, or all. */
export function deleteSigningKeys(db: SqlDatabase, fingerprint?: string): void {
  if (fingerprint === undefined) db.run("DELETE FROM signing_keys");
  else db.run("DELETE FROM signing_keys WHERE fingerprint = ?", fingerprint);
}
