/**
 * The little of SQLite that the tables need, so that they run on a Durable Object's database and on Node's own in a unit test.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../bytes/failure.ts";

/** What a column holds. Blobs are always `Uint8Array`, whatever the engine gives. */
export type SqlValue = string | number | null | Uint8Array;

/** The columns of a row, in the order of the select list. */
export type SqlRow = readonly SqlValue[];

/** A synchronous database. */
export interface SqlDatabase {
  run(sql: string, ...parameters: SqlValue[]): void;
  /** Gives rows as they are read: the tables read from must not change before the iteration ends. */
  rows(sql: string, ...parameters: SqlValue[]): Iterable<SqlRow>;
  /** All or nothing: an exception undoes what `work` did. Transactions don't nest. */
  transaction<T>(work: () => T): T;
}

/** Cloudflare's documented bound on a string, a blob and a row; not enforced locally, so it is asserted. */
export const SQL_VALUE_LIMIT = 2_000_000;

/** Gives the first row; `undefined` where there is none. */
export function firstRow(rows: Iterable<SqlRow>): SqlRow | undefined {
  for (const row of rows) return row;
  return undefined;
}

/** Gives a text column. @throws CorruptStore where it is something else. */
export function textAt(row: SqlRow, column: number): string {
  const value = row[column];
  if (typeof value !== "string") throw new CorruptStore(`column ${column} is not text`);
  return value;
}

/** Gives an integer column. @throws CorruptStore where it is something else. */
export function integerAt(row: SqlRow, column: number): number {
  const value = row[column];
  if (typeof value !== "number") throw new CorruptStore(`column ${column} is not a number`);
  return value;
}

/** Gives a blob column. @throws CorruptStore where it is something else. */
export function blobAt(row: SqlRow, column: number): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new CorruptStore(`column ${column} is not a blob`);
  return value;
}

/** Parameters of about this many characters go into one statement. */
const JSON_CHUNK = 400_000;

/**
 * Cuts a list into JSON arrays for `json_each(?)`. That is how many rows go in or are looked up in one statement: it is ten times
 * faster than a statement a row, and not bound by the hundred parameters a statement may have.
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
