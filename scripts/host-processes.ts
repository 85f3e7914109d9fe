/**
 * Keeps two hosts off one state directory. Also ends a workerd whose host was killed: nobody else does, and it would
 * keep the port and write to the same files as its successor.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A process by its id and its command line: the id alone may belong to another process by now. */
type KnownProcess = { readonly pid: number; readonly command: string };
type Recorded = { readonly host: KnownProcess; readonly workers: readonly KnownProcess[] };

const fileIn = (stateDir: string): string => join(stateDir, "processes.json");

/** A process, and the one that started it. */
type ListedProcess = KnownProcess & { readonly parent: number };

/** Returns every process of the machine that this user sees, with its parent. */
export function listProcesses(): ListedProcess[] {
  // With /proc there may be no `ps`: small containers lack it.
  if (existsSync("/proc/self/stat")) return readdirSync("/proc").filter(isNumber).flatMap(readProcess);
  const lines = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

const isNumber = (name: string): boolean => /^\d+$/.test(name);

/** Reads a process as in proc(5); nothing if it has ended meanwhile. */
function readProcess(pid: string): ListedProcess[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    // The name, in brackets, may contain anything; after it come the state and the parent.
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid: Number(pid), parent: Number(parent), command }];
  } catch {
    return [];
  }
}

function isProcess(value: unknown): value is KnownProcess {
  if (typeof value !== "object" || value === null || !("pid" in value && "command" in value)) return false;
  return typeof value.pid === "number" && typeof value.command === "string";
}

/** Reads the record of the last host; `undefined` if it ended in order, or was killed while it wrote. */
function readRecorded(stateDir: string): Recorded | undefined {
  if (!existsSync(fileIn(stateDir))) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(fileIn(stateDir), "utf8"));
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null || !("host" in json && "workers" in json)) return undefined;
  const { host, workers } = json;
  return isProcess(host) && Array.isArray(workers) ? { host, workers: workers.filter(isProcess) } : undefined;
}

/**
 * Ends the processes that a killed host left running on this state directory.
 *
 * @throws Error if the host itself is still running.
 */
export function endOrphans(stateDir: string): void {
  const recorded = readRecorded(stateDir);
  if (recorded === undefined) return;
  const running = listProcesses();
  const runs = (known: KnownProcess): boolean =>
    running.some(({ pid, command }) => pid === known.pid && command === known.command);
  if (recorded.host.pid !== process.pid && runs(recorded.host)) {
    throw new Error(`process ${recorded.host.pid} is already running a host on ${stateDir}`);
  }
  for (const worker of recorded.workers.filter(runs)) process.kill(worker.pid, "SIGKILL");
}

/** Records this process and the workerd processes below it. */
export function recordProcesses(stateDir: string): void {
  const running = listProcesses();
  const { command = "" } = running.find(({ pid }) => pid === process.pid) ?? {};
  const workers = running.filter(({ parent, command: line }) => parent === process.pid && line.includes("workerd"));
  const recorded: Recorded = {
    host: { pid: process.pid, command },
    workers: workers.map(({ pid, command: line }) => ({ pid, command: line })),
  };
  writeFileSync(fileIn(stateDir), JSON.stringify(recorded));
}

/** Deletes the record, because the host ended in order. */
export function forgetProcesses(stateDir: string): void {
  rmSync(fileIn(stateDir), { force: true });
}
