/**
 * Checks that the code keeps to the table of `layers.ts`, and that every other list of folders agrees with it. A folder
 * of `src/` may import only itself and the folders that the table allows. It also fails on an import cycle between
 * files, on a folder that the table does not name, and when it saw no file (a checker that sees nothing must not pass).
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { foldersOf, IMPORTERS, LAYERS, REFS, WHOLE_TABLES } from "./layers.ts";

/**
 * The composition root, which may import anything. Of its files, only env.ts may be imported, and only by ring 4 and
 * the edges.
 */
const ROOT_FILES = new Set(["worker.ts", "app.ts", "env.ts", "jobs.ts"]);
const MAY_IMPORT_ENV = new Set(["durable", "cloudflare", "http", "api", "host"]);

const source = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
const IMPORT = /(?:from\s+|import\s*\(\s*|import\s+)["'](\.[^"']*)["']/g;

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [...text.matchAll(IMPORT)].map((match) => resolve(dirname(file), match[1] ?? ""));
}

function checkTable(): string[] {
  const above = new Set<string>();
  const problems: string[] = [];
  for (const [layer, { ring, imports }] of Object.entries(LAYERS)) {
    for (const allowed of imports.split(" ").filter(Boolean)) {
      if (!above.has(allowed)) problems.push(`table: ${layer} names ${allowed}, which is not above it`);
      if ((LAYERS[allowed]?.ring ?? ring) > ring)
        problems.push(`table: ${layer} names ${allowed}, of a ring above its own`);
    }
    above.add(layer);
  }
  return problems;
}

/** Compares a list of folders with those of the table that exist. */
function checkList(where: string, folders: readonly string[], first: number, last: number): string[] {
  const wanted = foldersOf(first, last).filter((folder) => existsSync(join(source, folder)));
  return [
    ...wanted.filter((folder) => !folders.includes(folder)).map((folder) => `${where}: ${folder} is missing`),
    ...folders
      .filter((folder) => !foldersOf(first, last).includes(folder))
      .map((folder) => `${where}: ${folder} is not of rings ${first} to ${last}`),
  ];
}

/** Checks the lists that other tools need in files of their own, each with its rings. */
function checkLists(): string[] {
  const text = (path: string): string => readFileSync(join(source, "..", path), "utf8");
  const named = (path: string, pattern: RegExp): string[] =>
    [...text(path).matchAll(pattern)].map((match) => match[1] ?? "");
  const linted = /"src\/\{([a-z,]+)\}\/\*\*\/\*\.ts"/.exec(text(".oxlintrc.json"))?.[1] ?? "";
  const rows = [...text("docs/architecture.md").matchAll(/^\| (\d) \| (`src\/.*?) \|/gm)];
  return [
    ...checkList("src/tsconfig.pure.json", named("src/tsconfig.pure.json", /"([a-z]+)\/(?:\*\*\/)?\*\.ts"/g), 0, 1),
    ...checkList("src/tsconfig.core.json", named("src/tsconfig.core.json", /"([a-z]+)\/\*\*\/\*\.ts"/g), 2, 3),
    ...checkList(".oxlintrc.json", linted.split(","), 0, 3),
    ...rows.flatMap(([, ring, cell]) => {
      const folders = [...(cell ?? "").matchAll(/`src\/([a-z]+)`/g)].map((match) => match[1] ?? "");
      return checkList(`docs/architecture.md, ring ${ring}`, folders, Number(ring), Number(ring));
    }),
    ...(rows.length === 0 ? ["docs/architecture.md: no table of rings seen"] : []),
  ];
}

function checkFile(file: string, imports: string[]): string[] {
  const from = relative(source, file).split("/");
  const layer = from.length > 1 ? (from[0] ?? "") : "";
  if (layer === "") {
    return ROOT_FILES.has(from[0] ?? "") || file.endsWith(".d.ts")
      ? []
      : [`${from[0]}: only ${[...ROOT_FILES].join(", ")} stand in src/`];
  }
  const row = LAYERS[layer];
  if (row === undefined) return [`${layer}/: not in the layer table`];
  const allowed = new Set([layer, ...row.imports.split(" ")]);
  return imports.flatMap((target) => {
    const to = relative(source, target).split("/");
    if (to[0] === "..") return [`${from.join("/")}: imports outside src/`];
    if (to.length === 1)
      return to[0] === "env.ts" && MAY_IMPORT_ENV.has(layer) ? [] : [`${from.join("/")}: imports ${to[0]}`];
    return allowed.has(to[0] ?? "") ? [] : [`${from.join("/")}: ${layer} may not import ${to.join("/")}`];
  });
}

function findCycle(graph: Map<string, string[]>): string | undefined {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (file: string): string | undefined => {
    if (state.get(file) === "done") return undefined;
    if (state.get(file) === "open")
      return [...path.slice(path.indexOf(file)), file].map((name) => relative(source, name)).join(" → ");
    state.set(file, "open");
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    state.set(file, "done");
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Checks that the files which only some may import are imported by these, and by no other. */
function checkImporters(imports: Map<string, string[]>): string[] {
  return Object.entries(IMPORTERS).flatMap(([file, allowed]) => {
    const target = join(source, file);
    const found = [...imports]
      .filter(([, targets]) => targets.includes(target))
      .map(([from]) => relative(source, from));
    return [
      ...found.filter((from) => !allowed.includes(from)).map((from) => `${from}: may not import ${file}`),
      ...allowed.filter((from) => !found.includes(from)).map((from) => `table: ${from} does not import ${file}`),
    ];
  });
}

/**
 * SQL that writes to a table, and the table's name: without its schema, and without quotes, of which SQLite knows four kinds. A name that is
 * put in by the program begins with `${` or `+`.
 *
 * @see https://www.sqlite.org/lang_keywords.html
 */
const WRITES =
  /\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+(?:[\\"'`[]*\w+[\\"'`\]]*\s*\.\s*)?[\\"'`[]*(\w+|\$\{|\s*\+)/gi;

/** Checks that no other file's SQL writes to the table of refs, and which files write to tables that they do not name. */
function checkSql(paths: readonly string[]): string[] {
  const written = paths.map((path) => {
    const text = readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
    const tables = Array.from(text.matchAll(WRITES), (match) => (match[1] ?? "").trim().toLowerCase());
    return { from: relative(source, path), tables };
  });
  const writers = written.filter(({ tables }) => tables.includes(REFS.table)).map(({ from }) => from);
  const unnamed = written.filter(({ tables }) => tables.some((table) => !/^\w/.test(table))).map(({ from }) => from);
  return [
    ...writers.filter((from) => from !== REFS.writer).map((from) => `${from}: only ${REFS.writer} writes to refs`),
    ...(writers.includes(REFS.writer) ? [] : [`${REFS.writer}: writes to refs, says the table`]),
    ...unnamed
      .filter((from) => !WHOLE_TABLES.includes(from))
      .map((from) => `${from}: writes to a table without its name`),
    ...WHOLE_TABLES.filter((from) => !unnamed.includes(from)).map((from) => `table: ${from} names what it writes to`),
  ];
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(source, name));
const graph = new Map(files.map((file) => [file, importsOf(file)] as const));
const problems = [
  ...checkTable(),
  ...checkLists(),
  ...[...graph].flatMap(([file, imports]) => checkFile(file, imports)),
  ...checkImporters(graph),
  ...checkSql(files),
];
if (files.length === 0) problems.push("no file seen");
const cycle = findCycle(graph);
if (cycle !== undefined) problems.push(`import cycle: ${cycle}`);
for (const problem of problems) console.error(problem);
console.log(`layers: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
