/**
 * The rows of an object, as the host gives them: lines of JSON. See `src/access/object-copies.ts`.
 *
 * @packageDocumentation
 */
import { CommandFailure } from "../failure.ts";
import { isJson, type Json } from "../json.ts";

const LINE_FEED = 0x0a;

/** Calls `line` with each line of a stream that passes. */
async function* watched(input: AsyncIterable<Uint8Array>, line: (text: Buffer) => void): AsyncGenerator<Uint8Array> {
  let begun: Buffer[] = [];
  for await (const piece of input) {
    const bytes = Buffer.from(piece);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      line(Buffer.concat([...begun, bytes.subarray(from, end)]));
      [begun, from] = [[], end + 1];
    }
    if (from < bytes.length) begun.push(bytes.subarray(from));
    yield piece;
  }
  if (begun.length > 0) line(Buffer.concat(begun));
}

/** Looks at the rows of some tables while a copy passes, and checks that it has its end. */
export class RowReader {
  readonly #tables: ReadonlySet<string>;
  readonly #each: (table: string, row: Json) => void;
  #table = "";
  #columns: string[] = [];
  #rows = 0;
  #said: unknown;

  /** `each` gets every row of these tables. */
  constructor(tables: readonly string[], each: (table: string, row: Json) => void) {
    this.#tables = new Set(tables);
    this.#each = each;
  }

  #line(text: Buffer): void {
    const isRow = text[0] === "[".charCodeAt(0);
    if (isRow) this.#rows += 1;
    if (isRow && !this.#tables.has(this.#table)) return;
    const value: unknown = JSON.parse(text.toString("utf8"));
    if (Array.isArray(value)) {
      const cells: unknown[] = value;
      this.#each(this.#table, Object.fromEntries(this.#columns.map((column, at) => [column, cells[at]])));
      return;
    }
    if (!isJson(value)) return;
    if ("rows" in value) this.#said = value["rows"];
    const { table, columns } = value;
    if (typeof table !== "string" || !Array.isArray(columns)) return;
    this.#table = table;
    this.#columns = columns.map(String);
  }

  /** Passes a copy on. @throws CommandFailure after its last byte, if it is not whole. */
  async *pass(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* watched(input, (text) => this.#line(text));
    if (this.#said !== this.#rows) throw new CopyBrokeOff("the host broke off its copy of an object");
  }
}

/** Thrown where a copy has no end: the object changed meanwhile, or the connection ended. */
export class CopyBrokeOff extends CommandFailure {}
