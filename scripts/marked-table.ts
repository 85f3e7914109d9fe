/** Tables of Markdown pages that a script writes: they stand between two comments, which name the script. */

/** Cells by rows, the heading first. */
export type Table = readonly (readonly string[])[];

const END = "<!-- end -->";

function beginOf(name: string): string {
  return `<!-- ${name} -->`;
}

/** Writes a table. */
function formatTable([heading = [], ...rows]: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * Puts a table in the place of the one that a page has under a name.
 *
 * @throws Error if the page has none.
 */
export function replaceTable(page: string, name: string, table: Table): string {
  const begin = page.indexOf(beginOf(name));
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`the page has no table ${name}`);
  return `${page.slice(0, begin)}${beginOf(name)}\n\n${formatTable(table)}\n\n${page.slice(end)}`;
}

/**
 * Reads the table that a page has under a name.
 *
 * @throws Error if the page has none.
 */
export function readTable(page: string, name: string): Table {
  const begin = page.indexOf(beginOf(name));
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`the page has no table ${name}`);
  const lines = page
    .slice(begin, end)
    .split("\n")
    .filter((line) => line.startsWith("|"));
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  return cells.filter((_, at) => at !== 1);
}
