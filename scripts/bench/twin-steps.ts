/**
 * The steps of a repository that is cloned often: its answer is one stored file, and is held to what a bare Worker takes
 * for the same bytes.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stopProcess, waitForLine } from "../../test/support/git-process.ts";
import { TWINS } from "../../src/catalog/clone-twin.ts";
import { type Discarded, discardClone } from "./discarding-client.ts";
import { settle } from "./hosts.ts";
import { commandOf, cpuSeconds, processTree } from "./process-time.ts";
import type { Measuring } from "./steps.ts";

export const TWIN = "clone of what is cloned often, discarded";
/** The host that answers with a stored object and does nothing else. */
export const BARE = "bare-worker";

const PROGRAM = join(import.meta.dirname, "bare-worker.ts");

/** Gets a body and throws it away. */
async function discard(url: string): Promise<Discarded> {
  const began = performance.now();
  return await new Promise((resolve, reject) => {
    const get = request(url, (response) => {
      let [bytes, firstByte] = [0, 0];
      response.on("data", (piece: Buffer) => {
        if (bytes === 0) firstByte = (performance.now() - began) / 1000;
        bytes += piece.length;
      });
      response.on("end", () => resolve({ wall: (performance.now() - began) / 1000, firstByte, bytes }));
      response.on("error", reject);
    });
    get.on("error", reject);
    get.end();
  });
}

/** Clones until the repository has a twin, then clones it once more, several times. Returns the bytes of an answer. */
async function cloneOften(on: Measuring, runs: number): Promise<number> {
  const { host, repository, subject } = on;
  const url = `${host.base}/${repository}.git`;
  for (let n = 0; n < TWINS.clones; n++) await discardClone(url, host.token, subject.format);
  await on.settle();
  await on.median(runs, async () => {
    await on.step(TWIN, async () => await discardClone(url, host.token, subject.format));
  });
  return on.results.at(-1)?.bytes ?? 0;
}

/** Takes the steps: of the host, and of a bare Worker with as many bytes. */
export async function twinSteps(on: Measuring, runs: number): Promise<void> {
  const bytes = await cloneOften(on, runs);
  const child = spawn(process.execPath, [PROGRAM, String(bytes)], { stdio: ["pipe", "pipe", "inherit"] });
  const base = await waitForLine(createInterface({ input: child.stdout }), "ready", child);
  const workers = processTree(child.pid ?? 0).filter((pid) => commandOf(pid) === "workerd");
  const cpu = (): number => workers.reduce((total, pid) => total + cpuSeconds(pid), 0);
  try {
    // The simulator gets quicker with what it has read: both hosts have read as often.
    for (let n = 0; n < TWINS.clones; n++) await discard(base);
    await on.median(runs, async () => {
      await settle(cpu);
      const before = cpu();
      const own = await discard(base);
      await settle(cpu);
      on.results.push({ host: BARE, step: TWIN, cpu: cpu() - before, ...own });
    });
  } finally {
    child.stdin.write("end\n");
    await stopProcess(child);
  }
}
