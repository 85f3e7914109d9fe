/**
 * Lends kernels to requests and keeps a few for the next: memory of a WebAssembly instance never shrinks and is only freed when
 * collected, so making one a request would let an isolate's memory grow with its traffic.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";
import { type Kernel, createKernel } from "./kernel.ts";

/** How kernels are made. Bytes. */
export type KernelPoolLayout = {
  readonly windowBytes: number;
  /** The ring of a kernel while few are lent. */
  readonly ringBytes: number;
  /** The ring of those lent beyond {@link MANY}. */
  readonly smallRingBytes: number;
  /** Gives random bits for a kernel's name table: see `KernelLayout.seed`. */
  readonly seed: () => readonly [number, number];
  /** As `KernelLayout.hash`. */
  readonly hash?: HashFactory;
};

/** Kernels lent at once from which on new ones are small. */
const MANY = 2;
/** A kernel whose tables grew past this is not kept. */
const KEEP_BYTES = 44 * 1024 * 1024;

/** The kernels of one isolate. */
export class KernelPool {
  readonly #module: WebAssembly.Module;
  readonly #layout: KernelPoolLayout;
  #idle: Kernel | undefined;
  readonly #lent = new Set<Kernel>();
  #highest = 0;

  constructor(module: WebAssembly.Module, layout: KernelPoolLayout) {
    this.#module = module;
    this.#layout = layout;
  }

  /** Memory of all kernels, lent and idle, in bytes. */
  get byteLength(): number {
    // Without an idle kernel there is nothing to add.
    let bytes = this.#idle?.byteLength ?? 0;
    for (const kernel of this.#lent) bytes += kernel.byteLength;
    return bytes;
  }

  /** {@link KernelPool.byteLength}: the most that it was since this was last asked. */
  takeHighest(): number {
    this.#note();
    const highest = this.#highest;
    this.#highest = 0;
    return highest;
  }

  /** A kernel's memory only grows: it is enough to look before one is let go of. */
  #note(): void {
    this.#highest = Math.max(this.#highest, this.byteLength);
  }

  /** Lends a kernel, reset, for names of `rawSize` bytes. Give it back in a `finally`. */
  lend(rawSize: number): Kernel {
    this.#note();
    const idle = this.#idle;
    this.#idle = undefined;
    return this.#handOut(idle !== undefined && idle.rawSize === rawSize ? idle : this.#make(rawSize));
  }

  /** As {@link KernelPool.lend}, a small one: for who has a large one already. */
  lendSmall(rawSize: number): Kernel {
    return this.#handOut(this.#make(rawSize, true));
  }

  /** As {@link KernelPool.lend}, but rather a small one than a new large one. */
  lendSpare(rawSize: number): Kernel {
    return this.#idle?.rawSize === rawSize ? this.lend(rawSize) : this.lendSmall(rawSize);
  }

  #handOut(kernel: Kernel): Kernel {
    kernel.reset();
    this.#lent.add(kernel);
    return kernel;
  }

  #make(rawSize: number, isSmall = this.#lent.size >= MANY): Kernel {
    const { windowBytes, ringBytes, smallRingBytes, hash } = this.#layout;
    return createKernel(this.#module, {
      windowBytes,
      rawSize,
      ringBytes: isSmall ? smallRingBytes : ringBytes,
      seed: this.#layout.seed(),
      ...(hash === undefined ? {} : { hash }),
    });
  }

  /** Takes a kernel back; nobody uses it, or a view of its memory, afterwards. */
  giveBack(kernel: Kernel): void {
    if (!this.#lent.has(kernel)) return;
    this.#note();
    this.#lent.delete(kernel);
    if (kernel.byteLength > KEEP_BYTES || kernel.ringBytes < this.#layout.ringBytes) return;
    this.#idle = kernel;
  }
}
