// Bundles the Worker: its main module, and one for each part that it loads when it first needs it. For the platform, for hosts on this
// machine and for tests alike. Plain JavaScript: wrangler runs it on the system's Node.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop as stopEsbuild } from "esbuild";
import { minifySync, parseSync, Visitor } from "rolldown/utils";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const workerDirectory = join(root, "build", "worker");
const kernel = join(root, "src", "kernel", "kernel.wasm");
const BESIDE = ["scripts/worker-bundle.mjs", "package-lock.json"];
const INPUTS = ["src", ...BESIDE];
/** Hexadecimal digits of what tells two states of the sources apart. */
const DIGEST_DIGITS = 16;

/** The Worker's main file. */
export const WORKER_ENTRY = join(root, "src", "worker.ts");

/** The file that the platform is given. wrangler.toml names it, too. */
export const WORKER_FILE = join(workerDirectory, "worker.js");

/** What esbuild tells of the bundle's parts. */
export const PARTS_FILE = join(root, "build", "worker-parts.json");

/** Leaves the kernel out of the bundle: workerd takes it as a compiled module. */
const kernelPlugin = {
  name: "kernel",
  setup: (bundler) => {
    bundler.onResolve({ filter: /kernel\.wasm$/ }, () => ({ path: "./kernel.wasm", external: true }));
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
function shorten(name, text, inputMap) {
  const names = { function: true, class: true };
  const { code, map, errors } = minifySync(name, text, {
    module: true,
    compress: false,
    mangle: { toplevel: true, keepNames: names },
    sourcemap: true,
    inputMap,
  });
  if (errors.length > 0) throw new AggregateError(errors, "the bundle could not be minified");
  return { code, map };
}

/** Returns a digest of all that a bundle is made from. What a Worker keeps of what it made has it in its name: the next one makes it anew. */
export function sourcesDigest(directory = root) {
  const files = readdirSync(join(directory, "src"), { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  const paths = files
    .map((each) => relative(directory, join(each.parentPath, each.name)))
    .concat(BESIDE)
    .toSorted();
  const hash = createHash("sha256");
  for (const path of paths) {
    const text = readFileSync(join(directory, path));
    hash.update(`${path}\0${text.length}\0`).update(text);
  }
  return hash.digest("hex").slice(0, DIGEST_DIGITS);
}

/**
 * Bundles the Worker into a directory that is there: `worker.js`, the modules that it loads, `chunks/*.js`, and the kernel. Each has its source
 * map beside it: within the module it would be four fifths of it, and count against the isolate's memory like all source text. Returns what
 * esbuild tells of the parts.
 */
export async function bundleWorker(entry, directory) {
  const { outputFiles, metafile } = await build({
    entryPoints: { worker: entry },
    bundle: true,
    // A dynamic import makes a module of its own, and what two modules share is in a third.
    splitting: true,
    write: false,
    metafile: true,
    absWorkingDir: root,
    outdir: directory,
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    define: { SOURCES_DIGEST: JSON.stringify(sourcesDigest()) },
    sourcemap: "external",
    plugins: [kernelPlugin, wordsPlugin],
    logLevel: "error",
  });
  // Its process would stay, and be counted as the server's.
  await stopEsbuild();
  mkdirSync(join(directory, "chunks"), { recursive: true });
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  for (const [path, text] of texts) {
    if (!path.endsWith(".js")) continue;
    const { code, map } = shorten(relative(directory, path), text, JSON.parse(texts.get(`${path}.map`)));
    writeFileSync(`${path}.map`, JSON.stringify(map));
    writeFileSync(path, `${code}\n//# sourceMappingURL=${basename(path)}.map\n`);
  }
  copyFileSync(kernel, join(directory, "kernel.wasm"));
  return metafile;
}

/** Makes what the platform is given, `build/worker/`, where it is missing or older than its sources. */
export async function buildWorker() {
  if (builtAt(WORKER_FILE) > Math.max(...INPUTS.map((input) => changedAt(join(root, input))))) return;
  const fresh = `${workerDirectory}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const metafile = await bundleWorker(WORKER_ENTRY, fresh);
  writeFileSync(PARTS_FILE, JSON.stringify(metafile));
  rmSync(workerDirectory, { recursive: true, force: true });
  renameSync(fresh, workerDirectory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWorker();
