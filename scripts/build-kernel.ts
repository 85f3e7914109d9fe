/**
 * Compiles the AssemblyScript of `src/kernel/wasm/` to `src/kernel/kernel.wasm`. The result is committed, so that
 * starting and deploying need no compiler. Beside it, `kernel.wasm.source` records the digest of its sources. The
 * script does nothing while these are the same. With `--check` it always compiles, and fails if the committed file is
 * not what the sources give.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sources = join(root, "src", "kernel", "wasm");
const output = join(root, "src", "kernel", "kernel.wasm");
const stamp = `${output}.source`;
const compiler = join(root, "node_modules", "assemblyscript", "bin", "asc.js");

/** Returns a digest of everything that the kernel is made from: the sources, and the version of the compiler. */
function sourceDigest(): string {
  const digest = createHash("sha256").update(`assemblyscript ${packageJson.devDependencies.assemblyscript}\n`);
  for (const name of readdirSync(sources).toSorted()) {
    const content = readFileSync(join(sources, name));
    digest.update(`${name} ${content.length}\n`).update(content);
  }
  return `${digest.digest("hex")}\n`;
}

/** Compiles the sources. */
function compile(): Buffer {
  if (!existsSync(compiler)) throw new Error("the kernel has to be compiled, which takes `npm install` first");
  const directory = mkdtempSync(join(tmpdir(), "thinpack-kernel-"));
  try {
    const file = join(directory, "kernel.wasm");
    const options = ["exports.ts", "--config", "asconfig.json", "--baseDir", sources, "--outFile", file];
    execFileSync(process.execPath, [compiler, ...options], { cwd: sources, stdio: "inherit" });
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes a file so that a concurrent reader sees all of the old content or all of the new. */
function replace(file: string, content: string | Buffer): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, file);
}

const digest = sourceDigest();
const isFresh = existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
if (process.argv.includes("--check")) {
  if (!isFresh || !compile().equals(readFileSync(output))) {
    console.error(
      "src/kernel/kernel.wasm is not what src/kernel/wasm gives: run `npm run build:kernel` and commit both files",
    );
    process.exit(1);
  }
} else if (!isFresh) {
  const module = compile();
  replace(output, module);
  replace(stamp, digest);
  console.log(`src/kernel/kernel.wasm: ${module.length} bytes`);
}
