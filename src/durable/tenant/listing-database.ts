/**
 * What a tenant has to tell the directory of its public repositories.
 *
 * @packageDocumentation
 */
import type { Tables } from "../sql/migrations.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { setPublic } from "./tables/tenant-repos.ts";
import { deleteListings, type DueListing, hasDueListings, listDueListings } from "./tables/listing-changes.ts";

/** The changes of one object's tenant that the directory does not know yet. */
export class ListingDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;

  constructor(db: SqlDatabase, tables: Tables) {
    this.#db = db;
    this.#tables = tables;
  }

  /** See `TenantRegistry.noteVisibility`. */
  noteVisibility(repo: string, visibility: "private" | "public"): void {
    this.#tables.transaction(() => {
      if (this.#tables.exist) setPublic(this.#db, repo, visibility === "public");
    });
  }

  /** Whether there are some. */
  get isDue(): boolean {
    return this.#tables.exist && hasDueListings(this.#db);
  }

  /** Returns some, as they are now. */
  due(limit: number): DueListing[] {
    return this.#tables.exist ? listDueListings(this.#db, limit) : [];
  }

  /** Notes that the directory was told. */
  told(changes: readonly DueListing[]): void {
    this.#tables.transaction(() => deleteListings(this.#db, changes));
  }
}
