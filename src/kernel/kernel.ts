/**
 * The interface of the kernel: the WebAssembly module of `src/kernel/wasm` that does the work on every byte of every
 * object.
 *
 * A {@link Kernel} is one instance with its own memory, so two requests never share state. All calls are synchronous.
 * Addresses in its memory are numbers, and lengths are in bytes. From its start, the memory has these regions:
 *
 *     statics | window (compressed input) | ring (inflated objects, managed by the caller) | name table, growing
 *
 * Addresses are not checked: one outside the memory traps, and a wrong one inside corrupts the memory. The bytes at an
 * address are never trusted.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import { GONE_EXPORTS } from "./gone-exports.ts";
import type { KernelExports } from "./kernel-exports.ts";
import type { KernelLayout } from "./kernel-layout.ts";
import { TreeDifference } from "./tree-difference.ts";
import { type NativeNames, nativeNames } from "./native-names.ts";

/** {@link Kernel.inflate}: the stream has ended, and its checksum is right. */
export const INFLATE_DONE = 0;
/** {@link Kernel.inflate}: all input was used, and the stream goes on. */
export const INFLATE_NEED_INPUT = 1;
/** {@link Kernel.inflate}: the output is full, and the stream goes on. */
export const INFLATE_NEED_OUTPUT = 2;

/** {@link Kernel.inflateWhole}: the input ends before the stream; {@link Kernel.inflate} can go on with more input. */
export const WHOLE_NEED_INPUT = -1;
/** {@link Kernel.inflateWhole}: the content is longer than the given size. */
export const WHOLE_LONGER = -2;
/** {@link Kernel.inflateWhole}: the content is shorter than the given size. */
export const WHOLE_SHORTER = -3;
/** {@link Kernel.inflateWhole}: the stream is corrupt. */
export const WHOLE_CORRUPT = -4;

/** {@link Kernel.scanTree}: the tree is sound, except that names on the list of suspicious ones need a closer look. */
export const SCAN_OK = 0;
/** {@link Kernel.scanTree}: the tree needs the full check. Names that were marked so far stay marked. */
export const SCAN_SUSPECT = 1;

/** {@link Kernel.collectTree} and {@link Kernel.markTree}: the tree is malformed. */
export const TREE_CORRUPT = -1;

const NO_MEMORY = -2;
const FOUR_GIB = 2 ** 32 - 1;

/**
 * Creates an instance of the compiled module with the given layout of memory.
 *
 * @throws LimitExceeded if the regions do not fit into `layout.maxBytes`.
 */
export function createKernel(module: WebAssembly.Module, layout: KernelLayout): Kernel {
  const instance = new WebAssembly.Instance(module, {});
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- the type mirrors the sources of the module
  const exports = instance.exports as unknown as KernelExports;
  return new Kernel(exports, layout);
}

/** One instance of the kernel, created by {@link createKernel}. */
export class Kernel {
  /** The address of the window, the region for compressed input. */
  readonly windowAt: number;
  /** Bytes of the window. */
  readonly windowBytes: number;
  /** The address of the ring, the region for inflated objects. The kernel itself never uses it. */
  readonly ringAt: number;
  /** Bytes of the ring. */
  readonly ringBytes: number;
  /** Bytes of a raw object name. */
  readonly rawSize: number;
  /** Bytes of an entry of the name table: a raw name, flags (u32) and a value (u32), both little-endian. */
  readonly oidStride: number;
  /** The address of 1,024 bytes for the caller's short-lived data, such as names. The kernel itself never uses them. */
  readonly scratchAt: number;
  /** The number of hashes that {@link batchAdd} accepts before {@link batchClear}. */
  readonly batchCapacity: number;

  /** Compares trees. */
  difference: TreeDifference;
  #exports: KernelExports;
  readonly #maxBytes: number;
  #native: NativeNames | undefined;
  #memory: Uint8Array<ArrayBuffer>;

  /** @internal */
  constructor(exports: KernelExports, layout: KernelLayout) {
    this.#exports = exports;
    this.#maxBytes = Math.min(layout.maxBytes ?? FOUR_GIB, FOUR_GIB);
    const { windowBytes, ringBytes, rawSize, seed } = layout;
    const [low, high] = seed;
    if (exports.initialise(windowBytes, ringBytes, this.#maxBytes, rawSize, low, high) === 0) this.#outOfMemory();
    this.#memory = new Uint8Array(exports.memory.buffer);
    this.windowAt = exports.windowAt();
    this.windowBytes = windowBytes;
    this.ringAt = exports.ringAt();
    this.ringBytes = ringBytes;
    this.rawSize = rawSize;
    this.oidStride = rawSize + 8;
    this.#native = layout.hash === undefined ? undefined : nativeNames(rawSize, layout.hash);
    this.scratchAt = exports.scratchAt();
    this.batchCapacity = exports.batchCapacity();
    this.inflate = exports.inflate;
    this.inflateWhole = exports.inflateWhole;
    this.applyDelta = exports.applyDelta;
    this.difference = new TreeDifference(exports, () => this.#outOfMemory());
  }

  /** The whole memory. A call that adds names may make it grow, which detaches this array: read it again then. */
  get memory(): Uint8Array<ArrayBuffer> {
    // A detached array has no length.
    if (this.#memory.length === 0) this.#memory = new Uint8Array(this.#exports.memory.buffer);
    return this.#memory;
  }

  /** Bytes of the whole memory, for accounting. */
  get byteLength(): number {
    return this.memory.length;
  }

  /** Empties the name table and the batch, and drops any stream, for the next user. The memory does not shrink. */
  reset(): void {
    this.#native?.reset();
    if (this.#exports.reset() === 0) this.#outOfMemory();
  }

  /** Lets go of the instance: its memory can be collected although requests still refer to this object. Later calls throw. */
  release(): void {
    this.#exports = GONE_EXPORTS;
    this.#memory = new Uint8Array(0);
    this.#native = undefined;
    ({ inflate: this.inflate, inflateWhole: this.inflateWhole, applyDelta: this.applyDelta } = GONE_EXPORTS);
    this.difference = new TreeDifference(GONE_EXPORTS, () => this.#outOfMemory());
  }

  /** Begins to inflate a zlib stream. */
  inflateStart(): void {
    this.#exports.inflateStart();
  }

  /** Bytes that {@link inflateSave} writes. */
  get inflateStateBytes(): number {
    return this.#exports.inflateStateBytes();
  }

  /** Writes the stream's state to `at`, without the output that {@link inflate} needs, so that others can be begun. */
  inflateSave(at: number): void {
    this.#exports.inflateSave(at);
  }

  /** Continues with the stream whose state {@link inflateSave} wrote to `at`. */
  inflateRestore(at: number): void {
    this.#exports.inflateRestore(at);
  }

  /**
   * Inflates more of the stream: `(src, srcEnd, outBase, out, outEnd)`. It reads from `src`, never past `srcEnd`, and
   * writes from `out`, never past `outEnd`. The bytes from `outBase` to `out` must be the output so far, or its last 32
   * KiB. Returns {@link INFLATE_DONE}, {@link INFLATE_NEED_INPUT}, {@link INFLATE_NEED_OUTPUT} or a negative code of
   * `INFLATE_FAULTS`. After a fault it returns the same code until {@link inflateStart}. If the output is exactly full,
   * it still reads and checks the end of the stream.
   */
  inflate: KernelExports["inflate"];

  /**
   * Inflates a whole stream into exactly `size` bytes: `(src, srcEnd, dst, size)`. Returns the bytes of input that it
   * used, or {@link WHOLE_NEED_INPUT}, {@link WHOLE_LONGER}, {@link WHOLE_SHORTER} or {@link WHOLE_CORRUPT}.
   */
  inflateWhole: KernelExports["inflateWhole"];

  /** Bytes of input that the last {@link inflate} or {@link inflateWhole} used: exact, never past the stream's end. */
  get inflateConsumed(): number {
    return this.#exports.inflateConsumed();
  }

  /** Bytes of output that the last {@link inflate} or {@link inflateWhole} wrote. */
  get inflateProduced(): number {
    return this.#exports.inflateProduced();
  }

  /**
   * Begins a hash in one of the independent contexts 0…3. It is the name of an object with a type number of
   * `TYPE_NUMBER` and a size below 2^53. With type 0 it is the digest of plain bytes.
   */
  hashStart(type: number, size: number, context = 0): void {
    if (this.#native === undefined) this.#exports.hashStart(type, size, context);
    else this.#native.start(type, size, context);
  }

  /** Adds bytes to a hash. */
  hashUpdate(at: number, length: number, context = 0): void {
    if (this.#native === undefined) this.#exports.hashUpdate(at, length, context);
    else this.#native.update(this.memory.subarray(at, at + length), context);
  }

  /** Writes the digest to `out`. Returns whether the message is part of a SHA-1 collision attack, as git detects it. */
  hashFinish(out: number, context = 0): boolean {
    if (this.#native === undefined) return this.#exports.hashFinish(out, context) !== 0;
    this.memory.set(this.#native.finish(context), out);
    return false;
  }

  /** Hashes a message in one piece. `type` is as in {@link hashStart}, `out` and result as in {@link hashFinish}. */
  hashObject(type: number, at: number, length: number, out: number): boolean {
    return this.#exports.hashObject(type, at, length, out) !== 0;
  }

  /**
   * Adds a message to the batch and returns its index, from 0. `type` is as in {@link hashStart}. The bytes must stay
   * in place until {@link batchRun}.
   *
   * @throws RangeError if the batch has {@link batchCapacity} messages already.
   */
  batchAdd(type: number, at: number, length: number): number {
    const isLong = this.#native?.isWorthwhile(length) === true;
    // An empty message keeps the place of a long one, which the platform hashes.
    const index = this.#exports.batchAdd(type, at, isLong ? 0 : length);
    if (index < 0) throw new RangeError("the batch is full");
    if (isLong) this.#native?.wait(index, type, at, length);
    return index;
  }

  /** Hashes the messages added since the last run. SHA-1 hashes four at once, which more than doubles the speed. */
  batchRun(): void {
    this.#exports.batchRun();
    this.#native?.runWaiting(this.memory, (index) => this.#exports.batchNameAt(index));
  }

  /** Returns the address of the digest of message `index`, valid from {@link batchRun} until {@link batchClear}. */
  batchNameAt(index: number): number {
    return this.#exports.batchNameAt(index);
  }

  /** Whether message `index`, once hashed, is part of a SHA-1 collision attack, as git detects it. */
  batchCollision(index: number): boolean {
    return this.#exports.batchCollision(index) !== 0;
  }

  /** Empties the batch. */
  batchClear(): void {
    this.#exports.batchClear();
    this.#native?.clearWaiting();
  }

  /** Continues a CRC-32 over bytes and returns it, unsigned. The first call gets 0. */
  crc32(crc: number, at: number, length: number): number {
    return this.#exports.crc32(crc, at, length) >>> 0;
  }

  /** Continues an Adler-32 over bytes and returns it, unsigned. The first call gets 1. */
  adler32(adler: number, at: number, length: number): number {
    return this.#exports.adler32(adler, at, length) >>> 0;
  }

  /** Applies a delta: `(base, baseLength, delta, deltaLength, dst, dstLength)`. Returns 0, or a negative code of `DELTA_FAULTS`. */
  applyDelta: KernelExports["applyDelta"];

  /**
   * Reads the two sizes at the start of a delta into {@link deltaBaseSize} and {@link deltaResultSize}. Returns the
   * number of bytes that they take, or a negative code of `DELTA_FAULTS`.
   */
  deltaSizes(delta: number, length: number): number {
    return this.#exports.deltaSizes(delta, length);
  }

  /** Bytes of the base that the last {@link deltaSizes} read; below 2^53. */
  get deltaBaseSize(): number {
    return this.#exports.deltaBaseSize();
  }

  /** Bytes of the result that the last {@link deltaSizes} read; below 2^53. */
  get deltaResultSize(): number {
    return this.#exports.deltaResultSize();
  }

  /**
   * Returns the index of the name at address `oid`. It adds a new name with flags and value 0. Indexes count from 0 in
   * the order of insertion and do not change.
   *
   * @throws LimitExceeded if the memory may not grow further; the table stays as it was.
   */
  oidAdd(oid: number): number {
    const index = this.#exports.oidAdd(oid);
    return index >= 0 ? index : this.#outOfMemory();
  }

  /** Returns the index of the name at address `oid`; -1 if it is not in the table. */
  oidFind(oid: number): number {
    return this.#exports.oidFind(oid);
  }

  /** The number of names in the table. */
  get oidCount(): number {
    return this.#exports.oidCount();
  }

  /** Returns the address of a name's entry, valid until names are added. */
  oidAt(index: number): number {
    return this.#exports.oidAt(index);
  }

  /** Returns the flags of a name, an unsigned 32-bit integer. */
  flagsOf(index: number): number {
    return this.#exports.flagsOf(index) >>> 0;
  }

  /** Replaces the flags of a name. */
  setFlags(index: number, flags: number): void {
    this.#exports.setFlags(index, flags);
  }

  /** Sets the given flags of a name and keeps the others. */
  orFlags(index: number, flags: number): void {
    this.#exports.orFlags(index, flags);
  }

  /** Returns the value of a name, an unsigned 32-bit integer. */
  valueOf(index: number): number {
    return this.#exports.valueOf(index) >>> 0;
  }

  /** Replaces the value of a name. */
  setValue(index: number, value: number): void {
    this.#exports.setValue(index, value);
  }

  /**
   * Checks a tree's structure: modes, names, order, duplicates, null object names. It marks the objects that the tree
   * refers to, except gitlinks, as {@link REFERENCED} and as {@link REF_TREE} or {@link REF_BLOB}. If `baseLength` is
   * not 0, `base` is a tree whose references are marked: entries that are the same there are not marked, and they are
   * not checked if `baseIsJudged`, which means that the base passed the checks. Returns {@link SCAN_OK} or
   * {@link SCAN_SUSPECT}.
   *
   * @throws LimitExceeded if the name table may not grow further.
   */
  // eslint-disable-next-line eslint/max-params -- addresses and lengths, as the module takes them
  scanTree(tree: number, length: number, base: number, baseLength: number, baseIsJudged = true): number {
    return this.#checkMemory(this.#exports.scanTree(tree, length, base, baseLength, baseIsJudged ? 1 : 0));
  }

  /**
   * The number of suspicious entries that the last {@link scanTree} found, if it returned {@link SCAN_OK}. Their names
   * need a closer look: they have dots, control characters or characters beyond ASCII, or resemble ".git". See
   * {@link suspiciousAt}.
   */
  get suspiciousCount(): number {
    return this.#exports.suspiciousCount();
  }

  /** Returns the offset in the tree of suspicious entry `i`, until the next {@link scanTree} or {@link collectTree}. */
  suspiciousAt(i: number): number {
    return this.#exports.listed(i) >>> 0;
  }

  /**
   * Lists the name indexes of the objects that a tree refers to. It passes over gitlinks, entries that are the same in
   * `base`, objects marked {@link SEEN}, and blobs if they are not wanted. It marks the listed objects SEEN and
   * REF_TREE or REF_BLOB. Returns the number of listed objects, for {@link collectedAt}, or {@link TREE_CORRUPT}. The
   * list may be too short for all of them: the caller leaves both trees in place and calls {@link collectMore} until it
   * returns 0.
   *
   * @throws LimitExceeded if the name table may not grow further.
   */
  // eslint-disable-next-line eslint/max-params -- an options object per tree would be allocated a million times
  collectTree(tree: number, length: number, base: number, baseLength: number, wantBlobs: boolean): number {
    return this.#checkMemory(this.#exports.collectTree(tree, length, base, baseLength, wantBlobs ? 1 : 0));
  }

  /** Returns the name index of listed object `i`, valid until the next call that lists. */
  collectedAt(i: number): number {
    return this.#exports.listed(i);
  }

  /** Lists the next objects in place of the listed ones. Returns as {@link collectTree} does, and 0 at the end. */
  collectMore(): number {
    return this.#checkMemory(this.#exports.collectMore());
  }

  /**
   * Sets the flags of `mask` on all objects that a tree refers to, except gitlinks. It adds new names to the table.
   * Returns 0, or {@link TREE_CORRUPT}.
   *
   * @throws LimitExceeded if the name table may not grow further.
   */
  markTree(tree: number, length: number, mask: number): number {
    return this.#checkMemory(this.#exports.markTree(tree, length, mask));
  }

  #checkMemory(status: number): number {
    return status === NO_MEMORY ? this.#outOfMemory() : status;
  }

  #outOfMemory(): never {
    throw new LimitExceeded("kernel-memory", this.#maxBytes, `object names need more than ${this.#maxBytes} bytes`);
  }
}

