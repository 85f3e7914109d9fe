/**
 * Table `host_key`: the key with which the host signs what it makes for the tenant, if it has one. The private half is sealed.
 *
 * @packageDocumentation
 */
import type { HostKey } from "../../../signing/signing-key.ts";
import { firstRow, integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const HOST_KEY_DDL = `CREATE TABLE IF NOT EXISTS host_key (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fingerprint TEXT NOT NULL,
  public_key TEXT NOT NULL,
  sealed_by TEXT NOT NULL,
  sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  kind TEXT NOT NULL DEFAULT 'ssh'
)`;

const COLUMNS = "fingerprint, public_key, sealed_by, sealed, created_at, kind";

/** Returns the key, if there is one. */
export function readHostKey(db: SqlDatabase): HostKey | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM host_key`));
  if (row === undefined) return undefined;
  return {
    fingerprint: textAt(row, 0),
    publicKey: textAt(row, 1),
    sealed: { key: textAt(row, 2), data: textAt(row, 3) },
    createdAt: integerAt(row, 4),
    kind: textAt(row, 5) === "openpgp" ? "openpgp" : "ssh",
  };
}

/** Writes the key in place of another. */
export function writeHostKey(db: SqlDatabase, { fingerprint, publicKey, sealed, createdAt, kind }: HostKey): void {
  db.run(
    `INSERT OR REPLACE INTO host_key (id, ${COLUMNS}) VALUES (1, ?, ?, ?, ?, ?, ?)`,
    fingerprint,
    publicKey,
    sealed.key,
    sealed.data,
    createdAt,
    kind,
  );
}

/** Removes the key. */
export function deleteHostKey(db: SqlDatabase): void {
  db.run("DELETE FROM host_key");
}
