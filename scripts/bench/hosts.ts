/**
 * The hosts that are measured: this one as `npm start` runs it, and C git behind CGI, each as a child process on a free port.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startProject, stopProcess, waitForLine } from "../../test/support/git-process.ts";
import { sampleMemory } from "./isolate-memory.ts";
import { commandOf, cpuSeconds, peakResident, processTree, resetPeakResident } from "./process-time.ts";
import { type Counts, RequestLog } from "./request-log.ts";

const TOKEN = "benchmark-token";

/** The work of the server during one step. */
export type ServerFigures = {
  /** Processor seconds. */
  readonly cpu: number;
  /** Bytes: isolate (heap, backing stores, kernel). Absent if the host has no isolate. */
  readonly memory?: number;
  /** Bytes: resident memory of the whole server process. */
  readonly resident?: number;
  readonly counts?: Counts;
};

/** A host under measurement. */
export type Host = {
  readonly name: string;
  readonly base: string;
  readonly token: string;
  /** Where its isolates are inspected, if it has any. */
  readonly inspector?: string;
  /** The processes that serve, where they are the same for each request. */
  readonly pids?: readonly number[];
  /** The directory of a repository on the server's disk, where it has one. */
  directory?(repository: string): string;
  /** Processor seconds so far, once it is quiet. */
  quietCpu(): Promise<number>;
  /** Begins a step; what is returned ends it and gives the figures. */
  begin(): Promise<() => Promise<ServerFigures>>;
  close(): Promise<void>;
};

/** A host whose processor time can be read at any moment. */
export type ObservedHost = Host & {
  /** Processor seconds so far. */
  cpuNow(): number;
};

const file = (path: string): string => join(fileURLToPath(import.meta.url), "..", path);

/** Starts C git's server. Its processor time is that of the backends only, not of the Node process that relays. */
export async function startCGit(root: string): Promise<Host> {
  const child = spawn(process.execPath, [file("cgi-host.ts"), root, TOKEN], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const base = await waitForLine(lines, "ready", child);
  const cpu = async (): Promise<number> => {
    const answer = waitForLine(lines, "cpu", child);
    child.stdin.write("cpu\n");
    return Number(await answer);
  };
  return {
    name: "c-git",
    base,
    token: TOKEN,
    directory: (repository) => join(root, `${repository}.git`),
    quietCpu: cpu,
    begin: async () => {
      const before = await cpu();
      return async () => ({ cpu: (await cpu()) - before });
    },
    close: () => stopProcess(child),
  };
}

/**
 * Starts this host as a user does. Its processor time is that of workerd, which also plays the bucket and the databases. With
 * `collect`, garbage is collected before each step: its memory is its own then, and its code a little slower. `env` has more
 * variables for `npm start`.
 */
export async function startThinpack(
  state: string,
  collect: boolean,
  env: Record<string, string> = {},
): Promise<ObservedHost> {
  mkdirSync(state, { recursive: true });
  const options = { INSPECTOR_PORT: "0", ALLOW_PRIVATE_UPSTREAMS: "1", ...env };
  const started = await startProject(state, TOKEN, options);
  const workers = processTree(started.child.pid ?? 0).filter((pid) => commandOf(pid) === "workerd");
  if (workers.length === 0) throw new Error("no workerd process under the host");
  const memory = await sampleMemory(started.inspector ?? "");
  const log = new RequestLog(join(state, "requests.jsonl"));
  const cpu = (): number => workers.reduce((total, pid) => total + cpuSeconds(pid), 0);
  return {
    name: "thinpack",
    base: started.base,
    token: TOKEN,
    inspector: started.inspector ?? "",
    pids: workers,
    cpuNow: cpu,
    quietCpu: async () => {
      await settle(cpu);
      return cpu();
    },
    begin: async () => {
      await settle(cpu);
      log.read();
      if (collect) await memory.collect();
      memory.reset();
      for (const pid of workers) resetPeakResident(pid);
      const before = cpu();
      return async () => {
        // Work after the answer counts, too.
        await settle(cpu);
        const used = cpu() - before;
        const counts = log.read();
        const resident = workers.reduce((total, pid) => total + peakResident(pid), 0);
        return { cpu: used, memory: memory.peak() + counts.wasm, resident, counts };
      };
    },
    close: async () => {
      memory.close();
      await started.stop();
    },
  };
}

/** Waits until the server is quiet: work after the answer would be counted to the next step, and log lines are written late. */
export async function settle(cpu: () => number): Promise<void> {
  for (let before = cpu(), round = 0; round < 50; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = cpu();
    if (now - before < 0.004) return;
    before = now;
  }
}
