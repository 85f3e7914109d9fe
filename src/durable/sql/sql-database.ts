/**
 * The little of SQLite that the tables need. They run on a Durable Object's database, and on Node's own in a unit test.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../bytes/failure.ts";

/** The value of a column. Blobs are always `Uint8Array`, whatever type the engine returns. */
export type SqlValue = string | number | null | Uint8Array;

/** The columns of a row, in the order of the select list. */
export type SqlRow = readonly SqlValue[];

/** A synchronous database. */
export interface SqlDatabase {
  run(sql: string, ...parameters: SqlValue[]): void;
  /** Yields rows as they are read. The tables that are read must not change before the iteration ends. */
  rows(sql: string, ...parameters: SqlValue[]): Iterable<SqlRow>;
  /** Runs `work` in a transaction: an exception undoes everything that it did. Transactions don't nest. */
  transaction<T>(work: () => T): T;
  /**
   * Runs `work`, which pauses, in a transaction: an exception undoes everything that it did. The object gets no other event until it
   * has ended, so that nobody sees a part of it, or writes in between. Other objects of the isolate run during the pauses. It must
   * end within 30 seconds, or the object is reset.
   */
  transactionInTurns<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Cloudflare's documented bound on a string, a blob and a row. The local simulator does not enforce it, so it is
 * asserted here.
 */
export const SQL_VALUE_LIMIT = 2_000_000;

/** Returns the first row; `undefined` if there is none. */
export function firstRow(rows: Iterable<SqlRow>): SqlRow | undefined {
  for (const row of rows) return row;
  return undefined;
}

/**
 * Returns a text column.
 *
 * @throws CorruptStore if it holds something else.
 */
export function textAt(row: SqlRow, column: number): string {
  const value = row[column];
  if (typeof value !== "string") throw new CorruptStore(`column ${column} is not text`);
  return value;
}

/**
 * Returns an integer column.
 *
 * @throws CorruptStore if it holds something else.
 */
export function integerAt(row: SqlRow, column: number): number {
  const value = row[column];
  if (typeof value !== "number") throw new CorruptStore(`column ${column} is not a number`);
  return value;
}

/**
 * Returns a blob column.
 *
 * @throws CorruptStore if it holds something else.
 */
export function blobAt(row: SqlRow, column: number): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new CorruptStore(`column ${column} is not a blob`);
  return value;
}

/** Characters of parameters that go into one statement, approximately. */
const JSON_CHUNK = 400_000;

/**
 * Cuts a list into JSON arrays for `json_each(?)`, so that one statement inserts or looks up many rows. It is ten times
 * faster than a statement per row, and is not limited by the hundred parameters that a statement may have.
 */
export function* jsonChunks(items: Iterable<unknown>): Generator<string> {
  let parts: string[] = [];
  let size = 0;
  for (const item of items) {
    const part = JSON.stringify(item);
    if (size > 0 && size + part.length > JSON_CHUNK) {
      yield `[${parts.join(",")}]`;
      parts = [];
      size = 0;
    }
    parts.push(part);
    size += part.length + 1;
  }
  if (size > 0) yield `[${parts.join(",")}]`;
}

/** Whether one of the database's tables has this name. */
export function hasTable(db: SqlDatabase, name: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name)) !== undefined;
}
