/**
 * Fails where the Worker has become larger than it may be. With `--parts` it also shows which parts of it are large.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as v from "valibot";
import { buildWorker, PARTS_FILE, WORKER_FILE } from "./worker-bundle.mjs";

/**
 * The most bytes of the Worker and its kernel, zipped. Source maps are not part of it, nor is the module that pages load
 * when they first need it, which has a bound of its own.
 */
const MOST_ZIPPED = 340 * 1024;
/** The most bytes, zipped, of what only pages load. */
const MOST_FOR_PAGES = 80 * 1024;

/** How many parts are shown. */
const SHOWN = 40;

const PARTS = v.object({
  outputs: v.record(v.string(), v.object({ inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })) })),
});

/** Returns the folder of a file, or the package that it is from. */
function partOf(file: string): string {
  const [, ofPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  return ofPackage ?? dirname(file);
}

/** Prints the largest parts, with their bytes before names were shortened. */
function showParts(): void {
  const { outputs } = v.parse(PARTS, JSON.parse(readFileSync(PARTS_FILE, "utf8")));
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs))
      sums.set(partOf(file), (sums.get(partOf(file)) ?? 0) + bytesInOutput);
  const largest = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [part, bytes] of largest) console.log(`${String(bytes).padStart(9)}  ${part}`);
}

await buildWorker();
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

if (process.argv.includes("--parts")) showParts();
const problems =
  problemsOf("the Worker", ["worker.js", "kernel.wasm"], MOST_ZIPPED) +
  problemsOf("what pages load", ["rendering.js"], MOST_FOR_PAGES);
process.exitCode = problems > 0 ? 1 : 0;
