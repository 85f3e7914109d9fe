// Installs what package-lock.json names if node_modules lacks it, so that `npm start` and `npm test` work on a bare clone. Starting and
// deploying take the `dependencies` alone; `all` adds what only the tests and the gate need. Plain JavaScript: it runs on the system's
// Node, before the pinned one is there. Called by `pre…` scripts, each of which has a shell of its own: a shell remembers where it found
// `node`, and would go on with the system's.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const installed = join(modules, ".package-lock.json");
const wanted = join(root, "package-lock.json");
/** Milliseconds between two words of how it goes: npm says nothing where it is not on a terminal. */
const SAY_AFTER = 4000;

/** Gives the packages that an installation takes, by their directories. */
function packagesOf(all) {
  const { packages } = JSON.parse(readFileSync(wanted, "utf8"));
  const rows = Object.entries(packages).filter(([path, each]) => path !== "" && !each.optional && !each.devOptional);
  return rows.filter(([, each]) => all || !each.dev).map(([path]) => path);
}

function isInstalled(all) {
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) return false;
  return packagesOf(all).every((path) => existsSync(join(root, path)));
}

/** Counts the packages that are there by now. npm makes all directories first, and then fills them. */
function countInstalled(packages) {
  return packages.filter((path) => existsSync(join(root, path, "package.json"))).length;
}

/** Whether the tests' packages are here: whoever works on the project does not lose them by starting it. */
function hasTestPackages() {
  return existsSync(join(modules, "vitest"));
}

/** Installs what is missing; with `all`, or where they were installed before, also what only the tests need. */
export async function ensureInstalled(withTests) {
  const all = withTests || hasTestPackages();
  if (isInstalled(all)) return;
  const size = all ? "700 MB" : "500 MB";
  const packages = packagesOf(all);
  console.error(`thinpack: installing ${packages.length} packages (up to ${size}), which takes about a minute`);
  const began = Date.now();
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000);
    console.error(
      `thinpack: still installing, ${seconds} s, ${countInstalled(packages)} of ${packages.length} packages`,
    );
  }, SAY_AFTER);
  // not `npm ci`: it refuses a lock file from which a registry left out other platforms' optional packages
  const install = [
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    ...(all ? [] : ["--omit=dev"]),
  ];
  const npm = spawn("npm", install, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  const code = await new Promise((resolve) => {
    npm.on("error", () => resolve(127));
    npm.on("close", resolve);
  });
  clearInterval(timer);
  if (code !== 0) {
    console.error("thinpack: npm could not install the packages: see above");
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureInstalled(process.argv[2] === "all");
