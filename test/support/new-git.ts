/**
 * A newer git than the one that is installed, for what only that says. `NEW_GIT` names a directory with its `git`: the `bin-wrappers` of a
 * build from source, say.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { GitSandbox } from "./git-client.ts";

/** The directory of the newer git; `undefined` where there is none. */
export const NEW_GIT: string | undefined = process.env["NEW_GIT"] === "" ? undefined : process.env["NEW_GIT"];

/** Returns the version of the git in a directory, or of the one that is installed: `2.39.5`. */
function versionOf(directory?: string): string {
  const program = directory === undefined ? "git" : join(directory, "git");
  return execFileSync(program, ["--version"], { encoding: "utf8" })
    .trim()
    .replace(/^git version /, "");
}

/** Whether a version comes after a release: `2.56.0` and `2.55.0.12.g0ac5f3b` come after `2.55.0`. */
export function isAfter(version: string, release: string): boolean {
  return version.localeCompare(release, "en", { numeric: true }) > 0;
}

/** A git client that journeys run with. */
export type GitVersion = {
  /** What the titles of tests say. */
  readonly version: string;
  /** Has a sandbox use it. */
  readonly use: (git: GitSandbox) => void;
};

/** The git that is installed, and the newer one where there is one. */
export const GIT_VERSIONS: readonly GitVersion[] = [
  { version: versionOf(), use: () => undefined },
  ...(NEW_GIT === undefined
    ? []
    : [{ version: versionOf(NEW_GIT), use: (git: GitSandbox) => git.usePrograms(NEW_GIT ?? "") }]),
];
