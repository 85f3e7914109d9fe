// Bundles the command to `build/thinpack.cjs`, and git's helper for WebSockets beside it; does nothing while they are newer than all it may come from. Plain JavaScript: it runs on
// the system's Node. `node scripts/build-command.mjs` makes it for a package.
import { mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** The bundles, each with its main file. */
const BUNDLES = {
  "git-remote-thinpack.cjs": "scripts/remote-helper/main.ts",
  "thinpack.cjs": "scripts/thinpack/main.ts",
};

/** Makes the bundle where it is missing or older. */
export async function buildCommand() {
  const outputs = Object.keys(BUNDLES).map((name) => join(root, "build", name));
  const built = Math.min(...outputs.map((output) => builtAt(output)));
  const inputs = [
    "scripts/thinpack",
    "scripts/remote-helper",
    "scripts/host-processes.ts",
    "scripts/build-command.mjs",
    "src/wire",
    "src/bytes",
    "src/object",
    "src/format",
    "package-lock.json",
  ];
  if (inputs.every((input) => changedAt(join(root, input)) < built)) return;
  const { build } = await import("esbuild");
  mkdirSync(join(root, "build"), { recursive: true });
  for (const [name, entry] of Object.entries(BUNDLES)) {
    const output = join(root, "build", name);
    // Renamed into place, so that a command that starts meanwhile never reads half of it.
    const fresh = `${output}.${process.pid}`;
    await build({
      entryPoints: [join(root, entry)],
      bundle: true,
      outfile: fresh,
      platform: "node",
      // What CommonJS packages load would not be found from an ES module.
      format: "cjs",
      target: "node20",
      banner: { js: "#!/usr/bin/env node" },
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: "warning",
    });
    renameSync(fresh, output);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCommand();
