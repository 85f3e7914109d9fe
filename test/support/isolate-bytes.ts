/**
 * What the isolate of the observed Worker holds.
 *
 * @packageDocumentation
 */
import type { MemorySampler } from "../../scripts/bench/isolate-memory.ts";
import { KERNELS_PATH } from "./observed-paths.ts";

/** Milliseconds between two looks whether the heap was sampled: a busy isolate is asked in vain. */
const LOOK = 50;
const MOST_LOOKS = 1000;

/** Bytes that an isolate has: what V8 reports, and what kernels have beside it. */
export type IsolateBytes = { readonly heap: number; readonly kernels: number; readonly all: number };

/** Forgets what was sampled, and waits for the next sample. */
async function sampled(memory: MemorySampler): Promise<void> {
  memory.reset();
  for (let look = 0; memory.samples() < 1; look++) {
    if (look > MOST_LOOKS) throw new Error("the inspector does not answer");
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}

/** Returns what the isolate of the host at `base` holds once its garbage is collected. */
export async function isolateBytes(base: string, memory: MemorySampler): Promise<IsolateBytes> {
  await memory.collect();
  // A busy isolate may answer a question from before the collection now. The next one was asked after it.
  await sampled(memory);
  await sampled(memory);
  const heap = memory.peak();
  const kernels = Number(await (await fetch(`${base}${KERNELS_PATH}`)).text());
  return { heap, kernels, all: heap + kernels };
}
