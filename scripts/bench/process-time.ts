/**
 * Processor time and memory of processes, from the kernel's own accounting.
 *
 * @packageDocumentation
 * @see proc(5)
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const TIMES = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/;
const NANOSECONDS = 1e9;

/** The seconds that a command took. */
export type CommandTime = { readonly wall: number; readonly cpu: number };

/** The surroundings of a command that is timed. */
export type CommandOptions = {
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** A file for its standard input. */
  readonly input?: string;
  /** A file for its standard output; thrown away otherwise. */
  readonly output?: string;
};

/**
 * Runs a command to its end and gives its seconds: wall, and processor time with all it started and waited for.
 *
 * @throws Error with the command's last words, when it fails.
 */
export async function timeCommand(command: readonly string[], options: CommandOptions): Promise<CommandTime> {
  const began = performance.now();
  const input = options.input === undefined ? "ignore" : openSync(options.input, "r");
  const output = options.output === undefined ? "ignore" : openSync(options.output, "w");
  // `times` prints the shell's own time first and its children's second.
  const child = spawn("bash", ["-c", '"$@" 3>&-; code=$?; times >&3; exit $code', "bash", ...command], {
    cwd: options.cwd,
    env: options.env,
    stdio: [input, output, "pipe", "pipe"],
  });
  let [errors, times] = ["", ""];
  child.stderr?.on("data", (piece: Buffer) => (errors = (errors + piece.toString()).slice(-4000)));
  child.stdio[3]?.on("data", (piece: Buffer) => (times += piece.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? -1));
  });
  for (const file of [input, output]) if (typeof file === "number") closeSync(file);
  if (code !== 0) throw new Error(`${command.join(" ").slice(0, 300)}: exit code ${code}\n${errors}`);
  const [, userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = (TIMES.exec(times) ?? []).map(Number);
  return { wall: (performance.now() - began) / 1000, cpu: (userMinutes + systemMinutes) * 60 + user + system };
}

function numbersIn(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process or thread ended between the listing and the reading.
    return undefined;
  }
}

/** The processes below one, itself included. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = numbersIn(`/proc/${name}/stat`);
    if (stat !== undefined) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
  return [...parents.keys()].filter(isBelow);
}

/** Returns the command name of a process; an empty string if the process is gone. */
export function commandOf(pid: number): string {
  return (numbersIn(`/proc/${pid}/comm`) ?? "").trim();
}

/** Seconds on a processor, of all threads of a process, to the nanosecond. */
export function cpuSeconds(pid: number): number {
  let total = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    total += Number(numbersIn(`/proc/${pid}/task/${task}/schedstat`)?.split(" ")[0] ?? 0);
  }
  return total / NANOSECONDS;
}

/** Seconds on a processor of each thread of some processes, by its number. */
export function threadSeconds(pids: readonly number[]): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const pid of pids)
    for (const task of readdirSync(`/proc/${pid}/task`))
      seconds.set(task, Number(numbersIn(`/proc/${pid}/task/${task}/schedstat`)?.split(" ")[0] ?? 0) / NANOSECONDS);
  return seconds;
}

/** Begins to watch a process's peak of resident memory anew. */
export function resetPeakResident(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Bytes: the peak of resident memory since it was reset. */
export function peakResident(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(numbersIn(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) * 1024;
}
