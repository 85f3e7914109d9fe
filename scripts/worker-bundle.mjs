// Bundles the Worker as one module, and what only pages need as another: for the platform, for hosts on this machine and for tests alike.
// Plain JavaScript: wrangler runs it on the system's Node.
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop as stopEsbuild } from "esbuild";
import { minifySync, parseSync, Visitor } from "rolldown/utils";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const directory = join(root, "build", "worker");
const kernel = join(root, "src", "kernel", "kernel.wasm");
const INPUTS = ["src", "scripts/worker-bundle.mjs", "package-lock.json"];

/** The Worker's main file. */
export const WORKER_ENTRY = join(root, "src", "worker.ts");

/** The file that the platform is given. wrangler.toml names it, too. */
export const WORKER_FILE = join(directory, "worker.js");

/** What esbuild tells of the bundle's parts. */
export const PARTS_FILE = join(root, "build", "worker-parts.json");

/** What pages load when they first need it. */
const RENDERING_ENTRY = join(root, "src", "web", "rendering.ts");
const RENDERING_INPUTS = ["src/web", "src/object", "src/access", "scripts/worker-bundle.mjs", "package-lock.json"];

/** The module of what pages load, for hosts on this machine. */
export const RENDERING_FILE = join(root, "build", "rendering.js");

/** Leaves the kernel out of the bundle, which workerd takes as a compiled module, and what pages load. */
const modulesPlugin = {
  name: "modules",
  setup: (bundler) => {
    bundler.onResolve({ filter: /kernel\.wasm$/ }, () => ({ path: "./kernel.wasm", external: true }));
    bundler.onResolve({ filter: /\/rendering\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./rendering.js", external: true } : undefined,
    );
  },
};

/** Members of a route's description that only the API's description is made of: requests are held to the others. */
const WORDS = new Set(["tag", "summary", "about", "answers", "problems", "access"]);

/** Gives where the words of the routes' descriptions stand: each member in a call of `describe`, with the comma behind it. */
function wordsIn(path, text) {
  const { program, errors } = parseSync(path, text, { lang: "ts" });
  if (errors.length > 0) throw new AggregateError(errors, `${path} could not be parsed`);
  const found = [];
  const take = ({ callee, arguments: [route] }) => {
    if (callee.type !== "Identifier" || callee.name !== "describe" || route?.type !== "ObjectExpression") return;
    for (const { type, key, start, end } of route.properties) {
      if (type !== "Property" || key.type !== "Identifier" || !WORDS.has(key.name)) continue;
      const [behind = ""] = /^\s*,/.exec(text.slice(end)) ?? [];
      found.push([start, end + behind.length]);
    }
  };
  new Visitor({ CallExpression: take }).visit(program);
  return found;
}

/** Leaves the words of the routes' descriptions out. They are blanked, so that every other position stays what it is. */
const wordsPlugin = {
  name: "words",
  setup: (bundler) => {
    bundler.onLoad({ filter: /[\\/]src[\\/]api[\\/].*\.ts$/ }, ({ path }) => {
      let text = readFileSync(path, "utf8");
      const blank = (part) => part.replaceAll(/[^\n]/g, " ");
      for (const [start, end] of wordsIn(path, text))
        text = text.slice(0, start) + blank(text.slice(start, end)) + text.slice(end);
      return { contents: text, loader: "ts" };
    });
  },
};

/**
 * Makes the text shorter. Functions and classes keep their names, so that traces in the logs stay readable: the platform uses the map for
 * uncaught exceptions only. To keep names as esbuild does, each function would be defined anew whenever it is made, which takes a fifth of
 * a walk's time.
 */
function shorten(text, inputMap) {
  const names = { function: true, class: true };
  const { code, map, errors } = minifySync("worker.js", text, {
    module: true,
    compress: false,
    mangle: { toplevel: true, keepNames: names },
    sourcemap: true,
    inputMap,
  });
  if (errors.length > 0) throw new AggregateError(errors, "the bundle could not be minified");
  return { code, map };
}

/** Gives the bundle's text, its source map, and what esbuild tells of its parts. */
async function bundle(entry) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    outfile: WORKER_FILE,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "external",
    plugins: [modulesPlugin, wordsPlugin],
    logLevel: "error",
  });
  const [map, text] = outputFiles;
  if (map === undefined || text === undefined) throw new Error("esbuild made nothing");
  return { ...shorten(text.text, JSON.parse(map.text)), metafile };
}

/**
 * Bundles the Worker. The map goes to a file: within the bundle it would be four fifths of it, and count against the isolate's memory like
 * all source text.
 */
export async function bundleWorker(entry, mapFile) {
  const { code, map } = await bundle(entry);
  // Its process would stay, and be counted as the server's.
  await stopEsbuild();
  writeFileSync(mapFile, JSON.stringify(map));
  return `${code}\n//# sourceMappingURL=${mapFile}\n`;
}

/** Bundles what pages load, to `RENDERING_FILE`, where that is missing or older than its sources. */
export async function buildRendering() {
  if (builtAt(RENDERING_FILE) > Math.max(...RENDERING_INPUTS.map((input) => changedAt(join(root, input))))) return;
  const { code } = await bundle(RENDERING_ENTRY);
  await stopEsbuild();
  // Renamed into place: nobody reads half of a file.
  const fresh = `${RENDERING_FILE}.${process.pid}`;
  mkdirSync(dirname(fresh), { recursive: true });
  writeFileSync(fresh, `${code}\n`);
  renameSync(fresh, RENDERING_FILE);
}

/** Makes what the platform is given, `build/worker/`, where it is missing or older than its sources. */
export async function buildWorker() {
  if (builtAt(WORKER_FILE) > Math.max(...INPUTS.map((input) => changedAt(join(root, input))))) return;
  const fresh = `${directory}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const { code, map, metafile } = await bundle(WORKER_ENTRY);
  writeFileSync(PARTS_FILE, JSON.stringify(metafile));
  writeFileSync(join(fresh, "worker.js.map"), JSON.stringify(map));
  copyFileSync(kernel, join(fresh, "kernel.wasm"));
  await buildRendering();
  copyFileSync(RENDERING_FILE, join(fresh, "rendering.js"));
  writeFileSync(join(fresh, "worker.js"), `${code}\n//# sourceMappingURL=worker.js.map\n`);
  rmSync(directory, { recursive: true, force: true });
  renameSync(fresh, directory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWorker();
