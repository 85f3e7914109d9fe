/**
 * Table `public_repos`: the repositories of all tenants that everybody may read, as their tenants tell it.
 *
 * @packageDocumentation
 */
import type { ListedRepository, ListingChange, PublicQuery } from "../../../access/public-list.ts";
import { type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const PUBLIC_REPOS_DDL = `CREATE TABLE IF NOT EXISTS public_repos (
  tenant TEXT NOT NULL,
  repo TEXT NOT NULL,
  PRIMARY KEY (tenant, repo)
) WITHOUT ROWID`;

/** Lists a repository, or takes it off the list. */
export function changePublicRepo(db: SqlDatabase, tenant: string, { repo, isPublic }: ListingChange): void {
  if (isPublic) db.run("INSERT OR IGNORE INTO public_repos (tenant, repo) VALUES (?, ?)", tenant, repo);
  else db.run("DELETE FROM public_repos WHERE tenant = ? AND repo = ?", tenant, repo);
}

/** Takes all repositories of a tenant off the list. */
export function deletePublicRepos(db: SqlDatabase, tenant: string): void {
  db.run("DELETE FROM public_repos WHERE tenant = ?", tenant);
}

/** Returns repositories in byte order of their tenants' names, and then of their own. */
export function listPublicRepos(db: SqlDatabase, { after, tenant, limit }: PublicQuery): ListedRepository[] {
  // Every name comes after the empty one.
  const [behindTenant, behindRepo] = [after?.tenant ?? "", after?.repo ?? ""];
  const rows =
    tenant === undefined
      ? db.rows(
          "SELECT tenant, repo FROM public_repos WHERE (tenant, repo) > (?, ?) ORDER BY tenant, repo LIMIT ?",
          behindTenant,
          behindRepo,
          limit,
        )
      : db.rows(
          "SELECT tenant, repo FROM public_repos WHERE tenant = ? AND repo > ? ORDER BY repo LIMIT ?",
          tenant,
          behindRepo,
          limit,
        );
  return Array.from(rows, (row) => ({ tenant: textAt(row, 0), repo: textAt(row, 1) }));
}
