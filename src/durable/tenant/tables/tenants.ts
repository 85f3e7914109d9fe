/**
 * Table `tenants`: the directory's list.
 *
 * @packageDocumentation
 */
import type { ListedTenant } from "../../../access/directory.ts";
import { integerAt, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const TENANTS_DDL = `CREATE TABLE IF NOT EXISTS tenants (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  spelled TEXT
) WITHOUT ROWID`;

/** Lists a tenant, replacing an entry of the same name. */
export function insertListedTenant(db: SqlDatabase, { name, createdAt, spelled }: ListedTenant): void {
  const sql = "INSERT OR REPLACE INTO tenants (name, created_at, spelled) VALUES (?, ?, ?)";
  db.run(sql, name, createdAt, spelled ?? null);
}

export function deleteListedTenant(db: SqlDatabase, name: string): void {
  db.run("DELETE FROM tenants WHERE name = ?", name);
}

/** Returns tenants in byte order of their names, after `after`. */
export function listTenants(db: SqlDatabase, after: string, limit: number): ListedTenant[] {
  const sql = "SELECT name, created_at, spelled FROM tenants WHERE name > ? ORDER BY name LIMIT ?";
  return Array.from(db.rows(sql, after, limit), (row) => ({
    name: textAt(row, 0),
    createdAt: integerAt(row, 1),
    ...(row[2] === null ? {} : { spelled: textAt(row, 2) }),
  }));
}

/** Returns the names that are `name` but for capitals. Names are ASCII. */
export function listSpellings(db: SqlDatabase, name: string): string[] {
  const sql = "SELECT name FROM tenants WHERE lower(name) = ? AND name <> ? ORDER BY name";
  return Array.from(db.rows(sql, name, name), (row) => textAt(row, 0));
}
