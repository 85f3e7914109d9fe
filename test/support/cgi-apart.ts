/**
 * C git's server in a process of its own. It starts a process for each request, which costs little where the parent is small: see
 * `small-parent.ts`.
 *
 * @packageDocumentation
 */
import { fork } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CgiOptions } from "./cgi-server.ts";

const ENTRY = join(dirname(fileURLToPath(import.meta.url)), "cgi-server-entry.ts");

/** Starts it. Gives its origin, and how it is ended. */
export async function startCgiApart(options: CgiOptions): Promise<{ base: string; close(): Promise<void> }> {
  const child = fork(ENTRY, { execArgv: [] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const base = await new Promise<string>((resolve, reject) => {
    child.once("message", (told: string) => resolve(told));
    child.once("exit", (code) => reject(new Error(`C git's server has ended with ${code}`)));
    child.send(options);
  });
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  return { base, close };
}
