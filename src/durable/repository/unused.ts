/**
 * Tells whether a repository is as it was made.
 *
 * @packageDocumentation
 */
import { firstRow, integerAt, type SqlDatabase } from "../sql/sql-database.ts";

/** The tables that have a row as soon as somebody uses a repository, or is about to. */
const USED_TABLES = ["refs", "packs", "leases", "uploads", "ref_log", "mirror", "hooks", "ref_rules"] as const;

/** Whether the repository is empty, has settings as it was made with, and is not just being pushed to. */
export function isUnused(db: SqlDatabase): boolean {
  const used = USED_TABLES.map((table) => `EXISTS (SELECT 1 FROM ${table})`).join(" OR ");
  const row = firstRow(db.rows(`SELECT ${used}`));
  return row !== undefined && integerAt(row, 0) === 0;
}
