/**
 * Table `tenant_hooks`: the webhooks of a tenant, which each of its repositories has a copy of.
 *
 * @packageDocumentation
 */
import type { TenantHook } from "../../../access/tenant-hook.ts";
import { integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const TENANT_HOOKS_DDL = `CREATE TABLE IF NOT EXISTS tenant_hooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  secret TEXT,
  events TEXT NOT NULL,
  active INTEGER NOT NULL,
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID`;

const COLUMNS = "id, url, secret, events, active, origin, created_at, updated_at";

/** Returns all webhooks, oldest first. */
export function listTenantHooks(db: SqlDatabase): TenantHook[] {
  return Array.from(db.rows(`SELECT ${COLUMNS} FROM tenant_hooks ORDER BY created_at, id`), (row) => ({
    id: textAt(row, 0),
    url: textAt(row, 1),
    ...(row[2] === null ? {} : { secret: textAt(row, 2) }),
    events: textAt(row, 3).split(" "),
    active: integerAt(row, 4) === 1,
    origin: textAt(row, 5),
    createdAt: integerAt(row, 6),
    updatedAt: integerAt(row, 7),
  }));
}

/** Adds a webhook, or replaces it. */
export function writeTenantHook(db: SqlDatabase, hook: TenantHook): void {
  db.run(
    `INSERT OR REPLACE INTO tenant_hooks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    hook.id,
    hook.url,
    hook.secret ?? null,
    hook.events.join(" "),
    hook.active ? 1 : 0,
    hook.origin,
    hook.createdAt,
    hook.updatedAt,
  );
}

/** Deletes a webhook; without an id, all of them. */
export function deleteTenantHooks(db: SqlDatabase, id?: string): void {
  if (id === undefined) db.run("DELETE FROM tenant_hooks");
  else db.run("DELETE FROM tenant_hooks WHERE id = ?", id);
}
