/**
 * What holds no more of a tenant's tables when they come from a backup, or from an earlier moment.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../../sql/sql-database.ts";
import { DELETION_TIME } from "./lfs-links.ts";
import { noteAllListed } from "./listing-changes.ts";

/** Tables that hold for repositories of all tenants, whatever becomes of this one. */
export const OUTLIVING_TABLES: readonly string[] = ["lfs_links", "lfs_deleting"];

/**
 * Milliseconds after which a tenant asks whether its repositories are there. The list comes first: from it, a recovery learns which
 * repositories were deleted since, and puts them back one after the other. What is asked about and not there is struck off.
 */
export const RESTORED_CHECK_DELAY = 60 * 60 * 1000;

/**
 * Has the tenant enter itself and its public repositories in the directory again, and ask each of its repositories an hour later whether it is there, and which
 * objects of Git LFS it has.
 */
export function settleRestoredTenant(db: SqlDatabase, now = Date.now()): void {
  // No job goes on for as long: it ended before the copy was made.
  db.run("DELETE FROM lfs_deleting WHERE since < ?", now - DELETION_TIME);
  db.run("UPDATE tenant SET in_directory = 0");
  noteAllListed(db);
  db.run("UPDATE tenant_repos SET check_at = ? WHERE removing = 0", now + RESTORED_CHECK_DELAY);
}
