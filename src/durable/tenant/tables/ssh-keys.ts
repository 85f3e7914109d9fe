/**
 * Table `ssh_keys`: the public keys that let their owners in by SSH, each once in a tenant. `repos` is as in the table
 * `tokens`; `deploys` is set for a deploy key, and is its repository.
 *
 * @packageDocumentation
 */
import type { AddSshKeyRequest, SshKeyPlace, SshKeyRecord } from "../../../access/ssh-key-store.ts";
import { firstRow, integerAt, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";
import { tokenAt } from "./tokens.ts";

export const SSH_KEYS_DDL = `CREATE TABLE IF NOT EXISTS ssh_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  repos TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER,
  created_by TEXT,
  fingerprint TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  deploys TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ssh_keys_deploys ON ssh_keys (deploys) WHERE deploys IS NOT NULL;
CREATE INDEX IF NOT EXISTS ssh_keys_created_by ON ssh_keys (created_by) WHERE created_by IS NOT NULL`;

/** The columns of a token, in their order, and then those that only keys have. */
const COLUMNS = "id, name, scopes, repos, created_at, expires_at, used_at, created_by, fingerprint, key, deploys";

function keyAt(row: SqlRow): SshKeyRecord {
  return {
    ...tokenAt(row.slice(0, 8)),
    fingerprint: textAt(row, 8),
    key: textAt(row, 9),
    ...(row[10] === null ? {} : { deploys: textAt(row, 10) }),
  };
}

/** Adds a key. */
export function insertSshKey(db: SqlDatabase, id: string, request: AddSshKeyRequest, now: number): void {
  db.run(
    `INSERT INTO ssh_keys (id, name, scopes, repos, created_at, expires_at, created_by, fingerprint, key, deploys)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    request.name,
    JSON.stringify(request.scopes),
    request.repos === undefined ? null : JSON.stringify(request.repos),
    now,
    request.expiresAt ?? null,
    request.createdBy ?? null,
    request.fingerprint,
    request.key,
    request.deploys ?? null,
  );
}

/** Returns the key with this fingerprint that has not expired. */
export function findSshKey(db: SqlDatabase, fingerprint: string, now: number): SshKeyRecord | undefined {
  const sql = `SELECT ${COLUMNS} FROM ssh_keys WHERE fingerprint = ? AND (expires_at IS NULL OR expires_at > ?)`;
  const row = firstRow(db.rows(sql, fingerprint, now));
  return row === undefined ? undefined : keyAt(row);
}

/** Notes when a key was used. */
export function noteSshKeyUse(db: SqlDatabase, id: string, now: number): void {
  db.run("UPDATE ssh_keys SET used_at = ? WHERE id = ?", now, id);
}

/** Returns the keys of a place in the order of their ids, after `after`. */
export function listSshKeys(db: SqlDatabase, place: SshKeyPlace, after: string, limit: number): SshKeyRecord[] {
  const sql = `SELECT ${COLUMNS} FROM ssh_keys WHERE deploys IS ? AND id > ? ORDER BY id LIMIT ?`;
  return Array.from(db.rows(sql, place.deploys ?? null, after, limit), keyAt);
}

/** Counts the keys of a tenant, or the deploy keys of a repository. */
export function countSshKeys(db: SqlDatabase, { deploys }: SshKeyPlace): number {
  const rows =
    deploys === undefined
      ? db.rows("SELECT count(*) FROM ssh_keys")
      : db.rows("SELECT count(*) FROM ssh_keys WHERE deploys = ?", deploys);
  const row = firstRow(rows);
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Deletes a key of a place. Returns whether there was one. */
export function deleteSshKey(db: SqlDatabase, { deploys }: SshKeyPlace, id: string): boolean {
  const sql = "DELETE FROM ssh_keys WHERE id = ? AND deploys IS ? RETURNING 1";
  return firstRow(db.rows(sql, id, deploys ?? null)) !== undefined;
}

/** Deletes expired keys; without a time, all keys. */
export function deleteSshKeys(db: SqlDatabase, now?: number): void {
  if (now === undefined) db.run("DELETE FROM ssh_keys");
  else db.run("DELETE FROM ssh_keys WHERE expires_at <= ?", now);
}

/** Deletes the deploy keys of a repository that is gone: a later one of that name is not theirs. */
export function deleteDeployKeys(db: SqlDatabase, repo: string): void {
  db.run("DELETE FROM ssh_keys WHERE deploys = ?", repo);
}

/** Has the deploy keys of a repository follow it to its new name. */
export function renameDeployKeys(db: SqlDatabase, from: string, to: string): void {
  db.run("UPDATE ssh_keys SET deploys = ? WHERE deploys = ?", to, from);
}
