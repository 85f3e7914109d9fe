import { describe, expect, it } from "vitest";
import { addColumn, type Schema, Tables } from "../../../../src/durable/sql/migrations.ts";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { CREATION } from "../../../suites/ref-store.ts";
import { schemaSuite, statementsOf } from "../../../suites/schema.ts";
import { nodeSql } from "../../../support/node-sql.ts";
import { wake } from "../../../support/wake.ts";

schemaSuite("in memory", async (kind, statements) => wake(nodeSql(), kind, statements));

/** Two versions of one table; `spoil` is done by the second step after its work. */
function schema(version: 1 | 2, spoil: () => void = () => undefined): Schema {
  const added = version === 2 ? ", b INTEGER NOT NULL DEFAULT 7" : "";
  const steps = [
    () => undefined,
    (db: SqlDatabase): void => {
      addColumn(db, "t", "b INTEGER NOT NULL DEFAULT 7");
      db.run("UPDATE t SET b = b + 1");
      spoil();
    },
  ];
  const index = version === 2 ? ["CREATE INDEX IF NOT EXISTS t_b ON t (b)"] : [];
  return {
    first: "t",
    tables: [[`CREATE TABLE IF NOT EXISTS t (a TEXT${added})`, ...index].join(";")],
    steps: steps.slice(0, version),
  };
}

function oldDatabase(): SqlDatabase {
  const db = nodeSql();
  const tables = new Tables(db, schema(1));
  tables.transaction(() => tables.make());
  db.run("INSERT INTO t VALUES ('x')");
  return db;
}

describe("a step", () => {
  it("is taken once, however often the object wakes", () => {
    const db = oldDatabase();
    for (let times = 0; times < 3; times++) expect(new Tables(db, schema(2)).exist).toBe(true);
    expect([...db.rows("SELECT a, b FROM t")]).toEqual([["x", 8]]);
  });

  it("that fails leaves the database as it was", () => {
    const db = oldDatabase();
    const spoil = (): void => {
      throw new Error("no room");
    };
    expect(() => new Tables(db, schema(2, spoil))).toThrow("no room");
    expect([...db.rows("SELECT * FROM t")]).toEqual([["x"]]);
    expect([...db.rows("SELECT version FROM schema_version")]).toEqual([[1]]);
    // The next build has it right.
    expect(new Tables(db, schema(2)).exist).toBe(true);
    expect([...db.rows("SELECT a, b FROM t")]).toEqual([["x", 8]]);
  });

  it("is not taken on a database that is made now", () => {
    const db = nodeSql();
    const tables = new Tables(db, schema(2));
    expect(tables.exist).toBe(false);
    tables.transaction(() => {
      tables.make();
      db.run("INSERT INTO t (a) VALUES ('x')");
    });
    expect([...db.rows("SELECT a, b FROM t")]).toEqual([["x", 7]]);
  });
});

describe("waking", () => {
  it("writes nothing where the schema is the present one", () => {
    const inner = nodeSql();
    new RepositoryDatabase(inner, () => "1".repeat(32)).create(CREATION, 0);
    let writes = 0;
    const db: SqlDatabase = {
      run: () => {
        writes++;
      },
      rows: (sql, ...parameters) => inner.rows(sql, ...parameters),
      transaction: (work) => {
        writes++;
        return inner.transaction(work);
      },
      transactionInTurns: async (work) => await inner.transactionInTurns(work),
    };
    expect(new RepositoryDatabase(db, () => "2".repeat(32)).describe()?.id).toBe("1".repeat(32));
    expect(writes).toBe(0);
  });

  it("knows that tables went with a transaction that failed", () => {
    const db = nodeSql();
    const failing: SqlDatabase = {
      ...db,
      run: (sql, ...parameters) => {
        if (sql.startsWith("INSERT INTO repository")) throw new Error("no room");
        db.run(sql, ...parameters);
      },
    };
    const database = new RepositoryDatabase(failing, () => "1".repeat(32));
    expect(() => database.create(CREATION, 0)).toThrow("no room");
    expect(database.describe()).toBeUndefined();
  });
});

it("a repository of the oldest build is pushed to", () => {
  const db = nodeSql();
  for (const statement of statementsOf("repository", 0)) db.run(statement);
  const database = new RepositoryDatabase(db, () => "1".repeat(32));
  expect(database.describe()).toBeUndefined();
  expect(database.create(CREATION, 0)).toMatchObject({ kind: "created" });
  const request = { names: ["refs/heads/main"], packName: "p" };
  expect(database.beginPush(request, 0)).toMatchObject({ kind: "begun", current: [""] });
});
