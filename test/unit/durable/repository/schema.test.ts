/** The tables of a repository's database: which of them a removal empties. */
import { expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import { integerAt, type SqlDatabase, textAt } from "../../../../src/durable/sql/sql-database.ts";
import { CREATION } from "../../../suites/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

/** What a removed repository leaves: its version of the schema, what is to be deleted or returned, and where readers were sent. */
const LEFT = [
  "doomed_prefixes",
  "lfs_leaving",
  "lfs_sweep",
  "log_ends",
  "mirror_pointer",
  "moved",
  "pack_returns",
  "schema_version",
];

function tablesOf(db: SqlDatabase): string[] {
  const rows = db.rows(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  return Array.from(rows, (row) => textAt(row, 0));
}

function rowsIn(db: SqlDatabase, table: string): number {
  return Array.from(db.rows(`SELECT count(*) FROM ${table}`), (row) => integerAt(row, 0))[0] ?? 0;
}

/** Gives each empty table a row: 1 for numbers, "x" for text. */
function fill(db: SqlDatabase): void {
  for (const table of tablesOf(db).filter((name) => rowsIn(db, name) === 0)) {
    const columns = Array.from(db.rows("SELECT name, type FROM pragma_table_info(?)", table), (row) => ({
      name: textAt(row, 0),
      value: { INTEGER: "1", TEXT: "'x'", BLOB: "x'01'" }[textAt(row, 1)] ?? "NULL",
    }));
    const names = columns.map(({ name }) => name).join(", ");
    db.run(`INSERT INTO ${table} (${names}) VALUES (${columns.map(({ value }) => value).join(", ")})`);
  }
}

it("a repository that is removed leaves rows only in the tables that say what is still to be done", () => {
  const db = nodeSql();
  const database = new RepositoryDatabase(db, () => "1".repeat(32));
  database.create(CREATION, 0);
  fill(db);
  const tables = tablesOf(db);
  expect(tables.filter((table) => rowsIn(db, table) === 0)).toEqual([]);
  expect(database.remove(0)).toBe(true);
  expect(tables.filter((table) => rowsIn(db, table) > 0)).toEqual(LEFT);
});
