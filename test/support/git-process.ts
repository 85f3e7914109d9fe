/**
 * Hosts as processes: `npm start`'s script as a child, with what a test or the benchmark needs to wait for it, kill it and start
 * it again on the same state.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { processTree } from "../../scripts/bench/process-time.ts";
import { advanceAlarms } from "./advance-alarms.ts";
import { sharedBundle } from "./shared-bundle.ts";
import { COMMAND_LIMIT } from "./time-limits.ts";

/** The top of the project. */
export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A host that was started as a user starts it. */
export type StartedHost = {
  readonly base: string;
  readonly token: string;
  readonly child: ChildProcess;
  /** Where its isolates are inspected, where `INSPECTOR_PORT` was set; 0 takes a free one. */
  readonly inspector?: string;
  /** Ends it as a terminal would, and waits. */
  stop(): Promise<void>;
  /** SIGKILL to it and to every process below it, at once. */
  kill(): Promise<void>;
};

/**
 * Waits for a line of a child that starts with a word, and gives the rest of that line.
 *
 * @throws Error when the child ends first, or when it takes {@link COMMAND_LIMIT}.
 */
export async function waitForLine(lines: Interface, word: string, child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${word}" within ${COMMAND_LIMIT} ms`)), COMMAND_LIMIT);
    const onExit = (code: number | null): void => reject(new Error(`the host ended with ${code} before "${word}"`));
    const onLine = (line: string): void => {
      if (!line.startsWith(`${word} `)) return;
      clearTimeout(timer);
      lines.off("line", onLine);
      child.off("exit", onExit);
      resolve(line.slice(word.length + 1).trim());
    };
    lines.on("line", onLine);
    child.on("exit", onExit);
  });
}

/** Ends a child with SIGTERM and waits until it is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Kills a child and all its descendants, by id. */
async function killTree(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (const pid of processTree(child.pid ?? 0)) process.kill(pid, "SIGKILL");
  await ended;
}

/** Returns the variables by which a host takes over what the run has made already: the bundle, and Node's compiled code. */
function prepared(): Record<string, string> {
  const bundle = sharedBundle("observed");
  return bundle === undefined ? {} : { WORKER_BUNDLE: bundle, NODE_COMPILE_CACHE: join(dirname(bundle), "compiled") };
}

/** The variable that puts the clock of a host forward from its start: see `HostClock`. Alarms that are set go with it. Milliseconds. */
export const CLOCK_AHEAD = "CLOCK_AHEAD";

/**
 * Copies a bundle, with a clock that is put forward before anything runs: an object that wakes as the host starts, and finds an earlier
 * time than when it was killed, would set its alarm for then.
 */
function bundleAhead(bundle: string, state: string, ahead: string): string {
  const copy = join(state, "bundle");
  rmSync(copy, { recursive: true, force: true });
  cpSync(bundle, copy, { recursive: true });
  const main = join(copy, "worker.js");
  writeFileSync(main, `globalThis.${CLOCK_AHEAD} = ${Number(ahead)};\n${readFileSync(main, "utf8")}`);
  return copy;
}

/** Notes by how much the clock of a host is ahead, and has the alarms of the last one come as much earlier as it is further. */
function keepAlarms(state: string, ahead: number): void {
  const file = join(state, "clock-ahead");
  const before = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (ahead === before) return;
  advanceAlarms(state, ahead - before);
  writeFileSync(file, String(ahead));
}

/** Starts the host on a state directory and a free port, which it finds itself; more variables in `env`. */
export async function startProject(
  state: string,
  token: string,
  env: Record<string, string> = {},
): Promise<StartedHost> {
  const { WORKER_BUNDLE: bundle, ...compiled } = prepared();
  const { [CLOCK_AHEAD]: ahead, ...variables } = env;
  if (bundle === undefined && ahead !== undefined) throw new Error("only a bundle's clock can be put forward");
  const taken = bundle === undefined || ahead === undefined ? bundle : bundleAhead(bundle, state, ahead);
  // What it leaves behind when it is killed goes where its state goes.
  const temporary = join(state, "tmp");
  mkdirSync(temporary, { recursive: true });
  if (ahead !== undefined) keepAlarms(state, Number(ahead));
  const child = spawn(process.execPath, [join(PROJECT, "scripts", "start.ts")], {
    cwd: PROJECT,
    env: {
      ...process.env,
      ...compiled,
      ...(taken === undefined ? {} : { WORKER_BUNDLE: taken }),
      STATE_DIR: state,
      ADMIN_TOKEN: token,
      PORT: "0",
      // What tests look for in the bucket is there once they have pushed.
      PUBLISH_AFTER: process.env["PUBLISH_AFTER"] ?? "0",
      TMPDIR: temporary,
      ...variables,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const inspecting = env["INSPECTOR_PORT"] === undefined ? undefined : waitForLine(lines, "inspector", child);
  const base = await waitForLine(lines, "ready", child);
  const inspector = await inspecting;
  return {
    base,
    token,
    child,
    ...(inspector === undefined ? {} : { inspector }),
    stop: () => stopProcess(child),
    kill: () => killTree(child),
  };
}
