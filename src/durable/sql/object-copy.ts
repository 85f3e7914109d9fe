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
import { decodeBase64 } from "../../bytes/base64.ts";
import { encodeBase64 } from "../../signing/ssh-reader.ts";
import {
  COPY_FORMAT,
  type CopiedPage,
  type CopyPlace,
  type InstallAnswer,
  type ObjectKind,
} from "../../access/object-copies.ts";
import { buildTables, type Schema, schemaVersion, tableNames } from "./migrations.ts";
import { blobAt, firstRow, integerAt, type SqlDatabase, type SqlRow, type SqlValue, textAt } from "./sql-database.ts";

/**
 * The text of a page, after which it gets no further row. It is held several times while it is made; a row takes 2.7 MB at most, and a call
 * 32 MiB. Characters.
 */
const PAGE_TEXT = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;

const STAGING = "restored_pieces";
const STAGING_DDL = `CREATE TABLE IF NOT EXISTS ${STAGING} (piece INTEGER PRIMARY KEY, bytes BLOB NOT NULL)`;

/** What one object is, to be copied. */
export type CopiedKind = {
  readonly kind: ObjectKind;
  readonly schema: Schema;
  /** Says to the tables what holds no more, as what was under way: a part of the transaction that installs a copy. */
  readonly settle: (db: SqlDatabase) => void;
};

/** A table as it stands in a database. */
type TableShape = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly statements: readonly string[];
};

/** Thrown where a text is no copy. */
class NoCopy extends Error {}

/** Whether one of the database's tables has this name. */
function hasTable(db: SqlDatabase, name: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name)) !== undefined;
}

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

/** Reads a row's value. */
function valueOf(value: unknown): SqlValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "object" && "base64" in value && typeof value.base64 === "string") {
    const bytes = decodeBase64(value.base64);
    if (bytes !== undefined) return bytes;
  }
  throw new NoCopy("a value is neither text, a number, bytes nor nothing");
}

function memberOf(line: unknown, name: string): unknown {
  return typeof line === "object" && line !== null && !Array.isArray(line)
    ? Object.entries(line).find(([key]) => key === name)?.[1]
    : undefined;
}

function textsOf(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw new NoCopy("a list is missing");
  return value;
}

/** The copies of one object's database. */
export class ObjectCopy {
  readonly #db: SqlDatabase;
  readonly #kind: CopiedKind;
  /** Two objects in memory count their changes anew. */
  readonly #instance = crypto.randomUUID();

  constructor(db: SqlDatabase, kind: CopiedKind) {
    this.#db = db;
    this.#kind = kind;
  }

  /** Whether there is what the object is for. */
  get exists(): boolean {
    const { first } = this.#kind.schema;
    return hasTable(this.#db, first) && firstRow(this.#db.rows(`SELECT 1 FROM ${first} LIMIT 1`)) !== undefined;
  }

  /** A name of the present state of the database. No other state of this object has it. */
  get #state(): string {
    const row = firstRow(this.#db.rows("SELECT total_changes()"));
    assert(row !== undefined, "a count of changes");
    return `${this.#instance}.${integerAt(row, 0)}`;
  }

  /** See `ObjectCopies.page`. */
  page(place?: CopyPlace, most = PAGE_TEXT): CopiedPage {
    const { kind, schema } = this.#kind;
    const state = this.#state;
    if (place !== undefined && place.state !== state) return { kind: "changed" };
    const version = hasTable(this.#db, schema.first) ? schemaVersion(this.#db, schema) : undefined;
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

  /** See `ObjectCopies.stage`. */
  stage(piece: number, bytes: Uint8Array): void {
    this.#db.transaction(() => {
      if (piece === 0) this.#db.run(`DROP TABLE IF EXISTS ${STAGING}`);
      this.#db.run(STAGING_DDL);
      this.#db.run(`INSERT INTO ${STAGING} (piece, bytes) VALUES (?, ?)`, piece, bytes);
    });
  }

  /** See `ObjectCopies.install`. */
  install(replace: boolean): InstallAnswer {
    if (!replace && this.exists) return { kind: "taken" };
    try {
      const rows = this.#db.transaction(() => this.#install());
      return { kind: "installed", rows };
    } catch (error) {
      if (error instanceof NoCopy || error instanceof SyntaxError) return { kind: "refused", why: error.message };
      throw error;
    }
  }

  /** Says to the tables what holds no more. */
  settle(): void {
    if (this.exists) this.#db.transaction(() => this.#kind.settle(this.#db));
  }

  /** Yields the lines of the staged text. */
  *#lines(): Generator {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let begun = "";
    for (let piece = 0; ; piece++) {
      const row = firstRow(this.#db.rows(`SELECT bytes FROM ${STAGING} WHERE piece = ?`, piece));
      if (row === undefined) break;
      const bytes = blobAt(row, 0);
      let from = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
        const line: unknown = JSON.parse(begun + decoder.decode(bytes.subarray(from, end)));
        [begun, from] = ["", end + 1];
        yield line;
      }
      begun += decoder.decode(bytes.subarray(from), { stream: true });
    }
    if (begun !== "") throw new NoCopy("the last line is cut off");
  }

  #install(): number {
    if (!hasTable(this.#db, STAGING)) throw new NoCopy("nothing was staged");
    const { kind, schema, settle } = this.#kind;
    const lines = this.#lines();
    const head: unknown = lines.next().value;
    const version = memberOf(head, "version");
    if (memberOf(head, "format") !== COPY_FORMAT || memberOf(head, "kind") !== kind || typeof version !== "number")
      throw new NoCopy(`it is no copy of a ${kind}`);
    if (version > schema.steps.length)
      throw new NoCopy(`it has schema ${version}, and this build knows ${schema.steps.length}: deploy a later one`);
    for (const name of tableNames(schema)) this.#db.run(`DROP TABLE IF EXISTS ${name}`);
    const rows = this.#fill(lines);
    buildTables(this.#db, schema, version);
    settle(this.#db);
    this.#db.run(`DROP TABLE ${STAGING}`);
    return rows;
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
        this.#db.run(insert, ...line.map(valueOf));
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
