/**
 * Fails where the Worker has become larger than it may be. With `--parts` it also shows which parts of it are large.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import * as v from "valibot";
import { buildWorker, PARTS_FILE, WORKER_FILE } from "./worker-bundle.mjs";

/**
 * The most bytes of the Worker and its kernel, zipped: its main module, and those that it imports as it starts. Source maps
 * are not part of it, nor are the modules that it loads when it first needs them. All modules together have a bound of
 * their own.
 */
const MOST_ZIPPED = 300 * 1024;
/** The most bytes, zipped, of all that is deployed. */
const MOST_IN_ALL = 640 * 1024;

/** How many parts are shown. */
const SHOWN = 40;

const PARTS = v.object({
  outputs: v.record(
    v.string(),
    v.object({
      inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })),
      imports: v.array(v.object({ path: v.string(), kind: v.string() })),
    }),
  ),
});
type Outputs = v.InferOutput<typeof PARTS>["outputs"];

/** Returns what esbuild tells of each module, by its path below the directory of the Worker. */
function readOutputs(): Outputs {
  const { outputs } = v.parse(PARTS, JSON.parse(readFileSync(PARTS_FILE, "utf8")));
  const main = Object.keys(outputs).find((path) => basename(path) === "worker.js") ?? "";
  const local = (path: string): string => relative(dirname(main), path);
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([path]) => path.endsWith(".js"))
      .map(([path, { inputs, imports }]) => [
        local(path),
        { inputs, imports: imports.map(({ path: to, kind }) => ({ path: local(to), kind })) },
      ]),
  );
}

/** Returns the modules that are loaded as the Worker starts. */
function loadedAtStart(outputs: Outputs): string[] {
  const loaded = new Set(["worker.js"]);
  // What has been added is looked at, too.
  for (const name of loaded)
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === "import-statement" && Object.hasOwn(outputs, path)) loaded.add(path);
  return [...loaded];
}

/** Returns the folder of a file, or the package that it is from. */
function partOf(file: string): string {
  const [, ofPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  return ofPackage ?? dirname(file);
}

/** Prints the largest parts of some modules, with their bytes before names were shortened. */
function showParts(outputs: Outputs, names: readonly string[]): void {
  const sums = new Map<string, number>();
  for (const name of names)
    for (const [file, { bytesInOutput }] of Object.entries(outputs[name]?.inputs ?? {}))
      sums.set(partOf(file), (sums.get(partOf(file)) ?? 0) + bytesInOutput);
  const largest = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [part, bytes] of largest) console.log(`${String(bytes).padStart(9)}  ${part}`);
}

/** Compares the zipped size of files, all in the directory of the Worker, with the most that it may be. */
function problemsOf(what: string, names: readonly string[], most: number): number {
  const files = names.map((name) => readFileSync(join(dirname(WORKER_FILE), name)));
  const zipped = gzipSync(Buffer.concat(files)).length;
  const problems = zipped > most ? 1 : 0;
  if (problems > 0)
    console.error(`${what} is larger than it may be; node scripts/check-size.ts --parts shows its parts`);
  console.log(`size: ${what} ${(zipped / 1024).toFixed(1)} KiB zipped of ${most / 1024}, ${problems} problems`);
  return problems;
}

await buildWorker();
const outputs = readOutputs();
const start = loadedAtStart(outputs);
if (process.argv.includes("--parts")) showParts(outputs, start);
const problems =
  problemsOf("the Worker", [...start, "kernel.wasm"], MOST_ZIPPED) +
  problemsOf("all modules", [...Object.keys(outputs), "kernel.wasm"], MOST_IN_ALL);
process.exitCode = problems > 0 ? 1 : 0;
