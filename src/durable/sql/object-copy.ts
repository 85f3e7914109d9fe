/**
 * Copies all rows of an object's database out as text, and puts such a text in their place.
 *
 * A page is one synchronous call: no change comes in between within it. Several pages belong together as long as nothing
 * was written between them. What is put back is staged first, in a table that no schema names, and then installed in one
 * transaction, with the statements that made its tables then: so an older copy takes the same steps as an older database.
 *
 * @packageDocumentation
 */
import { assert } from "../../bytes/assert.ts";
import { encodeBase64 } from "../../signing/ssh-reader.ts";
import {
  COPY_FORMAT,
  type CopiedPage,
  type CopyPlace,
  type InstallAnswer,
  type ObjectKind,
  type Whereabouts,
} from "../../access/object-copies.ts";
import { isNoText, memberOf, NoCopy, StagedText, textsOf, valueOf } from "./staged-text.ts";
import { buildTables, type Schema, schemaVersion, tableNames } from "./migrations.ts";
import { firstRow, hasTable, integerAt, type SqlDatabase, type SqlRow, type SqlValue, textAt } from "./sql-database.ts";

/**
 * The text of a page, after which it gets no further row. It is held several times while it is made; a row takes 2.7 MB at most, and a call
 * 32 MiB. Characters.
 */
const PAGE_TEXT = 4 * 1024 * 1024;
/** The most rows that are carried over a recovery, in memory. */
const MOST_KEPT_ROWS = 100_000;
/** The table of the id of a repository that was installed, and is not entered yet. No schema names it. */
const UNENTERED = "restored_unentered";
/** What begins the name of a table that holds present rows while a copy is installed. */
const PRESENT = "present_";
/** What a database says of a row that no table takes. */
const NO_ROW = /constraint|mismatch|no column|has no/i;

/** Rows of a table that stay whatever comes from a copy or from the past. */
export type KeptRows = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
};

/** What one object is, to be copied. */
export type CopiedKind = {
  readonly kind: ObjectKind;
  readonly schema: Schema;
  /** Says to the tables what holds no more, as what was under way: a part of the transaction that installs a copy. */
  readonly settle: (db: SqlDatabase, now: number) => void;
  /** Tables whose present rows stay, beside those of a copy: they say what holds elsewhere, too. */
  readonly outliving?: readonly string[];
  /** What a repository's object knows of repositories by their ids. */
  readonly repositories?: {
    readonly whereabouts: (db: SqlDatabase, id: string) => Whereabouts;
    readonly departed: (db: SqlDatabase) => string[];
    readonly leaseStrays: (db: SqlDatabase, names: readonly string[], now: number) => void;
  };
};

/** A table as it stands in a database. */
type TableShape = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly statements: readonly string[];
};

function shapeOf(db: SqlDatabase, name: string): TableShape {
  const info = Array.from(db.rows("SELECT name, pk FROM pragma_table_info(?)", name), (row) => ({
    column: textAt(row, 0),
    key: integerAt(row, 1),
  }));
  const key = info.filter((each) => each.key > 0).toSorted((a, b) => a.key - b.key);
  assert(key.length > 0, "every table has a primary key");
  const sql = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC, name";
  return {
    name,
    columns: info.map(({ column }) => column),
    key: key.map(({ column }) => column),
    statements: Array.from(db.rows(sql, name), (row) => textAt(row, 0)),
  };
}

function* rowsAfter(db: SqlDatabase, shape: TableShape, after: readonly SqlValue[] | undefined): Iterable<SqlRow> {
  const { name, columns, key } = shape;
  const keys = key.join(", ");
  const beyond = after === undefined ? "" : `WHERE (${keys}) > (${key.map(() => "?").join(", ")})`;
  yield* db.rows(`SELECT ${columns.join(", ")} FROM ${name} ${beyond} ORDER BY ${keys}`, ...(after ?? []));
}

/** Returns the key of a row. */
function keyOf({ key, columns }: TableShape, row: SqlRow): SqlValue[] {
  return key.map((column) => {
    const value = row[columns.indexOf(column)];
    assert(value !== undefined, "a key's column is one of the table's");
    return value;
  });
}

/** The lines of one page. */
class PageText {
  readonly #most: number;
  readonly #lines: string[] = [];
  #size = 0;

  /** The page is full with `most` characters of rows. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether the next row has to go into another page. */
  get isFull(): boolean {
    return this.#size >= this.#most;
  }

  add(line: object): void {
    this.#lines.push(JSON.stringify(line), "\n");
  }

  addRow(row: SqlRow): void {
    this.add(row.map((value) => (value instanceof Uint8Array ? { base64: encodeBase64(value) } : value)));
    this.#size += this.#lines.at(-2)?.length ?? 0; // It was added just now.
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#lines.join(""));
  }
}

/** The copies of one object's database. */
export class ObjectCopy {
  readonly #db: SqlDatabase;
  readonly #kind: CopiedKind;
  /** The copy that is to be installed. */
  readonly staged: StagedText;
  /** Two objects in memory count their changes anew. */
  readonly #instance = crypto.randomUUID();

  constructor(db: SqlDatabase, kind: CopiedKind) {
    this.#db = db;
    this.#kind = kind;
    this.staged = new StagedText(db);
  }

  /** Whether there is what the object is for. */
  get exists(): boolean {
    const { first } = this.#kind.schema;
    return hasTable(this.#db, first) && firstRow(this.#db.rows(`SELECT 1 FROM ${first} LIMIT 1`)) !== undefined;
  }

  /** Whether a repository was installed whose restore was interrupted before it was entered everywhere. */
  get isUnentered(): boolean {
    if (!hasTable(this.#db, UNENTERED)) return false;
    const { first } = this.#kind.schema;
    return firstRow(this.#db.rows(`SELECT 1 FROM ${UNENTERED} WHERE id IN (SELECT id FROM ${first})`)) !== undefined;
  }

  /** See `ObjectCopies.entered`. */
  entered(): void {
    this.#db.run(`DROP TABLE IF EXISTS ${UNENTERED}`);
  }

  /** A name of the present state of the database. No other state of this object has it. */
  get #state(): string {
    const row = firstRow(this.#db.rows("SELECT total_changes()"));
    assert(row !== undefined, "a count of changes");
    return `${this.#instance}.${integerAt(row, 0)}`;
  }

  /** The version of the schema; `undefined` where there is nothing to copy: what outlives a repository is no repository. */
  get #version(): number | undefined {
    const { schema, repositories } = this.#kind;
    if (repositories === undefined ? !hasTable(this.#db, schema.first) : !this.exists) return undefined;
    return schemaVersion(this.#db, schema);
  }

  /** See `ObjectCopies.page`. */
  page(place?: CopyPlace, most = PAGE_TEXT): CopiedPage {
    const { kind, schema } = this.#kind;
    const state = this.#state;
    if (place !== undefined && place.state !== state) return { kind: "changed" };
    const version = this.#version;
    if (version === undefined) return { kind: "missing" };
    const page = new PageText(most);
    if (place === undefined) page.add({ format: COPY_FORMAT, kind, version });
    const begin = place ?? { state, table: 0, rows: 0 };
    let { rows } = begin;
    for (const [table, name] of tableNames(schema).entries()) {
      if (table < begin.table) continue;
      const shape = shapeOf(this.#db, name);
      const after = table === begin.table ? begin.after : undefined;
      if (after === undefined) page.add({ table: name, statements: shape.statements, columns: shape.columns });
      for (const row of rowsAfter(this.#db, shape, after)) {
        page.addRow(row);
        rows += 1;
        if (page.isFull)
          return { kind: "page", bytes: page.bytes(), next: { state, table, after: keyOf(shape, row), rows } };
      }
    }
    page.add({ rows });
    return { kind: "page", bytes: page.bytes() };
  }

  /** See `ObjectCopies.whereabouts`. */
  whereabouts(id: string): Whereabouts {
    const { repositories, schema } = this.#kind;
    if (repositories === undefined || !hasTable(this.#db, schema.first)) return { kind: "unknown" };
    return repositories.whereabouts(this.#db, id);
  }

  /** See `ObjectCopies.departed`. */
  departed(): string[] {
    const { repositories, schema } = this.#kind;
    return repositories === undefined || !hasTable(this.#db, schema.first) ? [] : repositories.departed(this.#db);
  }

  /** See `ObjectCopies.leaseStrays`. */
  leaseStrays(names: readonly string[]): void {
    const { repositories } = this.#kind;
    if (repositories === undefined || !this.exists) return;
    this.#db.transaction(() => repositories.leaseStrays(this.#db, names, Date.now()));
  }

  /** See `ObjectCopies.install`. A copy that is not taken is dropped. */
  install(replace: boolean): InstallAnswer {
    const answer = this.#tryInstall(replace);
    if (answer.kind !== "installed") this.staged.discard();
    return answer;
  }

  #tryInstall(replace: boolean): InstallAnswer {
    if (!replace && this.exists) return { kind: "taken" };
    try {
      const rows = this.#db.transaction(() => this.#install());
      return { kind: "installed", rows };
    } catch (error) {
      if (isNoText(error)) return { kind: "refused", why: error.message };
      throw error;
    }
  }

  /** Returns the rows that a recovery must not take back; `undefined` if they are too many to be carried over. */
  keptRows(): KeptRows[] | undefined {
    const kept: KeptRows[] = [];
    let room = MOST_KEPT_ROWS;
    for (const table of this.#kind.outliving ?? []) {
      if (!hasTable(this.#db, table)) continue;
      const { columns } = shapeOf(this.#db, table);
      const rows = Array.from(this.#db.rows(`SELECT ${columns.join(", ")} FROM ${table} LIMIT ?`, room + 1));
      room -= rows.length;
      if (room < 0) return undefined;
      if (rows.length > 0) kept.push({ table, columns, rows });
    }
    return kept;
  }

  /** Puts rows back that a recovery must not take back, and says to the tables what holds no more. */
  settle(kept: readonly KeptRows[] = []): void {
    const { schema, settle } = this.#kind;
    this.#db.transaction(() => {
      if (kept.length > 0) buildTables(this.#db, schema, schemaVersion(this.#db, schema) ?? schema.steps.length);
      for (const { table, columns, rows } of kept) {
        const sql = `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
        for (const row of rows) this.#db.run(sql, ...row);
      }
      if (this.exists) settle(this.#db, Date.now());
    });
  }

  #install(): number {
    if (!this.staged.isThere) throw new NoCopy("nothing was staged");
    const { kind, schema, settle } = this.#kind;
    const lines = this.staged.lines();
    const head: unknown = lines.next().value;
    const version = memberOf(head, "version");
    if (memberOf(head, "format") !== COPY_FORMAT || memberOf(head, "kind") !== kind || typeof version !== "number")
      throw new NoCopy(`it is no copy of a ${kind}`);
    if (version > schema.steps.length)
      throw new NoCopy(`it has schema ${version}, and this build knows ${schema.steps.length}: deploy a later one`);
    const kept = (this.#kind.outliving ?? []).filter((name) => hasTable(this.#db, name));
    for (const name of kept) this.#db.run(`CREATE TABLE ${PRESENT}${name} AS SELECT * FROM ${name}`);
    for (const name of tableNames(schema)) this.#db.run(`DROP TABLE IF EXISTS ${name}`);
    const rows = this.#fill(lines);
    if (this.#kind.repositories !== undefined && !this.exists) throw new NoCopy("it has no repository");
    buildTables(this.#db, schema, version);
    for (const name of kept) this.#putBack(name);
    if (this.exists) settle(this.#db, Date.now());
    this.staged.discard();
    if (this.#kind.repositories !== undefined) {
      this.entered();
      this.#db.run(`CREATE TABLE ${UNENTERED} AS SELECT id FROM ${schema.first}`);
    }
    return rows;
  }

  /** Has the rows that a table had before stay, beside those of a copy. */
  #putBack(name: string): void {
    const columns = shapeOf(this.#db, name).columns.join(", ");
    this.#db.run(`INSERT OR REPLACE INTO ${name} (${columns}) SELECT ${columns} FROM ${PRESENT}${name}`);
    this.#db.run(`DROP TABLE ${PRESENT}${name}`);
  }

  /** Adds a row of a copy. */
  #insert(sql: string, row: readonly SqlValue[]): void {
    try {
      this.#db.run(sql, ...row);
    } catch (error) {
      const why = String(error);
      throw NO_ROW.test(why) ? new NoCopy(`a row does not fit: ${why}`) : error;
    }
  }

  /** Makes the tables of a text, with their rows. Returns the number of rows. */
  #fill(lines: Iterable<unknown>): number {
    let insert = "";
    let width = 0;
    let rows = 0;
    let indexes: string[] = [];
    let total: unknown;
    for (const line of lines) {
      if (total !== undefined) throw new NoCopy("it goes on after its end");
      if (Array.isArray(line)) {
        if (insert === "" || line.length !== width) throw new NoCopy("a row is of no table");
        this.#insert(insert, line.map(valueOf));
        rows += 1;
        continue;
      }
      for (const statement of indexes) this.#db.run(statement);
      total = memberOf(line, "rows");
      if (total !== undefined) continue;
      const name = memberOf(line, "table");
      if (typeof name !== "string" || !/^[a-z_]+$/.test(name)) throw new NoCopy("a line is no table");
      const columns = textsOf(memberOf(line, "columns"));
      indexes = this.#makeTable(name, textsOf(memberOf(line, "statements")));
      if (!columns.every((column) => /^[a-z_]+$/.test(column))) throw new NoCopy("a column has no name");
      width = columns.length;
      insert = `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    }
    if (total !== rows) throw new NoCopy("it is cut off");
    return rows;
  }

  /** Makes a table of a text. Returns the statements of its indexes, for when its rows are there. */
  #makeTable(name: string, statements: readonly string[]): string[] {
    const [table = "", ...indexes] = statements;
    const isOfTable = table.startsWith(`CREATE TABLE ${name} (`) && !table.includes(";");
    const index = new RegExp(String.raw`^CREATE (?:UNIQUE )?INDEX \w+ ON ${name} \([^;]*$`);
    if (!isOfTable || !indexes.every((each) => index.test(each)))
      throw new NoCopy(`${name} is made by other statements`);
    // A table that the present schema does not have any more goes with a step of the migration.
    this.#db.run(`DROP TABLE IF EXISTS ${name}`);
    this.#db.run(table);
    return indexes;
  }
}
