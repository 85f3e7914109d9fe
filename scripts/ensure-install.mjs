// Installs what package-lock.json names when node_modules is missing or older, so that `npm start` and `npm test` work on a
// bare clone. Plain JavaScript: it runs on the system's Node, before the pinned one is there. Called by `pre…` scripts, each of which
// has a shell of its own: a shell remembers where it found `node`, and would go on with the system's.
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const installed = join(root, "node_modules", ".package-lock.json");
const wanted = join(root, "package-lock.json");
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  // not `npm ci`: it refuses a lock file from which a registry left out other platforms' optional packages
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", install, { cwd: root, stdio: ["ignore", 2, 2] });
}
