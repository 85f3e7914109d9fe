/**
 * Node's SQLite as the Durable Object's tables want it: the same statements, tested without workerd.
 *
 * @packageDocumentation
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlRow, SqlValue } from "../../src/durable/sql/sql-database.ts";

/** Opens a database in memory. */
export function nodeSql(): SqlDatabase {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    statements.set(sql, statement);
    return statement;
  };
  const begin = (): void => database.exec("BEGIN IMMEDIATE");
  const commit = <T>(result: T): T => {
    database.exec("COMMIT");
    return result;
  };
  return {
    run: (sql, ...parameters) => {
      prepared(sql).run(...parameters);
    },
    rows: (sql, ...parameters) => Array.from<unknown, SqlRow>(prepared(sql).all(...parameters), rowOf),
    transaction: (work) => {
      begin();
      try {
        return commit(work());
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    // Nothing holds back others here: a test that lets them come in between finds them within the transaction.
    transactionInTurns: async (work) => {
      begin();
      try {
        return commit(await work());
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

function rowOf(row: unknown): SqlRow {
  if (!Array.isArray(row)) throw new TypeError("not a row");
  return row.map((value: unknown): SqlValue => {
    if (typeof value === "string" || typeof value === "number" || value === null || value instanceof Uint8Array)
      return value;
    throw new TypeError(`a ${typeof value} in a row`);
  });
}
