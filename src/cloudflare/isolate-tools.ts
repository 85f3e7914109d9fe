/**
 * The tools that all requests of an isolate share, made once: kernels, the block cache, the platform's hashes and
 * deflate.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import { createHash } from "node:crypto";
import { constants, crc32, deflateRawSync, deflateSync } from "node:zlib";
import type { HashFactory } from "../bytes/hash.ts";
import type { BudgetLimits } from "../bytes/budget-limits.ts";
import { MemoryBudget } from "../bytes/memory-budget.ts";
import type { BudgetClock } from "../bytes/memory-holding.ts";
import { Pacer } from "../bytes/pacer.ts";
import { Turns } from "../bytes/turns.ts";
import { RecentRefs } from "./recent-refs.ts";
import { KernelPool } from "../kernel/kernel-pool.ts";
import { BlockCache } from "../store/block-cache.ts";
import { READING } from "../store/reading-policy.ts";
import { PackMemory } from "./known-packs.ts";
import type { Repository } from "../repository/repository.ts";

/** The shared tools. */
export type IsolateTools = Pick<Repository, "cache" | "hash" | "deflate" | "deflatePiece" | "crc32"> & {
  readonly kernels: KernelPool;
  readonly budget: MemoryBudget;
  /** The refs that were listed lately. */
  readonly recentRefs: RecentRefs;
  /** Makes the pacer of a request. */
  pacer(): Pacer;
  /** What is known of repositories' packs. */
  readonly packs: PackMemory;
};

const MIB = 1024 * 1024;

function seed(): readonly [number, number] {
  const [low = 0, high = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [low, high];
}

/** The division of a kernel's memory. */
const KERNEL_LAYOUT = {
  windowBytes: MIB / 2,
  ringBytes: 16 * MIB,
  smallRingBytes: 8 * MIB,
  tableRingBytes: MIB / 16,
  seed,
};
const CACHE_BOUNDS = { files: 14 * MIB, blocks: 22 * MIB };
/**
 * The shares of an isolate's 128 MB. The rest is for the program, its heap, and garbage that is not collected yet. The
 * reserve is one kernel, for a request that needs a second one.
 */
const BUDGET: BudgetLimits = {
  bytes: 76 * MIB,
  reserve: 18.25 * MIB,
  small: { room: 4 * MIB, bytes: 2 * MIB },
  waiting: 256,
  waitingOfShare: 64,
  waitingOfCaller: 96,
  waitingOfOthers: 64,
  patience: 30_000,
  pressed: { much: 2000, little: 4000, muchBytes: MIB, turnover: 120_000, judgedAfter: 3000 },
  standstill: 120_000,
  parkAfter: 1000,
};

assert(KERNEL_LAYOUT.windowBytes + KERNEL_LAYOUT.ringBytes <= BUDGET.reserve, "the reserve is enough for a kernel");
assert(BUDGET.small.bytes <= BUDGET.small.room, "what is kept for small claims is enough for one");
assert(
  CACHE_BOUNDS.files + CACHE_BOUNDS.blocks + BUDGET.reserve <= BUDGET.bytes,
  "full caches leave room for a request",
);
assert(READING.largeIndexBytes <= CACHE_BOUNDS.files, "an index that is read whole is kept");
assert(BUDGET.pressed.much <= BUDGET.pressed.little, "a client whose request holds much is waited for less long");
assert(
  BUDGET.waitingOfShare <= BUDGET.waitingOfCaller,
  "the requests of a caller for a repository are some of its own",
);
assert(
  BUDGET.waitingOfCaller + BUDGET.waitingOfOthers <= BUDGET.waiting,
  "one caller leaves the places that are kept for others",
);
assert(BUDGET.pressed.little < BUDGET.standstill, "a client is waited for longest where no other waits");

/** The budget's clock; its timers belong to the request that waits. */
const CLOCK: BudgetClock = {
  now: () => Date.now(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

const hash: HashFactory = (name) => {
  const running = createHash(name);
  return {
    update: (bytes) => {
      running.update(bytes);
    },
    peek: () => new Uint8Array(running.copy().digest()),
    digest: () => new Uint8Array(running.digest()),
  };
};

/** Each piece ends on a byte boundary, so that the next can follow it. */
function deflatePiece(bytes: Uint8Array, isLast: boolean): Uint8Array {
  return deflateRawSync(bytes, { finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
}

/** Makes the tools around the compiled kernel. */
export function isolateTools(kernel: WebAssembly.Module): IsolateTools {
  const budget = new MemoryBudget(BUDGET, CLOCK);
  const cache = new BlockCache(CACHE_BOUNDS, () => budget.reclaim());
  budget.keep(cache);
  // A timer and not a microtask: the event loop takes up other requests before it.
  const pause = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 0));
  const turns = new Turns(pause, () => CLOCK.now());
  return {
    budget,
    recentRefs: new RecentRefs(() => CLOCK.now(), cache),
    kernels: new KernelPool(kernel, { ...KERNEL_LAYOUT, hash }, budget),
    cache,
    packs: new PackMemory(cache),
    hash,
    deflate: (bytes) => deflateSync(bytes),
    deflatePiece,
    crc32: (crc, bytes) => crc32(bytes, crc),
    pacer: () =>
      new Pacer(
        () => turns.pause(),
        undefined,
        () => turns.waiting,
      ),
  };
}
