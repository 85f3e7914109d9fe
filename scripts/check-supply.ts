/**
 * Holds the locked packages to what a release may be made of: their licences, the scripts that an install runs, and known holes.
 * Fails on a licence that is not listed here, on an install script that `allowScripts` of `package.json` does not name, and on an
 * advisory of high or critical severity. A registry that gives no advisories brings a warning: a build must not depend on it.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as v from "valibot";

/** The licences of what may be part of the Worker and of the command: they ask for no more than to be named. */
const PERMISSIVE = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "Zlib"]);
/** Packages under other licences, and why that is no harm: none of them is part of what is deployed or given out. */
const TOOLS: readonly (readonly [packages: RegExp, licence: RegExp, why: string])[] = [
  [/^@img\/sharp-/, /LGPL-3\.0/, "libvips, with which the local simulator would change images"],
  [/^lightningcss/, /MPL-2\.0/, "part of the test runner"],
  [/^axe-core$/, /MPL-2\.0/, "looks at pages in tests"],
  [/^openpgp$/, /LGPL-3\.0/, "makes signatures in tests"],
];
/** The severities that a release may not have. */
const SEVERE = ["high", "critical"] as const;
/** How long the registry is waited for. Milliseconds. */
const PATIENCE = 60_000;

const LOCK_FILE = v.looseObject({
  packages: v.record(
    v.string(),
    v.looseObject({ license: v.optional(v.string()), hasInstallScript: v.optional(v.boolean(), false) }),
  ),
});
const PACKAGE_FILE = v.looseObject({ allowScripts: v.optional(v.record(v.string(), v.boolean()), {}) });
const AUDIT = v.looseObject({
  metadata: v.looseObject({ vulnerabilities: v.looseObject({ high: v.number(), critical: v.number() }) }),
  vulnerabilities: v.record(v.string(), v.looseObject({ severity: v.string() })),
});

/** Returns the name of a package by its path in the lock file. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Whether an expression of licences leaves a choice that is permissive, or asks for nothing else. @see SPDX, annex D */
export function isPermissive(expression: string): boolean {
  const choices = expression.replaceAll(/[()]/g, "").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((licence) => PERMISSIVE.has(licence.trim())));
}

/** Returns the faults of a lock file: licences, and scripts that an install would run. */
export function supplyProblems(lockText: string, packageText: string): string[] {
  const { packages } = v.parse(LOCK_FILE, JSON.parse(lockText));
  const { allowScripts } = v.parse(PACKAGE_FILE, JSON.parse(packageText));
  const locked = Object.entries(packages).filter(([path]) => path !== "");
  if (locked.length === 0) return ["package-lock.json: no package seen"];
  const problems = locked.flatMap(([path, { license = "none", hasInstallScript }]) => {
    const name = nameOf(path);
    const isTool = TOOLS.some(([packages_, licence]) => packages_.test(name) && licence.test(license));
    return [
      ...(isTool || isPermissive(license)
        ? []
        : [`${name}: the licence ${license} is not listed in scripts/check-supply.ts`]),
      ...(hasInstallScript && allowScripts[name] !== true
        ? [`${name}: has a script that an install runs, and is not in allowScripts of package.json`]
        : []),
    ];
  });
  const scripted = new Set(locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)));
  const idle = Object.keys(allowScripts).filter((name) => !scripted.has(name));
  return [...problems, ...idle.map((name) => `${name}: is in allowScripts, and has no script`)];
}

/** Returns what is wrong by what `npm audit --json` printed; `undefined` if it could not tell. */
export function auditProblems(printed: string): string[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(printed);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(AUDIT, json);
  if (!parsed.success) return undefined;
  return Object.entries(parsed.output.vulnerabilities)
    .filter(([, { severity }]) => SEVERE.some((each) => each === severity))
    .map(([name, { severity }]) => `${name}: has an advisory of ${severity} severity; npm audit tells more`);
}

const [, program = ""] = process.argv;
if (import.meta.url === pathToFileURL(program).href) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const read = (name: string): string => readFileSync(join(root, name), "utf8");
  const { stdout } = spawnSync("npm", ["audit", "--json"], { cwd: root, encoding: "utf8", timeout: PATIENCE });
  const advised = auditProblems(stdout);
  if (advised === undefined) console.error("supply: the registry told no advisories, so that none were looked for");
  const problems = [...supplyProblems(read("package-lock.json"), read("package.json")), ...(advised ?? [])]; // It warns above.
  for (const problem of problems) console.error(problem);
  console.log(`supply: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
