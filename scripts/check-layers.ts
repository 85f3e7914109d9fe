/**
 * The architecture, as data, and the check that the code keeps to it. A folder of `src/` may import itself and the folders beside
 * its name; nothing else. Also fails on an import cycle between files, on a folder that the table does not name, and when it
 * saw no file (a checker that sees nothing must not pass).
 */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const LAYERS: Record<string, string> = {
  bytes: "",
  catalog: "bytes",
  kernel: "bytes",
  object: "bytes kernel",
  wire: "bytes object",
  format: "bytes kernel object",
  store: "bytes kernel catalog object format",
  refs: "bytes catalog object",
  graph: "bytes kernel catalog object format store",
  access: "bytes",
  events: "bytes object access",
  signing: "bytes",
  repository: "bytes kernel catalog object store refs graph",
  packing: "bytes kernel catalog object format store refs graph repository",
  service: "bytes kernel catalog object wire format store refs graph repository packing",
  mirror: "bytes kernel catalog object wire format store refs graph access repository packing",
  maintenance: "bytes kernel catalog object wire format store refs graph repository packing",
  browse: "bytes kernel catalog object format store refs graph repository",
  lfs: "bytes access repository",
  durable: "bytes catalog object refs access events signing",
  cloudflare: "bytes kernel catalog object store refs access events signing repository mirror maintenance lfs durable",
  http: "bytes object wire access signing repository service lfs",
  api: "bytes catalog object refs access events signing repository mirror maintenance browse http",
  host: "bytes access signing repository service maintenance cloudflare http api",
  web: "object access repository browse http",
};
/** The composition root: may import anything; of these only env.ts is imported, and only by ring 4 and the edges. */
const ROOT_FILES = new Set(["worker.ts", "app.ts", "env.ts"]);
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
  for (const [layer, row] of Object.entries(LAYERS)) {
    for (const allowed of row.split(" ").filter(Boolean)) {
      if (!above.has(allowed)) problems.push(`table: ${layer} names ${allowed}, which is not above it`);
    }
    above.add(layer);
  }
  return problems;
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
  const allowed = new Set([layer, ...row.split(" ")]);
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

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(source, name));
const graph = new Map(files.map((file) => [file, importsOf(file)] as const));
const problems = [...checkTable(), ...[...graph].flatMap(([file, imports]) => checkFile(file, imports))];
if (files.length === 0) problems.push("no file seen");
const cycle = findCycle(graph);
if (cycle !== undefined) problems.push(`import cycle: ${cycle}`);
for (const problem of problems) console.error(problem);
console.log(`layers: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
