/**
 * The Worker whose alarms and queues take turns, on a platform that keeps a past of its objects, which the local one does not: each
 * database is remembered as it was after every transaction, and an object begins its next life with the one that it was told to.
 *
 * @packageDocumentation
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
 */
import type { Env } from "../../src/env.ts";
import { NOW_PATH } from "../support/observed-paths.ts";
import faulty, {
  DirectoryObject as TurnedDirectory,
  LenderObject as TurnedLender,
  RepositoryObject as TurnedRepository,
  TenantObject as TurnedTenant,
} from "./faults-entry.ts";

type Row = readonly SqlStorageValue[];
type Table = { readonly name: string; readonly columns: readonly string[]; readonly rows: readonly Row[] };
/** A database: the statements that make it, and its rows. */
type Database = { readonly at: number; readonly statements: readonly string[]; readonly tables: readonly Table[] };

/** The past of each object, by its id. */
const pasts = new Map<string, Database[]>();
/** With which database an object begins its next life. */
const next = new Map<string, Database>();

const OWN = "name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";
const COUNTS = "sqlite_sequence";

function rowsOf(sql: SqlStorage, text: string, ...bindings: SqlStorageValue[]): Row[] {
  return [...sql.exec(text, ...bindings).raw()];
}

/** Returns a text of the schema's. */
function textOf(value: SqlStorageValue | undefined): string {
  if (typeof value !== "string") throw new TypeError("a name, or a statement");
  return value;
}

function tableOf(sql: SqlStorage, name: string): Table {
  const columns = rowsOf(sql, "SELECT name FROM pragma_table_info(?)", name).map(([column]) => textOf(column));
  return { name, columns, rows: rowsOf(sql, `SELECT ${columns.join(", ")} FROM ${name}`) };
}

/** Reads all of a database. */
function databaseOf(sql: SqlStorage): Database {
  const made = rowsOf(
    sql,
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND ${OWN} ORDER BY type DESC`,
  );
  const names = made.filter(([type]) => type === "table").map(([, name]) => textOf(name));
  const isCounted = rowsOf(sql, "SELECT 1 FROM sqlite_master WHERE name = ?", COUNTS).length > 0;
  return {
    at: Date.now(),
    statements: made.map(([, , statement]) => textOf(statement)),
    tables: [...names, ...(isCounted ? [COUNTS] : [])].map((name) => tableOf(sql, name)),
  };
}

/** Puts a database in the place of the present one. */
function replaceBy(sql: SqlStorage, { statements, tables }: Database): void {
  for (const [name] of rowsOf(sql, `SELECT name FROM sqlite_master WHERE type = 'table' AND ${OWN}`))
    sql.exec(`DROP TABLE ${textOf(name)}`);
  for (const statement of statements) sql.exec(statement);
  for (const { name, columns, rows } of tables) {
    if (name === COUNTS) sql.exec(`DELETE FROM ${COUNTS}`);
    const places = columns.map(() => "?").join(", ");
    for (const row of rows) sql.exec(`INSERT INTO ${name} (${columns.join(", ")}) VALUES (${places})`, ...row);
  }
}

/** Has a database remembered, and go back when the object is made. */
function withPast(state: DurableObjectState, kind: string): DurableObjectState {
  const { storage } = state;
  const { sql } = storage;
  const key = `${kind} ${String(state.id.name)}`;
  const past = pasts.get(key) ?? [];
  pasts.set(key, past);
  const remember = (): Database => {
    const database = databaseOf(sql);
    past.push(database);
    return database;
  };
  const transact = storage.transactionSync.bind(storage);
  const asked = next.get(key);
  next.delete(key);
  if (asked !== undefined) transact(() => replaceBy(sql, asked));
  storage.transactionSync = (work) => {
    try {
      return transact(work);
    } finally {
      remember();
    }
  };
  storage.getBookmarkForTime = async (at) => {
    remember();
    const found = past.findLastIndex((database) => database.at <= Number(at));
    if (found === -1) throw new Error("there was nothing then");
    return String(found);
  };
  storage.onNextSessionRestoreBookmark = async (bookmark) => {
    const database = past[Number(bookmark)];
    if (database === undefined) throw new Error("a bookmark that was never given");
    remember();
    next.set(key, database);
    return String(past.length - 1);
  };
  return state;
}

/** The object, whose past is kept. */
export class DirectoryObject extends TurnedDirectory {
  constructor(state: DurableObjectState, env: Env) {
    super(withPast(state, "directory"), env);
  }
}

/** The object, whose past is kept. */
export class TenantObject extends TurnedTenant {
  constructor(state: DurableObjectState, env: Env) {
    super(withPast(state, "tenant"), env);
  }
}

/** The object, whose past is kept. */
export class RepositoryObject extends TurnedRepository {
  constructor(state: DurableObjectState, env: Env) {
    super(withPast(state, "repository"), env);
  }
}

/** The object, whose past is kept. */
export class LenderObject extends TurnedLender {
  constructor(state: DurableObjectState, env: Env) {
    super(withPast(state, "lender"), env);
  }
}

// eslint-disable-next-line import/no-default-export -- what workerd looks for
export default {
  ...faulty,
  fetch: async (request, env, context) =>
    new URL(request.url).pathname === NOW_PATH
      ? new Response(new Date(Date.now()).toISOString())
      : await faulty.fetch(request, env, context),
} satisfies ExportedHandler<Env>;
