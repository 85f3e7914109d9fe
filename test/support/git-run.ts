/**
 * One run of git, from its start to its end.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";

/** What is run. */
export type GitRun = {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly input: Uint8Array | string;
  /** Milliseconds until it is killed. */
  readonly timeout: number;
};

/** What came of it. */
export type GitRan = { readonly code: number; readonly stdout: Uint8Array; readonly stderr: string };

/**
 * Runs git and gives what it did, whatever that was.
 *
 * @throws Error if there is no git, or no such directory
 */
export async function runGit({ args, cwd, env, input, timeout }: GitRun): Promise<GitRan> {
  const child = spawn("git", args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  const timer = setTimeout(() => {
    errors.push(Buffer.from(`\nkilled after ${timeout} ms`));
    child.kill("SIGKILL");
  }, timeout);
  child.stdout.on("data", (piece: Buffer) => output.push(piece));
  child.stderr.on("data", (piece: Buffer) => errors.push(piece));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({ code: code ?? -1, stdout: Buffer.concat(output), stderr: Buffer.concat(errors).toString("utf8") }),
      );
    });
  } finally {
    clearTimeout(timer);
  }
}
