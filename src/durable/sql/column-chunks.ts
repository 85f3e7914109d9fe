/**
 * Cuts rows of a text and some object names into parts for one statement each. The texts go in as one JSON array, which
 * `json_each` reads, and each column of names as bytes, one after the other: `substr(?, key * width + 1, width)` finds that
 * of a row. With the names in the JSON, each row would be parsed by itself, once for each of its columns.
 *
 * @packageDocumentation
 */
import { assert, itemAt } from "../../bytes/assert.ts";
import { fromHexInto } from "../../bytes/hex.ts";

/** A row: its text, its object names in hexadecimal, of which "" is none, and whether it has the flag. */
export type ColumnRow = { readonly text: string; readonly names: readonly string[]; readonly flag?: boolean };

/** A part of the rows. */
export type ColumnChunk = {
  /** The texts, as a JSON array. */
  readonly texts: string;
  readonly count: number;
  /** Bytes of each object name. */
  readonly width: number;
  /** The names, column by column. One that is none is zeros. */
  readonly columns: readonly Uint8Array[];
  /** A byte for each row: 1 where it has the flag. */
  readonly flags: Uint8Array;
};

/**
 * Characters of texts, and rows, that go into one statement, approximately. No column may have 2 MB, and a statement is the least
 * that is done in one turn.
 */
const MOST_CHARACTERS = 400_000;
const MOST_ROWS = 4000;
/** What a text takes in JSON beside its characters. */
const QUOTES = 3;

function chunkOf(rows: readonly ColumnRow[]): ColumnChunk {
  const width = itemAt(itemAt(rows, 0).names, 0).length / 2;
  const columns = itemAt(rows, 0).names.map(() => new Uint8Array(rows.length * width));
  const flags = new Uint8Array(rows.length);
  const texts: string[] = [];
  // Every move of a push goes through here within its transaction, so this has no iterators.
  for (let at = 0; at < rows.length; at++) {
    const { text, names, flag } = itemAt(rows, at);
    texts.push(text);
    if (flag === true) flags[at] = 1;
    for (let column = 0; column < columns.length; column++) {
      const name = itemAt(names, column);
      if (name === "") continue;
      const isWhole = name.length === 2 * width && fromHexInto(name, itemAt(columns, column), at * width);
      assert(isWhole, "names of objects of one length");
    }
  }
  return { texts: JSON.stringify(texts), count: rows.length, width, columns, flags };
}

/** Yields the rows in parts. The first name of each row is not "", and all of a row are as long. */
export function* columnChunks(rows: Iterable<ColumnRow>): Generator<ColumnChunk> {
  let part: ColumnRow[] = [];
  let [characters, before] = [0, 0];
  for (const row of rows) {
    const size = row.text.length + QUOTES;
    const length = itemAt(row.names, 0).length;
    const fits = part.length < MOST_ROWS && characters + size <= MOST_CHARACTERS && length === before;
    if (part.length > 0 && !fits) {
      yield chunkOf(part);
      part = [];
      characters = 0;
    }
    before = length;
    part.push(row);
    characters += size;
  }
  if (part.length > 0) yield chunkOf(part);
}
