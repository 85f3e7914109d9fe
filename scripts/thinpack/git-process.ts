/**
 * Runs the git of this machine.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { listProcesses } from "../host-processes.ts";
import { CommandFailure } from "./failure.ts";
import { endingWith } from "./interruption.ts";

/** The options of a run of git. */
export type GitRun = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Changes git's messages before the user sees them. If absent, they become part of the error. */
  readonly say?: (text: string) => string;
};

/**
 * Returns configuration for one run of git in its environment, where `ps` does not show it; what is there already
 * stays.
 */
export function gitConfiguration(settings: readonly (readonly [string, string])[]): Record<string, string> {
  const before = Number(process.env["GIT_CONFIG_COUNT"] ?? 0);
  const pairs = settings.flatMap(([key, value], at): [string, string][] => [
    [`GIT_CONFIG_KEY_${before + at}`, key],
    [`GIT_CONFIG_VALUE_${before + at}`, value],
  ]);
  return { ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: String(before + settings.length) };
}

/**
 * Ends a process and all that it has started: git leaves its HTTP helpers running, which may wait for a host forever.
 */
function endTree(pid: number): void {
  const running = listProcesses();
  const tree = [pid];
  for (const parent of tree) tree.push(...running.filter((each) => each.parent === parent).map((each) => each.pid));
  for (const each of tree) {
    try {
      process.kill(each, "SIGTERM");
    } catch {
      // It has ended by itself.
    }
  }
}

/**
 * Returns how git runs in a bare repository that this command has made. Git 3.0 takes a directory for one only where it is
 * told so.
 *
 * @see git-config(1), `safe.bareRepository`
 */
export function inBare(directory: string): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } {
  return { cwd: directory, env: { GIT_DIR: directory } };
}

/** Runs git; returns its exit code and what it printed. @throws CommandFailure if there is no git. */
export async function runGit(
  args: readonly string[],
  { cwd, env, input, say }: GitRun = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn("git", args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: [input === undefined ? "inherit" : "pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (piece: Buffer) => (stdout += piece.toString("utf8")));
  child.stderr?.on("data", (piece: Buffer) => {
    if (say === undefined) stderr += piece.toString("utf8");
    else process.stderr.write(say(piece.toString("utf8")));
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const closed = new Promise<number>((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new CommandFailure("git can't be run: is it installed?", undefined, { cause })),
    );
    child.on("close", (ended) => resolve(ended ?? 1));
  });
  // If the command is ended meanwhile, git is too, and with it what git has started.
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    endTree(child.pid);
    await closed;
  };
  const code = await endingWith(end, () => closed);
  return { code, stdout: stdout.trimEnd(), stderr };
}

/**
 * Runs git and returns what it printed.
 *
 * @throws CommandFailure in git's words if it fails.
 */
export async function git(args: readonly string[], run: GitRun = {}): Promise<string> {
  const { code, stdout, stderr } = await runGit(args, run);
  if (code === 0) return stdout;
  throw new CommandFailure(stderr.trim() || `git ${args[0] ?? ""} failed`);
}
