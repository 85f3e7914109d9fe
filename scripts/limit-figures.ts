/**
 * Holds the figures of `docs/limits.md` to the constants that they state. A row names its constants beside the files that they are in,
 * as `` `MOST_RULES` in `src/refs/ref-policy.ts` ``; then the value of each has to be among the row's figures, and each figure has to be
 * the value of one. A figure after "about", "some" or "below" follows from others, and is
 * not looked at. The tables in the heads of files with policies are held to their objects in the same way.
 *
 * @packageDocumentation
 */

/** Reads a file by its path from the root. */
export type ReadText = (path: string) => string;

/** Columns that state our figures, and columns that say where they are set; the last that a table has counts. */
const STATING = ["value", "bound", "what we do"];
const LOCATING = ["enforced in", "where"];

/** The factors that a unit may stand for: times are kept in milliseconds or in seconds, and the benchmark's budgets in megabytes. */
const UNITS: Readonly<Record<string, readonly number[]>> = {
  Ki: [1024],
  Mi: [1024 ** 2],
  KiB: [1024],
  MiB: [1024 ** 2],
  GiB: [1024 ** 3],
  TiB: [1024 ** 4],
  MB: [1000 ** 2, 1],
  million: [1000 ** 2],
  s: [1, 1000],
  min: [60, 60_000],
  h: [3600, 3_600_000],
  years: [366 * 86_400, 366 * 86_400_000],
};
const FIGURE =
  /(?<![\w.,#/-])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?: (KiB|MiB|GiB|TiB|Ki|Mi|MB|million|s|min|h|years)\b)?/g;
const DERIVED = /(?:about|some|below) $/;
/** Constants, and the file that they are in. */
const LOCATION = /((?:`[\w.-]+`(?:, | and )?)+) in `([a-z][A-Za-z0-9_./-]+)`/g;

type Figure = { readonly text: string; readonly values: readonly number[] };

function figuresIn(cell: string): Figure[] {
  const words = cell.replaceAll(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, "");
  return [...words.matchAll(FIGURE)]
    .filter((match) => !DERIVED.test(words.slice(0, match.index)))
    .map(([text, digits = "", unit]) => {
      const number = Number(digits.replaceAll(",", ""));
      return { text, values: (unit === undefined ? [1] : (UNITS[unit] ?? [1])).map((size) => number * size) };
    });
}

/** Returns the text of a constant's value, or of a property of it; `undefined` if there is none. */
function expressionOf(source: string, path: string): string | undefined {
  const [name, ...keys] = path.split(".");
  const found = new RegExp(String.raw`\bconst ${name}(?:: [\w<>[\] ]+)? =\s*([^;]+);`).exec(source)?.[1];
  return keys.reduce<string | undefined>((text, key) => {
    return new RegExp(String.raw`\b${key}:\s*(\{[^}]*\}|[^,}\n]+)`).exec(text ?? "")?.[1];
  }, found);
}

/** Returns the value of a number, of a constant in the same file, or of the length of a list there; NaN for anything else. */
function factorOf(source: string, factor: string): number {
  if (/^\d/.test(factor)) return Number(factor.replaceAll("_", ""));
  if (!/^[A-Za-z]/.test(factor)) return Number.NaN;
  if (!factor.endsWith(".length")) return valueOf(source, factor);
  const list = expressionOf(source, factor.slice(0, -".length".length));
  return list?.startsWith("[") === true ? list.split(",").length : Number.NaN;
}

/** Returns the value of a constant that is a sum of products; NaN for anything else. */
function valueOf(source: string, path: string): number {
  const terms = (expressionOf(source, path) ?? "").split(" + ");
  return terms
    .map((term) => term.split("*").reduce((product, factor) => product * factorOf(source, factor.trim()), 1))
    .reduce((sum, term) => sum + term, 0);
}

/** Returns the value that wrangler.toml gives: of a key, of a queue's key, or of the rate limit with this name. */
function configuredValue(source: string, path: string): number {
  const [key = "", queue] = path.split(".").toReversed();
  const pattern =
    queue === undefined
      ? String.raw`^${key} = (\d+)|name = "${key}"[^[]*limit = (\d+)`
      : String.raw`queue = "${queue}"[^[]*^${key} = (\d+)`;
  const [, value, limit] = new RegExp(pattern, "m").exec(source) ?? [];
  return Number(value ?? limit ?? Number.NaN);
}

/** A row of a policy's table in the head of its file: names of figures, and their values. */
const POLICY_ROW = /^ \* \| (`[\w.]+`(?:, `[\w.]+`)*) \| ([^|]+) \|/;

/** Returns what is wrong with the table in the head of a file that has a policy: an object of figures with this name. */
export function policyProblems(file: string, policy: string, read: ReadText): string[] {
  const source = read(file);
  const rows = source.split("\n").flatMap((line) => {
    const [, names = "", stated = ""] = POLICY_ROW.exec(line) ?? [];
    return names === "" ? [] : [{ names: names.replaceAll("`", "").split(", "), stated }];
  });
  if (rows.length === 0) return [`${file}: no table seen`];
  return rows.flatMap(({ names, stated }) => {
    const located = names.map((name) => `\`${policy}.${name}\` in \`${file}\``).join("; ");
    return rowProblems(stated, located, read).map((problem) => `${file}: ${names.join(", ")}: ${problem}`);
  });
}

/** Returns what is wrong with a row: what it states, and where that is set. */
function rowProblems(stated: string, located: string, read: ReadText): string[] {
  const figures = figuresIn(stated);
  const meant = new Set<Figure>();
  const problems: string[] = [];
  for (const [, names = "", file = ""] of located.matchAll(LOCATION)) {
    const source = read(file);
    for (const [, name = ""] of names.matchAll(/`([^`]+)`/g)) {
      const value = file.endsWith(".toml") ? configuredValue(source, name) : valueOf(source, name);
      const same = figures.filter(({ values }) => values.includes(value));
      for (const figure of same) meant.add(figure);
      if (Number.isNaN(value)) problems.push(`no number ${name} in ${file}`);
      else if (same.length === 0) problems.push(`${name} in ${file} is ${value}, which is not stated`);
    }
  }
  const unheld = figures.filter((figure) => !meant.has(figure)).map(({ text }) => text);
  return [...problems, ...unheld.map((text) => `no constant is named for ${text}`)];
}

/** Returns what is wrong with the figures of a page. */
export function figureProblems(page: string, read: ReadText): string[] {
  const problems: string[] = [];
  let stating = -1;
  let locating = -1;
  let seen = 0;
  for (const [at, line] of read(page).split("\n").entries()) {
    const cells = line.split("|").map((cell) => cell.trim());
    if (!line.startsWith("|")) stating = -1;
    else if (stating < 0) {
      stating = cells.findLastIndex((cell) => STATING.includes(cell));
      locating = cells.findLastIndex((cell) => LOCATING.includes(cell));
      // A table that states nothing of ours, or its ruler, has no rows to look at.
      if (stating < 0 || locating < 0) stating = cells.length;
    } else {
      if (LOCATION.test(cells[locating] ?? "")) seen += 1;
      LOCATION.lastIndex = 0;
      problems.push(
        ...rowProblems(cells[stating] ?? "", cells[locating] ?? "", read).map(
          (problem) => `${page}:${at + 1}: ${problem}`,
        ),
      );
    }
  }
  if (seen === 0) problems.push(`${page}: no row names its constants`);
  return problems;
}
