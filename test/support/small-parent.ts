/**
 * Has a small process be the parent of others, and waits for each.
 *
 * To start a process, Node forks, and the kernel copies the page tables of the parent. A process in which tests have run for a minute holds
 * 200 to 400 MB: then a start takes 6 to 15 ms of processor time, more than most commands of git take themselves. A small process holds
 * few, and a start takes 2 ms. It is asked by named pipes, because these can be waited for without letting go: see `small-parent-entry.ts`.
 * `git-parent.ts` is for those who can await an end.
 *
 * @packageDocumentation
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { receiveFrom, sendTo } from "./framed-values.ts";

/** What is run, and how. */
export type SmallRun = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: Uint8Array | string;
};

/** What came of it. `status` is null where a signal ended it. */
export type SmallRan = { readonly status: number | null; readonly stdout: Buffer; readonly stderr: Buffer };

const ENTRY = join(dirname(fileURLToPath(import.meta.url)), "small-parent-entry.ts");

let pipes: { readonly asks: number; readonly answers: number } | undefined;

/** Starts the small process, which ends when this one does: nobody writes to its pipe then. */
function started(): { readonly asks: number; readonly answers: number } {
  const directory = mkdtempSync(join(tmpdir(), "thinpack-parent-"));
  const names = [join(directory, "asks"), join(directory, "answers")] as const;
  spawnSync("mkfifo", names);
  spawn(process.execPath, [ENTRY, ...names], { stdio: ["ignore", "ignore", "inherit"] }).unref();
  return { asks: openSync(names[0], "w"), answers: openSync(names[1], "r") };
}

/**
 * Runs a program and gives what it did, whatever that was.
 *
 * @throws Error if it could not be started
 */
export function runSmall(run: SmallRun): SmallRan {
  pipes ??= started();
  // The environment of a process is no plain object.
  sendTo(pipes.asks, { ...run, env: { ...run.env } });
  const answer = receiveFrom(pipes.answers);
  if (answer === undefined) throw new Error("the small process has ended");
  const { failed, status, stdout, stderr } = answer as { readonly failed?: string } & SmallRan;
  if (failed !== undefined) throw new Error(failed);
  return { status, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}

/**
 * Runs a program and gives its output.
 *
 * @throws Error with its words if it fails
 */
export function outputOf(run: SmallRun): Buffer {
  const { status, stdout, stderr } = runSmall(run);
  if (status !== 0)
    throw new Error(`Command failed: ${run.program} ${run.args.join(" ").slice(0, 1000)}\n${stderr.toString()}`);
  return stdout;
}
