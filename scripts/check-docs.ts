/**
 * Holds the words to the code. Fails when a Markdown file names a source path that does not exist, when a capability of
 * `src/wire/capabilities.ts` has no row in `docs/compatibility.md`, when an export of rings 0–3 has no doc comment or a
 * file of theirs no `@packageDocumentation`, when a command in the README names a script that package.json lacks, and
 * when it saw nothing to check (a checker that sees nothing must not pass).
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CAPABILITIES, type CapabilityRow } from "../src/wire/capabilities.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const DOCUMENTED_LAYERS =
  "bytes object wire format store refs graph access events repository service mirror maintenance lfs browse".split(" ");
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

/** Paths in back quotes that name no file or folder. */
function missingPaths(page: string): string[] {
  const lines = text(page).split("\n");
  return lines.flatMap((line, index) =>
    [...line.matchAll(PATH_IN_TEXT)]
      .map((match) => match[1] ?? "")
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}:${index + 1}: no such path: ${path}`),
  );
}

/** Commands of the README that package.json does not have. */
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

/** Rows of the capability table that the page lacks, or shows with another status: surface, name and status on one line. */
function undocumentedCapabilities(): string[] {
  const page = text("docs/compatibility.md").split("\n");
  if (CAPABILITIES.length === 0) return ["src/wire/capabilities.ts: no capability seen"];
  const isShown = ({ surface, name, status }: CapabilityRow): boolean =>
    page.some((line) => line.startsWith(`| ${surface} | \`${name}\` | ${status}`));
  return CAPABILITIES.filter((row) => !isShown(row)).map(
    ({ surface, name, status }) => `docs/compatibility.md: no row "| ${surface} | \`${name}\` | ${status}"`,
  );
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

const pages = [...readdirSync(root).filter((name) => name.endsWith(".md")), ...filesUnder("docs", ".md")];
const sources = DOCUMENTED_LAYERS.flatMap((layer) => filesUnder(join("src", layer), ".ts"));
const problems = [
  ...pages.flatMap(missingPaths),
  ...missingScripts(),
  ...undocumentedCapabilities(),
  ...sources.flatMap(undocumentedExports),
];
if (pages.length === 0) problems.push(`no page seen in ${relative(process.cwd(), root) || "."}`);
if (sources.length === 0) problems.push("no source file seen");
for (const problem of problems) console.error(problem);
console.log(`docs: ${pages.length} pages, ${sources.length} source files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
