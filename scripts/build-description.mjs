// Makes the API's description, `build/assets/-/openapi.json` and `docs.html`, from the routes. It does nothing while the files are newer
// than all they may come from. Plain JavaScript: wrangler runs it on the system's Node.
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const assets = join(root, "build", "assets", "-");
const FILES = ["openapi.json", "docs.html"];
const INPUTS = ["src", "scripts/description", "scripts/build-description.mjs", "package-lock.json"];

/** Makes the files where one is missing or older. */
export async function buildDescription() {
  const built = Math.min(...FILES.map((name) => builtAt(join(assets, name))));
  if (Math.max(...INPUTS.map((input) => changedAt(join(root, input)))) < built) return;
  const { build } = await import("esbuild");
  // Made in a directory of its own, and renamed into place: nobody reads half of a file.
  const directory = join(root, "build", `description.${process.pid}`);
  mkdirSync(directory, { recursive: true });
  mkdirSync(assets, { recursive: true });
  try {
    const program = join(directory, "main.mjs");
    await build({
      entryPoints: [join(root, "scripts", "description", "main.ts")],
      bundle: true,
      outfile: program,
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "warning",
    });
    execFileSync(process.execPath, [program, directory], { stdio: "inherit" });
    for (const name of FILES) renameSync(join(directory, name), join(assets, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDescription();
