/**
 * What the isolate of the observed Worker holds.
 *
 * @packageDocumentation
 */
import type { MemorySampler } from "../../scripts/bench/isolate-memory.ts";
import { KERNELS_PATH } from "./observed-paths.ts";

/** Bytes that an isolate has: what V8 reports, and what kernels have beside it. */
export type IsolateBytes = { readonly heap: number; readonly kernels: number; readonly all: number };

/** Returns what the isolate of the host at `base` holds once its garbage is collected. */
export async function isolateBytes(base: string, memory: MemorySampler): Promise<IsolateBytes> {
  const heap = await memory.held();
  const kernels = Number(await (await fetch(`${base}${KERNELS_PATH}`)).text());
  return { heap, kernels, all: heap + kernels };
}
