/**
 * The command, run as people and scripts run it: as a process of its own, in a sandbox's home.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { GitSandbox } from "./git-client.ts";
import { PROJECT } from "./git-process.ts";

/** What it did. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** How it is run. */
export type CommandOptions = {
  readonly env?: Record<string, string>;
  readonly input?: string;
  /** The sandbox's own directory by default. */
  readonly cwd?: string;
};

/** Starts the command; `ended` gives what it did, killed or not. */
export function startCommand(
  git: GitSandbox,
  args: readonly string[],
  { env = {}, input = "", cwd = git.directory }: CommandOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
  const child = spawn(process.execPath, [join(PROJECT, "scripts", "thinpack.mjs"), ...args], {
    cwd,
    env: git.environment(env),
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = new Promise<Ran>((resolve) =>
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr })),
  );
  return { child, ended };
}
