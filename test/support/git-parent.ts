/**
 * Has a small process be the parent of git's: a test's own takes long to start one, see `small-parent.ts`. Several may run at once, and
 * nobody waits without letting go.
 *
 * @packageDocumentation
 */
import { type ChildProcess, fork } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GitRan, GitRun } from "./git-run.ts";

type Answer = { readonly id: number } & ({ readonly ran: GitRan } | { readonly failed: string });

const ENTRY = join(dirname(fileURLToPath(import.meta.url)), "git-parent-entry.ts");

/** The runs under way, by number. */
const waiting = new Map<number, PromiseWithResolvers<GitRan>>();
let parent: ChildProcess | undefined;
let count = 0;

/** Starts the small process. It keeps nothing from ending. */
function started(): ChildProcess {
  const child = fork(ENTRY, { execArgv: [], serialization: "advanced" });
  child.on("message", (answer: Answer) => {
    const run = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) child.channel?.unref();
    if ("ran" in answer) run?.resolve(answer.ran);
    else run?.reject(new Error(answer.failed));
  });
  child.on("exit", (code) => {
    if (parent === child) parent = undefined;
    for (const { reject } of waiting.values()) reject(new Error(`the parent of git has ended with ${code}`));
    waiting.clear();
  });
  child.unref();
  return child;
}

/**
 * Runs git as `runGit` does, with the small process as its parent.
 *
 * @throws Error if there is no git, or no such directory
 */
export async function runGitApart(run: GitRun): Promise<GitRan> {
  parent ??= started();
  count += 1;
  const pending = Promise.withResolvers<GitRan>();
  waiting.set(count, pending);
  parent.channel?.ref();
  parent.send({ id: count, run });
  return await pending.promise;
}
