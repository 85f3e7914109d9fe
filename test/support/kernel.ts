/**
 * Kernels for unit tests.
 *
 * @packageDocumentation
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KernelLayout } from "../../src/kernel/kernel-layout.ts";
import { type Kernel, createKernel } from "../../src/kernel/kernel.ts";

const wasm = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "src", "kernel", "kernel.wasm");
/** Workers compile no bytes, so their types have no such constructor; Node has. */
const { Module } = WebAssembly as unknown as { readonly Module: new (bytes: Uint8Array) => WebAssembly.Module };

/** The compiled module; vitest's global setup builds it. */
export const kernelModule = new Module(readFileSync(wasm));

/** Makes a kernel: a window and a ring of 1 MiB, for SHA-1, unless `layout` says otherwise. */
export function testKernel(layout: Partial<KernelLayout> = {}): Kernel {
  return createKernel(kernelModule, {
    windowBytes: 1 << 20,
    ringBytes: 1 << 20,
    rawSize: 20,
    seed: [0x12345678, 0x9abcdef0],
    ...layout,
  });
}
