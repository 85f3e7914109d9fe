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

const PROBE_EVERY = 10;

/** Milliseconds that a host took to answer. */
export type Latency = { readonly median: number; readonly longest: number };

/** Begins to ask `/healthz` of a host. What is returned ends it, and gives the figures. */
export async function probe(base: string): Promise<() => Promise<Latency>> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: base });
  // It has asked once, so the thread is ready.
  await once(worker, "message");
  return async () => {
    const answered = once(worker, "message");
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
    worker.postMessage("end");
    const [latencies]: number[][] = await answered;
    await worker.terminate();
    const sorted = (latencies ?? []).toSorted((a, b) => a - b); // The thread sends one list.
    return { median: sorted[sorted.length >> 1] ?? 0, longest: sorted.at(-1) ?? 0 };
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

async function askOn(base: string): Promise<void> {
  const latencies: number[] = [];
  const over = new AbortController();
  parentPort?.once("message", () => over.abort());
  await ask(base);
  tell([]);
  while (!over.signal.aborted) {
    latencies.push(await ask(base));
    await wait(PROBE_EVERY);
  }
  tell(latencies);
}

/** Tells the main thread latencies, in milliseconds. */
function tell(latencies: readonly number[]): void {
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
  parentPort?.postMessage(latencies);
}

if (!isMainThread) await askOn(String(workerData));
