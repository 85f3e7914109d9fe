/**
 * What stands in the place of an instance that a kernel has let go of.
 *
 * @packageDocumentation
 */
import type { KernelExports } from "./kernel-exports.ts";

const MEMORY: KernelExports["memory"] = { buffer: new ArrayBuffer(0) };

function refuse(): never {
  throw new Error("a kernel was used after it had been given back");
}

/** Exports with an empty memory. Each function throws an Error: only a fault of ours calls one. */
export const GONE_EXPORTS: KernelExports = new Proxy(
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- the handler answers for every name
  {} as KernelExports,
  { get: (_, name) => (name === "memory" ? MEMORY : refuse) },
);
