/**
 * What a tenant has beside its repositories, and how it goes to the object of another name: an earlier build addressed
 * tenants by their names as they were written.
 *
 * @packageDocumentation
 */
import type { Belongings } from "../../access/directory.ts";
import { assert } from "../../bytes/assert.ts";
import type { Tables } from "../sql/migrations.ts";
import { type SqlDatabase, textAt } from "../sql/sql-database.ts";
import { insertTenant, readTenant, type TenantRow } from "./tables/tenant.ts";

/** The most rows that go along. A tenant keeps less of its log than that. */
const MOST_ROWS = 60_000;

/**
 * The tables that go along, in the order in which they are taken. Repositories and mirrors enter themselves as they
 * arrive, and Git LFS objects know the name of the tenant that keeps their links.
 */
const TABLES = [
  "tokens",
  "revoked_makers",
  "signing_keys",
  "host_key",
  "ssh_keys",
  "tenant_hooks",
  "usage_days",
  "audit",
] as const;

/** The belongings of one object's tenant. */
export class TenantBelongings {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;

  constructor(db: SqlDatabase, tables: Tables) {
    this.#db = db;
    this.#tables = tables;
  }

  #row(): TenantRow | undefined {
    return this.#tables.exist ? readTenant(this.#db) : undefined;
  }

  /** Returns what goes along with the tenant: all rows of these tables, or as many as fit. */
  list(): Belongings | undefined {
    const row = this.#row();
    if (row === undefined || row.leaving) return undefined;
    let room = MOST_ROWS;
    const tables = TABLES.map((table) => {
      const names = this.#db.rows("SELECT name FROM pragma_table_info(?)", table);
      const columns = Array.from(names, (name) => textAt(name, 0));
      const rows = Array.from(this.#db.rows(`SELECT ${columns.join(", ")} FROM ${table} LIMIT ?`, room));
      room -= rows.length;
      return { table, columns, rows };
    });
    return { record: row.record, tables };
  }

  /** Makes a tenant of what another's object had. Returns whether it did: one that is there, or is leaving, stays. */
  takeOver({ record, tables }: Belongings): boolean {
    return this.#tables.transaction(() => {
      if (this.#row() !== undefined) return false;
      this.#tables.make();
      insertTenant(this.#db, record.name, record.settings, record.createdAt);
      for (const each of tables) this.#insert(each);
      return true;
    });
  }

  #insert({ table, columns, rows }: Belongings["tables"][number]): void {
    assert(
      TABLES.some((known) => known === table),
      "a table that goes along",
    );
    const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    for (const row of rows) this.#db.run(sql, ...row);
  }
}
