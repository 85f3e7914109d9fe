/**
 * Lends kernels to requests and keeps one for the next request. The memory of a WebAssembly instance never shrinks and
 * is freed only when it is collected. So one instance per request would let an isolate's memory grow with its traffic.
 * A kernel that is not kept lets go of its instance: a request that borrowed it may go on for long, and refers to it.
 *
 * All kernels of {@link Kernels.lend} have a ring of the same size, however many are lent. So every pack that a push
 * may bring can be read, whatever else runs. A request for which there is no memory waits.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";
import { type KeptMemory, keptMemory } from "../bytes/budget-limits.ts";
import type { MemoryBudget, RequestMemory } from "../bytes/memory-budget.ts";
import { type Kernel, createKernel } from "./kernel.ts";

/** The sizes of kernels in bytes, and the other options with which they are created. */
export type KernelPoolLayout = {
  readonly windowBytes: number;
  readonly ringBytes: number;
  /** The ring of a kernel for {@link Kernels.lendSmall}. */
  readonly smallRingBytes: number;
  /** The window and the ring of a kernel for {@link Kernels.lendTable}. */
  readonly tableRingBytes: number;
  /** Returns random bits for a kernel's name table: see `KernelLayout.seed`. */
  readonly seed: () => readonly [number, number];
  /** The platform's hash functions: see `KernelLayout.hash`. */
  readonly hash?: HashFactory;
};

/** Bytes of the largest kernel that is kept. One whose tables grew further is dropped. */
const KEEP_BYTES = 44 * 1024 * 1024;
/** Bytes that a new kernel has in addition to its window and its ring. */
const TABLE_BYTES = 1792 * 1024;
/**
 * The most kernels that are kept while others are lent. A kernel that is dropped takes memory until it is collected, and
 * another one that is made instead takes it again.
 */
const MOST_IDLE = 2;
/** The most kernels without much of a ring that are kept, and the size up to which one is. */
const MOST_TABLES = 4;
const KEEP_TABLE_BYTES = 4 * 1024 * 1024;

/** The kernels, as one request borrows them. */
export interface Kernels {
  /** Lends a reset kernel for names of `rawSize` bytes. The caller gives it back in a `finally`. @throws HostBusy */
  lend(rawSize: number): Promise<Kernel>;
  /**
   * Does what {@link Kernels.lend} does, for a request that gave its kernel back while its client was slow, and has begun to answer. It goes
   * before those that begin.
   */
  lendAgain(rawSize: number): Promise<Kernel>;
  /** Does what {@link Kernels.lend} does, with a small ring, for work that may fail. */
  lendSmall(rawSize: number): Promise<Kernel>;
  /** Does what {@link Kernels.lend} does, for work that needs the table of names and reads no object. It waits least. */
  lendTable(rawSize: number): Promise<Kernel>;
  /** Takes a kernel back. The caller must not use it, or a view of its memory, afterwards. */
  giveBack(kernel: Kernel): void;
}

/**
 * A loan. Only the borrower refers to the kernel strongly, so that a kernel that is lost with its request is collected.
 */
type Loan = { readonly kernel: WeakRef<Kernel>; readonly claimed: number };

function bytesOf(kernel: Kernel | undefined): number {
  return kernel === undefined ? 0 : kernel.byteLength;
}

/** The kernels of one isolate. */
export class KernelPool {
  readonly #module: WebAssembly.Module;
  readonly #budget: MemoryBudget;
  readonly #layout: KernelPoolLayout;
  /** Kernels for later requests: one with a ring, and some for tables. */
  #idle: Kernel[] = [];
  readonly #loans = new Map<symbol, Loan>();
  readonly #loanOf = new WeakMap<Kernel, symbol>();
  readonly #kept: KeptMemory = keptMemory(
    () => this.#keptBytes,
    (bytes) => this.#drop(bytes),
  );
  #highest = 0;

  constructor(module: WebAssembly.Module, layout: KernelPoolLayout, budget: MemoryBudget) {
    this.#module = module;
    this.#budget = budget;
    this.#layout = layout;
    budget.keep(this.#kept);
  }

  /** Returns the pool for one request. Kernels are claimed from the request's memory. */
  for(memory: RequestMemory): Kernels {
    return {
      lend: async (rawSize) => await this.#lend(memory, rawSize, this.#layout.ringBytes),
      lendAgain: async (rawSize) => await this.#lend(memory, rawSize, this.#layout.ringBytes, true),
      lendSmall: async (rawSize) => await this.#lend(memory, rawSize, this.#layout.smallRingBytes),
      lendTable: async (rawSize) => await this.#lend(memory, rawSize, this.#layout.tableRingBytes),
      giveBack: (kernel) => this.#giveBack(memory, kernel),
    };
  }

  /** Bytes of the memory of all kernels, lent and idle. */
  get byteLength(): number {
    let bytes = this.#idleBytes;
    for (const [key, { kernel }] of this.#loans) {
      const lent = kernel.deref();
      if (lent === undefined) this.#loans.delete(key);
      else bytes += lent.byteLength;
    }
    return bytes;
  }

  /** Returns the maximum of {@link KernelPool.byteLength} since the last call. */
  takeHighest(): number {
    this.#note();
    const highest = this.#highest;
    this.#highest = 0;
    return highest;
  }

  /** Notes the memory in use. A kernel's memory only grows, so it is enough to do this before a kernel is dropped. */
  #note(): void {
    this.#highest = Math.max(this.#highest, this.byteLength);
  }

  get #idleBytes(): number {
    return this.#idle.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  }

  /** Bytes of the idle kernels, and those by which lent kernels have grown beyond their claims. */
  get #keptBytes(): number {
    let bytes = this.#idleBytes;
    for (const { kernel, claimed } of this.#loans.values())
      bytes += Math.max(0, bytesOf(kernel.deref()) - claimed);
    return bytes;
  }

  async #lend(memory: RequestMemory, rawSize: number, ringBytes: number, isResumed = false): Promise<Kernel> {
    this.#note();
    const claimed = this.#windowBytes(ringBytes) + ringBytes + TABLE_BYTES;
    const idle = (): Kernel | undefined =>
      this.#idle.find((kernel) => kernel.rawSize === rawSize && kernel.ringBytes === ringBytes);
    let ready: Kernel | undefined;
    await memory.claim({
      bytes: claimed,
      isResumed,
      reuses: {
        kept: this.#kept,
        bytes: () => bytesOf(idle()),
        spare: () => this.#idleBytes - bytesOf(idle()),
      },
      onGrant: () => {
        ready = idle();
        this.#idle = this.#idle.filter((kernel) => kernel !== ready);
      },
    });
    const kernel = ready ?? this.#make(rawSize, ringBytes);
    kernel.reset();
    const key = Symbol("loan");
    this.#loans.set(key, { kernel: new WeakRef(kernel), claimed });
    this.#loanOf.set(kernel, key);
    return kernel;
  }

  #windowBytes(ringBytes: number): number {
    return ringBytes === this.#layout.tableRingBytes ? ringBytes : this.#layout.windowBytes;
  }

  #make(rawSize: number, ringBytes: number): Kernel {
    const { hash } = this.#layout;
    // An idle kernel for names of another size is of no use beside this one.
    this.#release(this.#idle.filter((kernel) => kernel.ringBytes === ringBytes));
    return createKernel(this.#module, {
      windowBytes: this.#windowBytes(ringBytes),
      rawSize,
      ringBytes,
      seed: this.#layout.seed(),
      ...(hash === undefined ? {} : { hash }),
    });
  }

  #giveBack(memory: RequestMemory, kernel: Kernel): void {
    const key = this.#loanOf.get(kernel);
    const loan = key === undefined ? undefined : this.#loans.get(key);
    if (key === undefined || loan === undefined) return;
    this.#note();
    this.#loans.delete(key);
    this.#loanOf.delete(kernel);
    this.#keep(kernel);
    memory.giveBack(loan.claimed);
  }

  /** Whether a kernel may serve later requests: it is of a kind that is kept, and has not grown too far. */
  #isWorthKeeping(kernel: Kernel): boolean {
    const { ringBytes, tableRingBytes } = this.#layout;
    if (kernel.ringBytes === tableRingBytes) return kernel.byteLength <= KEEP_TABLE_BYTES;
    return kernel.ringBytes === ringBytes && kernel.byteLength <= KEEP_BYTES;
  }

  /** Keeps a kernel for later requests, in place of one of its kind where enough are kept. */
  #keep(kernel: Kernel): void {
    if (!this.#isWorthKeeping(kernel)) {
      kernel.release();
      return;
    }
    const isTable = kernel.ringBytes === this.#layout.tableRingBytes;
    const most = isTable ? MOST_TABLES : this.#isBusy ? MOST_IDLE : 1;
    const alike = this.#idle.filter((each) => each.ringBytes === kernel.ringBytes);
    this.#release(alike.slice(0, Math.max(0, alike.length + 1 - most)));
    this.#idle.push(kernel);
  }

  /** Drops idle kernels. Requests that borrowed them and have not ended refer to them still, but not to their memory. */
  #release(dropped: readonly Kernel[]): void {
    this.#idle = this.#idle.filter((kernel) => !dropped.includes(kernel));
    for (const kernel of dropped) kernel.release();
  }

  /** Whether other kernels are lent, or waited for. */
  get #isBusy(): boolean {
    return this.#loans.size > 0 || this.#budget.waiting > 0;
  }

  /** Drops kept kernels until this many bytes are freed, or none is left. */
  #drop(bytes: number): void {
    const dropped: Kernel[] = [];
    let left = bytes;
    for (const kernel of this.#idle.toReversed()) {
      if (left <= 0) break;
      left -= kernel.byteLength;
      dropped.push(kernel);
    }
    this.#release(dropped);
  }
}
