/**
 * Tables as text: values between commas or tabulators.
 *
 * @packageDocumentation
 * @see RFC 4180
 */

/** The most rows and cells of a table that is shown as one. */
const MOST_ROWS = 2000;
const MOST_CELLS = 20_000;
/** The largest file, in characters, that is shown as a table. */
const LONGEST = 262_144;

/** Returns what stands between the values of a file, by its name; `undefined` if it is no table. */
export function separatorOf(fileName: string): "," | "\t" | undefined {
  if (/\.csv$/i.test(fileName)) return ",";
  return /\.tsv$/i.test(fileName) ? "\t" : undefined;
}

/** Reads one value, which may stand in quotation marks. Returns it, and where it ends; `undefined` if nothing ends it. */
function readValue(
  text: string,
  from: number,
  separator: string,
): { readonly value: string; readonly end: number } | undefined {
  if (text.charAt(from) !== '"') {
    let end = from;
    while (end < text.length && text.charAt(end) !== separator && text.charAt(end) !== "\n") end++;
    const isReturn = text.charAt(end) === "\n" && text.charAt(end - 1) === "\r";
    return { value: text.slice(from, isReturn ? Math.max(from, end - 1) : end), end };
  }
  let value = "";
  for (let at = from + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    value += text.slice(at, quote);
    if (text.charAt(quote + 1) !== '"') {
      const end = text.startsWith("\r\n", quote + 1) ? quote + 2 : quote + 1;
      return { value, end };
    }
    value += '"';
    at = quote + 2;
  }
}

/** Returns the rows of a table; `undefined` for a text that is none, or too large to be shown as one. */
export function parseTable(text: string, separator: string): readonly (readonly string[])[] | undefined {
  if (text.length > LONGEST) return undefined;
  const rows: string[][] = [];
  let cells = 0;
  for (let at = 0; at < text.length;) {
    const row: string[] = [];
    for (;;) {
      const read = readValue(text, at, separator);
      if (read === undefined || ++cells > MOST_CELLS) return undefined;
      row.push(read.value);
      at = read.end + 1;
      const next = text.charAt(read.end);
      if (next === separator) continue;
      if (next !== "" && next !== "\n") return undefined;
      break;
    }
    rows.push(row);
    if (rows.length > MOST_ROWS) return undefined;
  }
  return rows;
}
