/**
 * Clients that are not git, each as the few things a journey does with it. Reading what they made is git's business.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { COMMAND_LIMIT } from "../time-limits.ts";

/** Where a client finds a remote, and who it is there. */
export type Remote = {
  /** Without credentials. */
  readonly url: string;
  /** The token; empty for nobody. */
  readonly token: string;
};

/** A client under test. */
export interface GitProgram {
  readonly name: string;
  /** Why it can't be run here; `undefined` where it can. */
  missing(): string | undefined;
  /** Clones, with a working copy of the default branch, all branches and tags. @throws Error with the client's words. */
  clone(remote: Remote, directory: string): Promise<void>;
  /** Clones the last commits of the default branch. Absent in clients that can't. */
  readonly cloneShallow?: (remote: Remote, directory: string, depth: number) => Promise<void>;
  /** Fetches all branches of `origin` into `refs/remotes/origin/`, and the tags along with them. */
  fetch(remote: Remote, directory: string): Promise<void>;
  /** Commits the change of one file, which was written already, on the branch that is checked out. */
  commit(directory: string, file: string, message: string): Promise<void>;
  /** Makes an annotated tag of HEAD. */
  tag(directory: string, name: string): Promise<void>;
  /** Pushes what `from` names, or deletes where it is empty. @throws Error where the remote refuses. */
  push(remote: Remote, directory: string, what: PushedRef): Promise<void>;
}

/** What to push: both full ref names; an empty `from` deletes. */
export type PushedRef = { readonly from: string; readonly to: string; readonly force?: boolean };

/** Runs a program to its end. @throws Error with what it said, where it fails. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const { cwd, env = {} } = options;
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString("utf8")));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString("utf8")));
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_LIMIT);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`.slice(-4000)));
    });
  });
}
