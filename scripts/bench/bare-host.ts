/**
 * The bare Worker as a host that is measured: it hands stored bytes out and takes bytes in, and does nothing else. So it says
 * what the platform's simulator takes of a figure.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stopProcess, waitForLine } from "../../test/support/git-process.ts";
import { settle } from "./hosts.ts";
import { commandOf, cpuSeconds, processTree } from "./process-time.ts";

/** Its name in results. */
export const BARE = "bare-worker";

const PROGRAM = join(import.meta.dirname, "bare-worker.ts");

/** One that is running. */
export type BareHost = {
  readonly base: string;
  /** Processor seconds so far, once it is quiet. */
  quietCpu(): Promise<number>;
  end(): Promise<void>;
};

/** Starts it with a stored object of `bytes` bytes; 0 for none. */
export async function startBare(bytes: number): Promise<BareHost> {
  const child = spawn(process.execPath, [PROGRAM, String(bytes)], { stdio: ["pipe", "pipe", "inherit"] });
  const base = await waitForLine(createInterface({ input: child.stdout }), "ready", child);
  const workers = processTree(child.pid ?? 0).filter((pid) => commandOf(pid) === "workerd");
  const cpu = (): number => workers.reduce((total, pid) => total + cpuSeconds(pid), 0);
  return {
    base,
    quietCpu: async () => {
      await settle(cpu);
      return cpu();
    },
    end: async () => {
      child.stdin.write("end\n");
      await stopProcess(child);
    },
  };
}
