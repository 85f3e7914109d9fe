/**
 * The client of Git LFS that tests run: the one that is installed, or another where `NEW_GIT_LFS` names the directory of its `git-lfs`.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const { NEW_GIT_LFS: directory = "" } = process.env;

/** What comes before the programs of the machine in `PATH`: `""`, or a directory with a colon. */
export const LFS_PROGRAMS = directory === "" ? "" : `${directory}:`;

/** Returns the name and version of the client, for the titles of tests: `git-lfs/3.3.0`. @throws Error if there is none. */
export function lfsClient(): string {
  const program = directory === "" ? "git-lfs" : join(directory, "git-lfs");
  const [version = ""] = execFileSync(program, ["--version"], { encoding: "utf8" }).split(" ");
  return version;
}
