// Copies what pages need beside their HTML, `src/web/assets`, to where hosts serve files as they are. Plain JavaScript: wrangler runs
// it on the system's Node.
import { copyFileSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = join(root, "src", "web", "assets");
const to = join(root, "build", "assets", "-", "assets");

/** Copies the files that are missing or older. */
export async function buildPages() {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (builtAt(join(to, name)) > changedAt(join(from, name))) continue;
    // Renamed into place: nobody reads half of a file.
    const fresh = join(root, "build", `${name}.${process.pid}`);
    copyFileSync(join(from, name), fresh);
    renameSync(fresh, join(to, name));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages();
