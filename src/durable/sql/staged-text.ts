/**
 * The text of a copy that is to be installed: it comes in pieces, which wait in a table that no schema names.
 *
 * @packageDocumentation
 */
import { decodeBase64 } from "../../bytes/base64.ts";
import type { StagedRepository } from "../../access/object-copies.ts";
import { blobAt, firstRow, hasTable, type SqlDatabase, type SqlValue } from "./sql-database.ts";

const LINE_FEED = 0x0a;

const STAGING = "restored_pieces";
const STAGING_DDL = `CREATE TABLE IF NOT EXISTS ${STAGING} (piece INTEGER PRIMARY KEY, bytes BLOB NOT NULL)`;

/** Thrown where a text is no copy. */
export class NoCopy extends Error {}

/** Decodes a part of a text. @throws NoCopy */
function decoded(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new NoCopy("it is not UTF-8");
  }
}

/** Whether an error says that a text is spoilt. */
export function isNoText(error: unknown): error is Error {
  return error instanceof NoCopy || error instanceof SyntaxError;
}

/** Reads a row's value. */
export function valueOf(value: unknown): SqlValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "object" && "base64" in value && typeof value.base64 === "string") {
    const bytes = decodeBase64(value.base64);
    if (bytes !== undefined) return bytes;
  }
  throw new NoCopy("a value is neither text, a number, bytes nor nothing");
}

/** Returns a member of a line; `undefined` if it has none. */
export function memberOf(line: unknown, name: string): unknown {
  return typeof line === "object" && line !== null && !Array.isArray(line)
    ? Object.entries(line).find(([key]) => key === name)?.[1]
    : undefined;
}

/** Reads a list of texts. @throws NoCopy */
export function textsOf(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw new NoCopy("a list is missing");
  return value;
}

/** The staged text of one object. */
export class StagedText {
  readonly #db: SqlDatabase;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  /** Whether something was staged. */
  get isThere(): boolean {
    return hasTable(this.#db, STAGING);
  }

  /** See `ObjectCopies.stage`. */
  stage(piece: number, bytes: Uint8Array): void {
    this.#db.transaction(() => {
      if (piece === 0) this.#db.run(`DROP TABLE IF EXISTS ${STAGING}`);
      this.#db.run(STAGING_DDL);
      this.#db.run(`INSERT INTO ${STAGING} (piece, bytes) VALUES (?, ?)`, piece, bytes);
    });
  }

  /** See `ObjectCopies.discard`. */
  discard(): void {
    this.#db.run(`DROP TABLE IF EXISTS ${STAGING}`);
  }

  /** See `ObjectCopies.staged`. */
  repository(): StagedRepository | undefined {
    if (!this.isThere) return undefined;
    let id: string | undefined;
    const borrowed: { pack: string; home: string }[] = [];
    try {
      for (const [table, row] of this.#rows()) {
        if (table === "repository") id = String(row["id"]);
        if (table === "borrowed_packs") borrowed.push({ pack: String(row["pack"]), home: String(row["home"]) });
      }
    } catch (error) {
      // The installation says what is wrong.
      if (isNoText(error)) return undefined;
      throw error;
    }
    return id === undefined ? undefined : { id, borrowed };
  }

  /** Yields the lines of the staged text. */
  *lines(): Generator {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let begun = "";
    for (let piece = 0; ; piece++) {
      const row = firstRow(this.#db.rows(`SELECT bytes FROM ${STAGING} WHERE piece = ?`, piece));
      if (row === undefined) break;
      const bytes = blobAt(row, 0);
      let from = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
        const line: unknown = JSON.parse(begun + decoded(decoder, bytes.subarray(from, end), false));
        [begun, from] = ["", end + 1];
        yield line;
      }
      begun += decoded(decoder, bytes.subarray(from), true);
    }
    if (begun !== "") throw new NoCopy("the last line is cut off");
  }

  /** Yields the rows of the staged text, by the names of their columns, each with the name of its table. */
  *#rows(): Generator<[string, Record<string, unknown>]> {
    let table = "";
    let columns: string[] = [];
    for (const line of this.lines()) {
      const name = memberOf(line, "table");
      if (typeof name === "string") [table, columns] = [name, textsOf(memberOf(line, "columns"))];
      else if (Array.isArray(line)) yield [table, Object.fromEntries(columns.map((column, at) => [column, line[at]]))];
    }
  }
}
