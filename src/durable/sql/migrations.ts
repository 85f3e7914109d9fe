/**
 * Brings the tables of a database to the present schema, whichever build made them. That happens once, in one
 * transaction, when the object wakes.
 *
 * A row of its own keeps the version: the number of steps that the database has behind it. (`PRAGMA user_version` would
 * be the place for it, but a Durable Object may not use that.) A database that was never written to has no tables; it
 * gets the present ones when it needs them.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../bytes/failure.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "./sql-database.ts";

/**
 * Changes what earlier builds left. New tables are there already, empty, and new indexes come after: a step adds
 * columns, moves rows and drops what is no longer needed. It runs once on each database. It may find its work done by
 * the new tables; `addColumn` allows for that.
 */
export type MigrationStep = (db: SqlDatabase) => void;

/** The tables of one kind of database, and the steps that bring older databases to them. */
export type Schema = {
  /** The table that every database of this kind has had since the first build. */
  readonly first: string;
  /** The statements that make a new database, separated by `;`. They do nothing where they were run before. */
  readonly tables: readonly string[];
  /**
   * A change of `tables` adds a step here, even if it is an empty one for a new table. The first step is for databases
   * without a version.
   */
  readonly steps: readonly MigrationStep[];
};

const VERSION_DDL = `CREATE TABLE IF NOT EXISTS schema_version (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
)`;

/** Adds a column, unless it is there. `definition` is as in the table's DDL; a `NOT NULL` column needs a `DEFAULT`. */
export function addColumn(db: SqlDatabase, table: string, definition: string): void {
  const [column = ""] = definition.split(" ");
  if (firstRow(db.rows("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", table, column)) !== undefined) return;
  db.run(`ALTER TABLE ${table} ADD COLUMN ${definition}`);
}

function statementsOf({ tables }: Schema): string[] {
  return tables.flatMap((ddl) => ddl.split(";"));
}

/** Returns the version: 0 for a database older than versions, `undefined` for one without tables. */
export function schemaVersion(db: SqlDatabase, { first }: Schema): number | undefined {
  const sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN (?, 'schema_version')";
  const found = Array.from(db.rows(sql, first), (row) => textAt(row, 0));
  if (found.length === 0) return undefined;
  const row = found.includes("schema_version") ? firstRow(db.rows("SELECT version FROM schema_version")) : undefined;
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Returns the names of a schema's tables, in the order of its statements. */
export function tableNames({ tables }: Schema): string[] {
  return tables.flatMap((ddl) =>
    Array.from(ddl.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g), ([, name = ""]) => name),
  );
}

/** Makes missing tables and takes the steps after `version`, as a part of the caller's transaction. */
export function buildTables(db: SqlDatabase, schema: Schema, version: number): void {
  const isTable = (statement: string): boolean => statement.trimStart().startsWith("CREATE TABLE");
  const statements = statementsOf(schema);
  for (const statement of statements.filter(isTable)) db.run(statement);
  for (const step of schema.steps.slice(version)) step(db);
  for (const statement of statements) if (!isTable(statement)) db.run(statement);
  db.run(VERSION_DDL);
  db.run("INSERT OR REPLACE INTO schema_version (one, version) VALUES (1, ?)", schema.steps.length);
}

/** The tables of one database, which may not exist yet. */
export class Tables {
  readonly #db: SqlDatabase;
  readonly #schema: Schema;
  #exist: boolean;

  /**
   * Brings existing tables up to date. Must be called outside any transaction.
   *
   * @throws CorruptStore if a later build has written here: this one does not know what its tables mean.
   */
  constructor(db: SqlDatabase, schema: Schema) {
    this.#db = db;
    this.#schema = schema;
    const version = schemaVersion(db, schema);
    const present = schema.steps.length;
    if (version !== undefined && version > present)
      throw new CorruptStore(`the database has schema ${version}, and this build knows ${present}: deploy a later one`);
    if (version !== undefined && version < present) db.transaction(() => buildTables(db, schema, version));
    this.#exist = version !== undefined;
  }

  /** Whether the tables exist. Asking writes nothing, so a guessed name leaves no row. */
  get exist(): boolean {
    return this.#exist;
  }

  /** Makes the tables if they are missing, as a part of {@link transaction}. */
  make(): void {
    if (this.#exist) return;
    buildTables(this.#db, this.#schema, this.#schema.steps.length);
    this.#exist = true;
  }

  /** Runs `work` in a transaction: all or nothing, including {@link make}. */
  transaction<T>(work: () => T): T {
    const existed = this.#exist;
    try {
      return this.#db.transaction(work);
    } catch (error) {
      this.#exist = existed;
      throw error;
    }
  }

  /** Runs `work`, which pauses, in a transaction: see `SqlDatabase.transactionInTurns`. */
  async transactionInTurns<T>(work: () => Promise<T>): Promise<T> {
    const existed = this.#exist;
    try {
      return await this.#db.transactionInTurns(work);
    } catch (error) {
      this.#exist = existed;
      throw error;
    }
  }
}
