/**
 * Holds the words to the code. Fails when a Markdown file names a source path that does not exist, when a capability of
 * `src/wire/capabilities.ts` has no row in `docs/compatibility.md`, or one with another status or no test, when an invariant of
 * `docs/architecture.md` or a threat of `docs/security.md` names no test or one that is not there, when `docs/limits.md` and
 * `src/bytes/limit-name.ts` name different limits, when a figure of that page is not the constant that it names, when an export of rings 0–3 has no doc comment or a
 * file of theirs no `@packageDocumentation`, when a comment is not about what follows it, when a command in the README names a script that package.json lacks, when the costs are not those that the benchmark gives, when the first page of `docs/` does not lead to another, and
 * when it saw nothing to check (a checker that sees nothing must not pass).
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { LIMIT_NAMES } from "../src/bytes/limit-name.ts";
import { CAPABILITIES, type CapabilityRow } from "../src/wire/capabilities.ts";
import { withCosts } from "./cost-table.ts";
import { commentProblems } from "./doc-comments.ts";
import { foldersOf } from "./layers.ts";
import { figureProblems, policyProblems } from "./limit-figures.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const PATH_IN_TEXT = /`((?:src|test|scripts|docs)\/[A-Za-z0-9_./-]*[A-Za-z0-9_/-])`/g;
const EXPORT = /^export (?:async )?(?:abstract )?(?:function\*?|const|let|class|type|interface) ([A-Za-z0-9_$]+)/;

const text = (path: string): string => readFileSync(join(root, path), "utf8");

function filesUnder(folder: string, suffix: string): string[] {
  const full = join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(folder, name))
    .toSorted();
}

/** Returns the paths in back quotes that name no file or folder. */
function missingPaths(page: string): string[] {
  const lines = text(page).split("\n");
  return lines.flatMap((line, index) =>
    [...line.matchAll(PATH_IN_TEXT)]
      .map((match) => match[1] ?? "")
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}:${index + 1}: no such path: ${path}`),
  );
}

/** Returns the commands of the README that package.json does not have. */
function missingScripts(): string[] {
  const scripts: unknown = JSON.parse(text("package.json")).scripts;
  const names = new Set(Object.keys(scripts instanceof Object ? scripts : {}));
  const used = [...text("README.md").matchAll(/npm (?:run (?:--silent )?)?([a-z][a-z:-]*)/g)].map(
    (match) => match[1] ?? "",
  );
  return used
    .filter((name) => !names.has(name) && !["ci", "install", "run"].includes(name))
    .map((name) => `README.md: no such npm script: ${name}`);
}

/** A row of the capability table: surface, name, status, and of one that is offered the test's file and title. */
const CAPABILITY_ROW = /^\| ([a-z0-9-]+) \| `([^`]+)` \| (offered|later) \| (?:`([^`]+)`: (.+?) )?\s*\|$/;

/** Returns the faults of the page's table of capabilities: each needs a row with its status, and a test that exists. */
function capabilityProblems(): string[] {
  const page = "docs/compatibility.md";
  if (CAPABILITIES.length === 0) return ["src/wire/capabilities.ts: no capability seen"];
  const shown = new Map<string, RegExpExecArray>();
  for (const line of text(page).split("\n")) {
    const row = CAPABILITY_ROW.exec(line);
    if (row !== null) shown.set(`${row[1]} ${row[2]}`, row);
  }
  const problems = CAPABILITIES.flatMap(({ surface, name, status }: CapabilityRow) => {
    const key = `${surface} ${name}`;
    const row = shown.get(key);
    shown.delete(key);
    if (row === undefined) return [`${page}: no row for ${key}`];
    if (row[3] !== status) return [`${page}: ${key} is ${status}`];
    return status === "offered" ? missingTest(row[4], row[5]).map((problem) => `${page}: ${key}: ${problem}`) : [];
  });
  return [...problems, ...[...shown.keys()].map((key) => `${page}: there is no capability ${key}`)];
}

/** An invariant of the architecture: its number. */
const INVARIANT = /^(\d+)\. \*\*/;
/** A row of the table of invariants: the number, the test's file and its title. */
const INVARIANT_ROW = /^\| (\d+) \| `([^`]+)`: (.+?) \|$/;

/** Returns the faults of the table of invariants: each needs at least one row, and each row a test that exists. */
function invariantProblems(): string[] {
  const page = "docs/architecture.md";
  const lines = text(page).split("\n");
  const numbers = lines.flatMap((line) => INVARIANT.exec(line)?.[1] ?? []);
  const rows = lines.flatMap((line) => {
    const [, number, file, title] = INVARIANT_ROW.exec(line) ?? [];
    return number === undefined ? [] : [{ number, file, title }];
  });
  const tested = new Set(rows.map(({ number }) => number));
  const known = new Set(numbers);
  return [
    ...(numbers.length === 0 ? [`${page}: no invariant seen`] : []),
    ...numbers
      .filter((number) => !tested.has(number))
      .map((number) => `${page}: no test named for invariant ${number}`),
    ...rows.flatMap(({ number, file, title }) => [
      ...(known.has(number) ? [] : [`${page}: there is no invariant ${number}`]),
      ...missingTest(file, title).map((problem) => `${page}: invariant ${number}: ${problem}`),
    ]),
  ];
}

/** A row of the table of threats: the area, the threat, the test's file and its title. */
const THREAT_ROW = /^\| ([a-z]+) \| .+? \| `([^`]+)`: (.+) \|$/;
/** The heading above it. */
const THREATS = "## Threats and their tests";

/** Returns the faults of the table of threats: each row needs a test that exists. */
function threatProblems(): string[] {
  const page = "docs/security.md";
  const [, part = ""] = text(page).split(`${THREATS}\n`);
  const rows = (part.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| "));
  if (rows.length < 3) return [`${page}: no threat seen`];
  // The heading comes first, and its line of dashes.
  return rows.slice(2).flatMap((row) => {
    const [, , file, title] = THREAT_ROW.exec(row) ?? [];
    return missingTest(file, title).map((problem) => `${page}: ${row.slice(0, 60)}: ${problem}`);
  });
}

/** A row of the table of limits' names. */
const LIMIT_ROW = /^\| `([a-z-]+)` \| [^|]+ \|$/;

/** Returns the faults of the names of limits: each needs a row on the page, and each row a name that code may use. */
function limitNameProblems(): string[] {
  const page = "docs/limits.md";
  const shown = new Set(
    text(page)
      .split("\n")
      .flatMap((line) => LIMIT_ROW.exec(line)?.[1] ?? []),
  );
  const known = new Set<string>(LIMIT_NAMES);
  const used = new Set(
    filesUnder("src", ".ts").flatMap((file) =>
      [...text(file).matchAll(/(?:new LimitExceeded\(|\blimit:)\s*"([^"]+)"/g)].map((match) => match[1] ?? ""),
    ),
  );
  return [
    ...LIMIT_NAMES.filter((name) => !shown.has(name)).map((name) => `${page}: no row for the limit ${name}`),
    ...LIMIT_NAMES.filter((name) => !used.has(name)).map((name) => `src/bytes/limit-name.ts: nothing throws ${name}`),
    ...[...shown].filter((name) => !known.has(name)).map((name) => `${page}: there is no limit ${name}`),
  ];
}

/** Returns the fault of a test that is named by its file and its title, as both stand in the source. */
function missingTest(file: string | undefined, title: string | undefined): string[] {
  if (file === undefined || title === undefined) return ["no test named"];
  if (!existsSync(join(root, file))) return [`no such test: ${file}`];
  return text(file).includes(`"${title}"`) ? [] : [`no test in ${file} called ${title}`];
}

/** Whether the declaration on this line has a doc comment right above it (overloads share the first one's). */
function isDocumented(lines: string[], at: number, name: string): boolean {
  for (let above = at - 1; above >= 0; above--) {
    const line = (lines[above] ?? "").trim();
    if (line.endsWith("*/")) return true;
    if (!line.startsWith("//") && !EXPORT.exec(line)?.[1]?.startsWith(name)) return false;
  }
  return false;
}

function undocumentedExports(file: string): string[] {
  const source = text(file);
  const lines = source.split("\n");
  const problems =
    source.startsWith("/**") && source.includes("@packageDocumentation")
      ? []
      : [`${file}: no @packageDocumentation block at the top`];
  for (const [at, line] of lines.entries()) {
    const name = EXPORT.exec(line)?.[1];
    if (name !== undefined && !isDocumented(lines, at, name))
      problems.push(`${file}:${at + 1}: ${name} has no doc comment`);
  }
  return problems;
}

/** Returns the fault of a table of costs that is not the one which the benchmark's figures give. */
function costProblems(): string[] {
  const page = text("docs/operating.md");
  if (withCosts(page, text("docs/benchmark.md")) === page) return [];
  return ["docs/operating.md: the costs are not those of docs/benchmark.md: run `node scripts/cost-table.ts`"];
}

/** Returns the pages of `docs/` to which its first page does not lead. */
function unlistedPages(): string[] {
  const first = text("docs/README.md");
  return readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md") && name !== "README.md" && !first.includes(`](${name})`))
    .map((name) => `docs/README.md: no link to ${name}`);
}

const pages = [...readdirSync(root).filter((name) => name.endsWith(".md")), ...filesUnder("docs", ".md")];
// AssemblyScript is documented where TypeScript calls it.
const sources = foldersOf(0, 3)
  .flatMap((layer) => filesUnder(join("src", layer), ".ts"))
  .filter((file) => !file.startsWith("src/kernel/wasm/"));
const commented = ["src", "test", "scripts"].flatMap((folder) => filesUnder(folder, ".ts"));
const problems = [
  ...commented.flatMap((file) => commentProblems(file, text(file))),
  ...pages.flatMap(missingPaths),
  ...missingScripts(),
  ...costProblems(),
  ...unlistedPages(),
  ...capabilityProblems(),
  ...invariantProblems(),
  ...threatProblems(),
  ...limitNameProblems(),
  ...figureProblems("docs/limits.md", text),
  ...policyProblems("src/store/reading-policy.ts", "READING", text),
  ...policyProblems("src/store/ingest/ingest-policy.ts", "INGESTING", text),
  ...policyProblems("src/packing/copy-policy.ts", "COPYING", text),
  ...sources.flatMap(undocumentedExports),
];
if (pages.length === 0) problems.push(`no page seen in ${relative(process.cwd(), root) || "."}`);
if (sources.length === 0) problems.push("no source file seen");
for (const problem of problems) console.error(problem);
console.log(`docs: ${pages.length} pages, ${sources.length} source files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
