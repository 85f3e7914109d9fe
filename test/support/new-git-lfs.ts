/**
 * The clients of Git LFS that journeys run with: the one that is installed, and a newer one where `NEW_GIT_LFS` names the directory of
 * its `git-lfs`.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { GitSandbox } from "./git-client.ts";

const { NEW_GIT_LFS: directory = "" } = process.env;

/** A client of Git LFS. */
export type LfsClientVersion = {
  /** What the titles of tests say: `git-lfs/3.3.0`. */
  readonly version: string;
  /** Has a sandbox use it. */
  readonly use: (git: GitSandbox) => void;
};

/** Returns the name and version of a client. Where there is none, the tests have to fail, each by its title, and not their file. */
function versionOf(program: string): string {
  try {
    return execFileSync(program, ["--version"], { encoding: "utf8" }).split(" ")[0] ?? "";
  } catch {
    return "git-lfs, which is missing";
  }
}

/** The client that is installed. */
export const INSTALLED_LFS: LfsClientVersion = { version: versionOf("git-lfs"), use: () => undefined };

/** The client that is installed, and the newer one where there is one. */
export const LFS_CLIENTS: readonly LfsClientVersion[] = [
  INSTALLED_LFS,
  ...(directory === ""
    ? []
    : [{ version: versionOf(join(directory, "git-lfs")), use: (git: GitSandbox) => git.usePrograms(directory) }]),
];
