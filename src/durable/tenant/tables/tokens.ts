/**
 * Table `tokens`: a tenant's tokens, each by the SHA-256 of its text. Table `revoked_makers`: the revoked tokens from
 * which some token in the table descends, so that descendants are found when their makers are gone.
 *
 * @packageDocumentation
 */
import { type Scope, SCOPES } from "../../../access/scope.ts";
import type { IssueRequest, TokenRecord } from "../../../access/token-store.ts";
import { firstRow, integerAt, jsonChunks, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const TOKENS_DDL = `CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  repos TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER,
  created_by TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_created_by ON tokens (created_by) WHERE created_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS revoked_makers (
  id TEXT PRIMARY KEY,
  created_by TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revoked_makers_created_by ON revoked_makers (created_by) WHERE created_by IS NOT NULL`;

const COLUMNS = "id, name, scopes, repos, created_at, expires_at, used_at, created_by";
/** The columns with the number of tokens and keys that each token made. It is not for look-ups, which every request makes. */
const LISTED = `${COLUMNS}, (SELECT count(*) FROM tokens child WHERE child.created_by = tokens.id)
  + (SELECT count(*) FROM ssh_keys child WHERE child.created_by = tokens.id)`;

/** The tables whose rows may be limited to some repositories, in the same form. */
const LIMITED = ["tokens", "ssh_keys"] as const;

function textsAt(row: SqlRow, column: number): string[] {
  const list: unknown = JSON.parse(textAt(row, column));
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

/** Returns the token in a row of {@link COLUMNS}, with or without the number of those that it made. */
export function tokenAt(row: SqlRow): TokenRecord {
  return {
    id: textAt(row, 0),
    name: textAt(row, 1),
    scopes: textsAt(row, 2).filter((text) => isScope(text)),
    ...(row[3] === null ? {} : { repos: textsAt(row, 3) }),
    createdAt: integerAt(row, 4),
    ...(row[5] === null ? {} : { expiresAt: integerAt(row, 5) }),
    ...(row[6] === null ? {} : { usedAt: integerAt(row, 6) }),
    ...(row[7] === null ? {} : { createdBy: textAt(row, 7) }),
    ...(row[8] === undefined ? {} : { children: integerAt(row, 8) }),
  };
}

/** Adds a token. */
export function insertToken(db: SqlDatabase, id: string, request: IssueRequest, now: number): void {
  db.run(
    `INSERT INTO tokens (id, hash, name, scopes, repos, created_at, expires_at, created_by)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    request.hash,
    request.name,
    JSON.stringify(request.scopes),
    request.repos === undefined ? null : JSON.stringify(request.repos),
    now,
    request.expiresAt ?? null,
    request.createdBy ?? null,
  );
}

/** Returns the token with this hash that has not expired. */
export function findToken(db: SqlDatabase, hash: Uint8Array, now: number): TokenRecord | undefined {
  const row = firstRow(
    db.rows(`SELECT ${COLUMNS} FROM tokens WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)`, hash, now),
  );
  return row === undefined ? undefined : tokenAt(row);
}

/** Returns the ids of those tokens that exist and have not expired. */
export function findInForce(db: SqlDatabase, ids: readonly string[], now: number): string[] {
  const found: string[] = [];
  for (const chunk of jsonChunks(ids)) {
    const rows = db.rows(
      `SELECT t.id FROM json_each(?) j JOIN tokens t ON t.id = j.value WHERE t.expires_at IS NULL OR t.expires_at > ?`,
      chunk,
      now,
    );
    for (const row of rows) found.push(textAt(row, 0));
  }
  return found;
}

/** Returns a token by its id. */
export function readToken(db: SqlDatabase, id: string): TokenRecord | undefined {
  const row = firstRow(db.rows(`SELECT ${LISTED} FROM tokens WHERE id = ?`, id));
  return row === undefined ? undefined : tokenAt(row);
}

/** Notes when a token was used. */
export function noteTokenUse(db: SqlDatabase, id: string, now: number): void {
  db.run("UPDATE tokens SET used_at = ? WHERE id = ?", now, id);
}

/** Returns tokens in the order of their ids, after `after`. */
export function listTokens(db: SqlDatabase, after: string, limit: number): TokenRecord[] {
  return Array.from(db.rows(`SELECT ${LISTED} FROM tokens WHERE id > ? ORDER BY id LIMIT ?`, after, limit), tokenAt);
}

/** Counts the tokens, including expired ones, and the revoked ones from which some of them descend. */
export function countTokens(db: SqlDatabase): number {
  const row = firstRow(db.rows("SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM revoked_makers)"));
  return row === undefined ? 0 : integerAt(row, 0);
}

/**
 * Returns the ids of a token and of all its descendants: those that it made, those that they made, and so on. Each may
 * have been revoked before.
 */
function familyOf(db: SqlDatabase, id: string): string[] {
  const sql = `WITH RECURSIVE family (id) AS (
      SELECT ?
      UNION SELECT tokens.id FROM family JOIN tokens ON tokens.created_by = family.id
      UNION SELECT revoked_makers.id FROM family JOIN revoked_makers ON revoked_makers.created_by = family.id
    ) SELECT id FROM family`;
  return Array.from(db.rows(sql, id), (row) => textAt(row, 0));
}

/** Drops the revoked tokens from which no token and no key descends. */
function forgetMakers(db: SqlDatabase): void {
  if (firstRow(db.rows("SELECT 1 FROM revoked_makers LIMIT 1")) === undefined) return;
  db.run(`WITH RECURSIVE makers (id) AS (
      SELECT created_by FROM tokens WHERE created_by IS NOT NULL
      UNION SELECT created_by FROM ssh_keys WHERE created_by IS NOT NULL
      UNION SELECT revoked_makers.created_by FROM makers JOIN revoked_makers ON revoked_makers.id = makers.id
        WHERE revoked_makers.created_by IS NOT NULL
    ) DELETE FROM revoked_makers WHERE id NOT IN (SELECT id FROM makers)`);
}

/**
 * Deletes a token; with `withChildren`, its descendants and their SSH keys too. Returns how many tokens and keys were
 * deleted.
 */
export function deleteToken(db: SqlDatabase, id: string, withChildren: boolean): number {
  const ids = withChildren ? familyOf(db, id) : [id];
  const kept = "INSERT OR IGNORE INTO revoked_makers SELECT id, created_by FROM tokens WHERE id = ?";
  if (!withChildren) db.run(kept, id);
  let deleted = 0;
  for (const chunk of jsonChunks(ids)) {
    const sql = "DELETE FROM tokens WHERE id IN (SELECT value FROM json_each(?)) RETURNING 1";
    deleted += Array.from(db.rows(sql, chunk)).length;
    if (!withChildren) continue;
    const keys = "DELETE FROM ssh_keys WHERE created_by IN (SELECT value FROM json_each(?)) RETURNING 1";
    deleted += Array.from(db.rows(keys, chunk)).length;
  }
  forgetMakers(db);
  return deleted;
}

/** Deletes expired tokens; without a time, all tokens. */
export function deleteTokens(db: SqlDatabase, now?: number): void {
  if (now === undefined) db.run("DELETE FROM tokens");
  // A token outlives none that made it, so an expired one has no descendants in force.
  else db.run("DELETE FROM tokens WHERE expires_at <= ?", now);
  forgetMakers(db);
}

/**
 * Removes a repository from the tokens and SSH keys that name it, because a later one of that name is not theirs. One
 * that is left without any name can use no repository.
 */
export function takeRepoOffTokens(db: SqlDatabase, repo: string): void {
  for (const table of LIMITED) {
    db.run(
      `UPDATE ${table} SET repos = (SELECT json_group_array(value) FROM json_each(${table}.repos) WHERE lower(value) <> ?1)
        WHERE repos IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(${table}.repos) WHERE lower(value) = ?1)`,
      repo,
    );
  }
}

/** Has tokens and SSH keys that name a repository name it by its new name. */
export function renameRepoOfTokens(db: SqlDatabase, from: string, to: string): void {
  for (const table of LIMITED) {
    db.run(
      `UPDATE ${table} SET repos = (SELECT json_group_array(CASE WHEN lower(value) = ?1 THEN ?2 ELSE value END)
        FROM json_each(${table}.repos))
        WHERE repos IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(${table}.repos) WHERE lower(value) = ?1)`,
      from,
      to,
    );
  }
}
