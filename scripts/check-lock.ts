/**
 * Holds the lock file to what makes an install the same everywhere. Fails where a package has no `integrity`, or one that is not SHA-512,
 * where it names a place to come from (the registry that npm is set to has it, and the integrity says that it is the right one), and when it
 * saw no package (a checker that sees nothing must not pass).
 *
 * npm leaves `integrity` out for packages of other platforms when it writes the file from what is installed. Made from nothing it has all of
 * them: `npm install --package-lock-only` in a directory that has `package.json` alone.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as v from "valibot";

/** SHA-512 has 64 bytes. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** The lock file, as far as it is looked at. */
const LOCK_FILE = v.looseObject({
  packages: v.optional(
    v.record(
      v.string(),
      v.looseObject({
        integrity: v.optional(v.string(), ""),
        resolved: v.optional(v.string()),
        link: v.optional(v.boolean(), false),
      }),
    ),
    {},
  ),
});

/** Returns the faults of a lock file. */
export function lockProblems(text: string): string[] {
  const { packages } = v.parse(LOCK_FILE, JSON.parse(text));
  // The package itself stands under "".
  const locked = Object.entries(packages).filter(([path, { link }]) => path !== "" && !link);
  if (locked.length === 0) return ["package-lock.json: no package seen"];
  return locked.flatMap(([path, { integrity, resolved }]) => [
    ...(INTEGRITY.test(integrity) ? [] : [`package-lock.json: ${path} has no SHA-512 integrity`]),
    ...(resolved === undefined ? [] : [`package-lock.json: ${path} names ${resolved} as the place it comes from`]),
  ]);
}

const [, program = ""] = process.argv;
if (import.meta.url === pathToFileURL(program).href) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const problems = lockProblems(readFileSync(join(root, "package-lock.json"), "utf8"));
  for (const problem of problems) console.error(problem);
  console.log(`lock: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
