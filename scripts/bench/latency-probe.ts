/**
 * Asks a host again and again whether it is alive, from a thread of its own: what else the measuring process does would
 * count as the host's.
 *
 * @packageDocumentation
 */
import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as v from "valibot";
import { threadSeconds } from "./process-time.ts";

const PROBE_EVERY = 10;
const PROBED = v.object({ base: v.string(), pids: v.array(v.number()) });

/** Milliseconds that a host took to answer. */
export type Latency = {
  readonly median: number;
  readonly longest: number;
  /**
   * The most milliseconds of processor time that one thread of the host took while it was asked once. No turn of a request was
   * longer. Unlike the others it does not grow because a machine is busy, though several turns may count as one then.
   */
  readonly turn: number;
};

/** What is known of one question: milliseconds until the answer, and those of the busiest thread meanwhile. */
type Asked = readonly [latency: number, turn: number];
type Probed = { readonly base: string; readonly pids: readonly number[] };

/** Begins to ask `/healthz` of a host with some processes. What is returned ends it, and gives the figures. */
export async function probe({ base, pids }: Probed): Promise<() => Promise<Latency>> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { base, pids } satisfies Probed });
  // It has asked once, so the thread is ready.
  await once(worker, "message");
  return async () => {
    const answered = once(worker, "message");
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
    worker.postMessage("end");
    const [asked]: Asked[][] = await answered;
    await worker.terminate();
    const sorted = (asked ?? []).map(([latency]) => latency).toSorted((a, b) => a - b); // The thread sends one list.
    const turn = Math.max(0, ...(asked ?? []).map(([, each]) => each));
    return { median: sorted[sorted.length >> 1] ?? 0, longest: sorted.at(-1) ?? 0, turn };
  };
}

async function ask(base: string): Promise<number> {
  const began = performance.now();
  return await new Promise((resolve, reject) => {
    request(`${base}/healthz`, { agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(performance.now() - began));
    })
      .on("error", reject)
      .end();
  });
}

/** Asks once, and looks at what each thread of the host did meanwhile. */
async function watch({ base, pids }: Probed): Promise<Asked> {
  const before = threadSeconds(pids);
  const latency = await ask(base);
  const took = [...threadSeconds(pids)].map(([thread, seconds]) => seconds - (before.get(thread) ?? 0));
  return [latency, Math.max(0, ...took) * 1000];
}

async function askOn(probed: Probed): Promise<void> {
  const asked: Asked[] = [];
  const over = new AbortController();
  parentPort?.once("message", () => over.abort());
  await ask(probed.base);
  tell([]);
  while (!over.signal.aborted) {
    asked.push(await watch(probed));
    await wait(PROBE_EVERY);
  }
  tell(asked);
}

/** Tells the main thread what it learned. */
function tell(asked: readonly Asked[]): void {
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
  parentPort?.postMessage(asked);
}

if (!isMainThread) await askOn(v.parse(PROBED, workerData));
