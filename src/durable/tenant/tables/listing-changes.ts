/**
 * Table `listing_changes`: the repositories of which the directory has to be told whether everybody may read them. A name that
 * changes again while it is told has another serial then, and is told once more.
 *
 * @packageDocumentation
 */
import type { ListingChange } from "../../../access/public-list.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const LISTING_CHANGES_DDL = `CREATE TABLE IF NOT EXISTS listing_changes (
  name TEXT PRIMARY KEY,
  serial INTEGER NOT NULL
) WITHOUT ROWID`;

/** A change that is to be told. */
export type DueListing = ListingChange & { readonly serial: number };

/** Has the directory be told of a repository. */
export function noteListing(db: SqlDatabase, name: string): void {
  db.run(
    "INSERT INTO listing_changes (name, serial) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET serial = serial + 1",
    name,
  );
}

/** Has the directory be told of all repositories that everybody may read. */
export function noteAllListed(db: SqlDatabase): void {
  db.run("DELETE FROM listing_changes");
  db.run("INSERT INTO listing_changes (name, serial) SELECT name, 1 FROM tenant_repos WHERE is_public = 1");
}

/** Whether something is to be told. */
export function hasDueListings(db: SqlDatabase): boolean {
  return firstRow(db.rows("SELECT 1 FROM listing_changes LIMIT 1")) !== undefined;
}

/** Returns what is to be told, as it is now. */
export function listDueListings(db: SqlDatabase, limit: number): DueListing[] {
  const rows = db.rows(
    `SELECT changes.name, changes.serial, coalesce(repos.is_public = 1 AND repos.removing = 0, 0)
     FROM listing_changes AS changes LEFT JOIN tenant_repos AS repos ON repos.name = changes.name LIMIT ?`,
    limit,
  );
  return Array.from(rows, (row) => ({
    repo: textAt(row, 0),
    serial: integerAt(row, 1),
    isPublic: integerAt(row, 2) === 1,
  }));
}

/** Notes that these were told. */
export function deleteListings(db: SqlDatabase, told: readonly DueListing[]): void {
  for (const { repo, serial } of told)
    db.run("DELETE FROM listing_changes WHERE name = ? AND serial = ?", repo, serial);
}

/** Forgets all: the directory forgets a tenant that leaves. */
export function deleteAllListings(db: SqlDatabase): void {
  db.run("DELETE FROM listing_changes");
}
