/**
 * Compiles the AssemblyScript of `src/kernel/wasm/` to `build/kernel.wasm`; does nothing while that is newer than all it comes from.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sources = join(root, "src", "kernel", "wasm");
const output = join(root, "build", "kernel.wasm");
const compiler = join(root, "node_modules", "assemblyscript");

const inputs = [
  ...readdirSync(sources).map((name) => join(sources, name)),
  join(compiler, "package.json"),
  fileURLToPath(import.meta.url),
];
const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (inputs.some((input) => statSync(input).mtimeMs >= built)) {
  mkdirSync(dirname(output), { recursive: true });
  // Renamed into place, so that a test or a server that starts meanwhile never reads half a module.
  const fresh = `${output}.${process.pid}`;
  const options = ["exports.ts", "--config", "asconfig.json", "--baseDir", sources, "--outFile", fresh];
  execFileSync(process.execPath, [join(compiler, "bin", "asc.js"), ...options], { cwd: sources, stdio: "inherit" });
  renameSync(fresh, output);
  console.log(`build/kernel.wasm: ${statSync(output).size} bytes`);
}
