// Writes what a release is made of, `build/assets/-/sbom.cdx.json`: all packages that starting and deploying take, with their checksums and
// licences, as CycloneDX has it. It is part of the command's package, and a deployed host serves it. Plain JavaScript, since wrangler runs it on
// the system's Node.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtAt, changedAt } from "./changed-at.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(root, "build", "assets", "-", "sbom.cdx.json");
const sources = ["package-lock.json", "package.json", "scripts/build-sbom.mjs"];

/** Makes the file where it is missing or older than the lock file; gives its name. */
export function buildSbom() {
  if (builtAt(output) > Math.max(...sources.map((name) => changedAt(join(root, name))))) return output;
  const options = ["--sbom-format=cyclonedx", "--package-lock-only", "--omit=dev"];
  const sbom = JSON.parse(
    execFileSync("npm", ["sbom", ...options], { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 }),
  );
  // npm names the directory. Without a time and a number of its own the same release has the same list.
  const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  delete sbom.serialNumber;
  delete sbom.metadata.timestamp;
  sbom.metadata.component.name = name;
  mkdirSync(dirname(output), { recursive: true });
  const fresh = `${output}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(sbom)}\n`);
  renameSync(fresh, output);
  return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildSbom());
