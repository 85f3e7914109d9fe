/**
 * Opens databases that earlier builds left, as an object does that wakes, and shows what they are then. In Node and in workerd.
 *
 * @packageDocumentation
 */
import type { OpenPage } from "../../src/durable/repository/open-page.ts";
import { RepositoryDatabase } from "../../src/durable/repository/repository-database.ts";
import { LenderDatabase } from "../../src/durable/lender/lender-database.ts";
import { Tables } from "../../src/durable/sql/migrations.ts";
import { DIRECTORY_SCHEMA } from "../../src/durable/tenant/schema.ts";
import { type SqlDatabase, textAt } from "../../src/durable/sql/sql-database.ts";
import { TenantDatabase } from "../../src/durable/tenant/tenant-database.ts";

/** Which object. */
export type DatabaseKind = "repository" | "tenant" | "directory" | "lender";

/** What there is after waking: each table and index by name, as it was made; and what a reader of a repository gets. */
export type Woken = { readonly made: Record<string, string>; readonly opened?: OpenPage };

/** Runs the statements of an earlier build and wakes the object. */
export function wake(db: SqlDatabase, kind: DatabaseKind, statements: readonly string[]): Woken {
  for (const statement of statements) db.run(statement);
  const opened = open(db, kind);
  const rows = db.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND substr(name, 1, 4) <> '_cf_'");
  const made = Object.fromEntries(
    Array.from(rows, (row) => [textAt(row, 0), textAt(row, 1)] as const).filter(
      ([name]) => !name.startsWith("sqlite_"),
    ),
  );
  return { made, ...(opened === undefined ? {} : { opened }) };
}

function open(db: SqlDatabase, kind: DatabaseKind): OpenPage | undefined {
  switch (kind) {
    case "repository":
      return new RepositoryDatabase(db, () => "f".repeat(32)).open({ packs: true, refPrefixes: [] });
    case "tenant":
      new TenantDatabase(db, "acme", () => "f".repeat(32)).describe();
      return undefined;
    case "lender":
      void new LenderDatabase(db);
      return undefined;
    case "directory":
      void new Tables(db, DIRECTORY_SCHEMA);
      return undefined;
  }
}
