/**
 * Builds the WebAssembly kernel once before any suite runs, so that `npx vitest` works on a tree that was only cloned.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const script = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "scripts", "build-kernel.ts");

/** Vitest's hook: runs the kernel's build script with the Node that runs the tests. */
export function setup(): void {
  if (existsSync(script)) execFileSync(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
}
