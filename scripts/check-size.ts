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

/** The most bytes that the platform is given, zipped: the Worker and its kernel. Source maps are not part of it. */
const MOST_ZIPPED = 300 * 1024;

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
const files = [WORKER_FILE, join(dirname(WORKER_FILE), "kernel.wasm")].map((file) => readFileSync(file));
const zipped = gzipSync(Buffer.concat(files)).length;
if (process.argv.includes("--parts")) showParts();
const isTooLarge = zipped > MOST_ZIPPED;
const problem = `the Worker is larger than it may be; node scripts/check-size.ts --parts shows what is in it`;
if (isTooLarge) console.error(problem);
console.log(`size: ${(zipped / 1024).toFixed(1)} KiB zipped of ${MOST_ZIPPED / 1024}, ${isTooLarge ? 1 : 0} problems`);
process.exitCode = isTooLarge ? 1 : 0;
