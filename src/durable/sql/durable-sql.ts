/**
 * Adapts a Durable Object's SQLite to {@link SqlDatabase}.
 *
 * @packageDocumentation
 */
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";

function* rowsOf(cursor: Iterable<SqlStorageValue[]>): Generator<SqlRow> {
  for (const row of cursor)
    yield row.map((value): SqlValue => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
}

/** Returns the database that the tables work on. The runtime caches statements by their text. */
export function durableSql(storage: DurableObjectStorage): SqlDatabase {
  return {
    run: (sql, ...parameters) => {
      storage.sql.exec(sql, ...parameters);
    },
    rows: (sql, ...parameters) => rowsOf(storage.sql.exec(sql, ...parameters).raw()),
    transaction: (work) => storage.transactionSync(work),
    // The runtime holds back the object's events until it has ended.
    transactionInTurns: async (work) => await storage.transaction(async () => await work()),
  };
}
