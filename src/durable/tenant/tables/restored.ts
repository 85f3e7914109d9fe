/**
 * What holds no more of a tenant's tables when they come from a backup, or from an earlier moment.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../../sql/sql-database.ts";

/** Has the tenant enter itself in the directory again, and ask each of its repositories whether it is there. */
export function settleRestoredTenant(db: SqlDatabase): void {
  db.run("UPDATE tenant SET in_directory = 0");
  db.run("UPDATE tenant_repos SET check_at = 0 WHERE removing = 0");
}
