/**
 * The face of the kernel, the WebAssembly module of `src/kernel/` that does what is done to every byte of every object.
 *
 * A {@link Kernel} is one instance with a memory of its own, so that two requests never share state. All calls are synchronous.
 * Places in its memory are numbers ("pointers"), lengths are bytes. The memory, from the start:
 *
 *     statics | window (compressed input) | ring (inflated objects, managed by its user) | table of object names, growing
 *
 * Pointers are not checked: giving one outside the memory traps, and a wrong one inside corrupts. What the bytes at a pointer say
 * is never trusted.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import type { KernelExports } from "./kernel-exports.ts";
import type { KernelLayout } from "./kernel-layout.ts";
import { type NativeNames, nativeNames } from "./native-names.ts";

/** The stream ended, and its checksum is right. */
export const INFLATE_DONE = 0;
/** All input was used and the stream goes on. */
export const INFLATE_NEED_INPUT = 1;
/** The output is full and the stream goes on. */
export const INFLATE_NEED_OUTPUT = 2;

/** {@link Kernel.inflateWhole}: the input ends before the stream; {@link Kernel.inflate} can go on with more. */
export const WHOLE_NEED_INPUT = -1;
/** {@link Kernel.inflateWhole}: the stream holds more than the size given. */
export const WHOLE_LONGER = -2;
/** {@link Kernel.inflateWhole}: the stream holds less than the size given. */
export const WHOLE_SHORTER = -3;
/** {@link Kernel.inflateWhole}: the stream is corrupt. */
export const WHOLE_CORRUPT = -4;

/** {@link Kernel.scanTree}: nothing is wrong, but for names in the list of suspicious ones. */
export const SCAN_OK = 0;
/** {@link Kernel.scanTree}: the full check has to tell; what was marked so far stays marked. */
export const SCAN_SUSPECT = 1;

/** {@link Kernel.collectTree} and {@link Kernel.markTree}: the tree is malformed. */
export const TREE_CORRUPT = -1;

const NO_MEMORY = -2;
const FOUR_GIB = 2 ** 32 - 1;

/**
 * Makes an instance of the compiled module, with its memory divided as `layout` says.
 *
 * @throws LimitExceeded where the regions do not fit in `layout.maxBytes`.
 */
export function createKernel(module: WebAssembly.Module, layout: KernelLayout): Kernel {
  const instance = new WebAssembly.Instance(module, {});
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- the module is built from the sources the type mirrors
  const exports = instance.exports as unknown as KernelExports;
  return new Kernel(exports, layout);
}

/** One instance of the kernel; made by {@link createKernel}. */
export class Kernel {
  /** The window for compressed input: where it begins. */
  readonly windowAt: number;
  /** The window's size. */
  readonly windowBytes: number;
  /** The region for inflated objects, which the kernel itself never touches: where it begins. */
  readonly ringAt: number;
  /** The ring's size. */
  readonly ringBytes: number;
  /** Bytes of a raw object name. */
  readonly rawSize: number;
  /** Bytes from one entry of the table of names to the next: name, flags (u32), value (u32), both little-endian. */
  readonly oidStride: number;
  /** 1024 bytes for the caller's passing use, for names above all: the kernel itself never touches them. */
  readonly scratchAt: number;
  /** How many hashes {@link batchAdd} takes before {@link batchClear}. */
  readonly batchCapacity: number;

  readonly #exports: KernelExports;
  readonly #maxBytes: number;
  readonly #native: NativeNames | undefined;
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
  }

  /** All of the memory. A call that adds names may make it grow, which detaches the array: ask again after it. */
  get memory(): Uint8Array<ArrayBuffer> {
    // A detached array has no length.
    if (this.#memory.length === 0) this.#memory = new Uint8Array(this.#exports.memory.buffer);
    return this.#memory;
  }

  /** Size of the memory, for accounting. */
  get byteLength(): number {
    return this.memory.length;
  }

  /** Empties the table of names and the batch, and forgets any stream, for the next user of the instance. Memory does not shrink. */
  reset(): void {
    this.#native?.reset();
    if (this.#exports.reset() === 0) this.#outOfMemory();
  }

  /** Begins a zlib stream. */
  inflateStart(): void {
    this.#exports.inflateStart();
  }

  /** Bytes of a stream's state. */
  get inflateStateBytes(): number {
    return this.#exports.inflateStateBytes();
  }

  /** Writes the state of the stream to `at`, so that others can be begun; the output that the next {@link inflate} needs is not in it. */
  inflateSave(at: number): void {
    this.#exports.inflateSave(at);
  }

  /** Goes back to the stream whose state is at `at`. */
  inflateRestore(at: number): void {
    this.#exports.inflateRestore(at);
  }

  /**
   * Goes on with the stream: `(src, srcEnd, outBase, out, outEnd)` reads from `src`, never past `srcEnd`, and writes from `out`,
   * never past `outEnd`. From `outBase` to `out` lies the output so far, or its last 32 KiB. Gives {@link INFLATE_DONE},
   * {@link INFLATE_NEED_INPUT}, {@link INFLATE_NEED_OUTPUT} or a negative code of `INFLATE_FAULTS`; after a fault, again
   * that until {@link inflateStart}. With the output exactly full, the end of the stream is still read and checked.
   */
  readonly inflate: KernelExports["inflate"];

  /**
   * `(src, srcEnd, dst, size)` inflates a stream into exactly `size` bytes. Gives the input it took, or
   * {@link WHOLE_NEED_INPUT}, {@link WHOLE_LONGER}, {@link WHOLE_SHORTER} or {@link WHOLE_CORRUPT}.
   */
  readonly inflateWhole: KernelExports["inflateWhole"];

  /** Bytes of input that the last {@link inflate} or {@link inflateWhole} took: exact, never past the stream's end. */
  get inflateConsumed(): number {
    return this.#exports.inflateConsumed();
  }

  /** Bytes of output that the last {@link inflate} or {@link inflateWhole} wrote. */
  get inflateProduced(): number {
    return this.#exports.inflateProduced();
  }

  /**
   * Begins a hash: the name of an object, whose type is a number of `KIND_NUMBER` and whose size is below 2^53, or, with kind 0,
   * the digest of plain bytes. The contexts 0…3 are independent.
   */
  hashStart(kind: number, size: number, context = 0): void {
    if (this.#native === undefined) this.#exports.hashStart(kind, size, context);
    else this.#native.start(kind, size, context);
  }

  /** Takes in bytes. */
  hashUpdate(at: number, length: number, context = 0): void {
    if (this.#native === undefined) this.#exports.hashUpdate(at, length, context);
    else this.#native.update(this.memory.subarray(at, at + length), context);
  }

  /** Writes the digest to `out`; `true` where the message is part of a SHA-1 collision attack, as git detects it. */
  hashFinish(out: number, context = 0): boolean {
    if (this.#native === undefined) return this.#exports.hashFinish(out, context) !== 0;
    this.memory.set(this.#native.finish(context), out);
    return false;
  }

  /** Writes a digest to `out`, of a message in one piece: `kind` is that of {@link hashStart}, the result {@link hashFinish}'s. */
  hashObject(kind: number, at: number, length: number, out: number): boolean {
    return this.#exports.hashObject(kind, at, length, out) !== 0;
  }

  /**
   * Adds a {@link hashObject} to the batch and gives its index, from 0. The bytes must stay in place until {@link batchRun}.
   *
   * @throws RangeError where the batch has {@link batchCapacity}.
   */
  batchAdd(kind: number, at: number, length: number): number {
    const isLong = this.#native?.isWorthwhile(length) === true;
    // nothing to hash keeps its place in the batch
    const index = this.#exports.batchAdd(kind, at, isLong ? 0 : length);
    if (index < 0) throw new RangeError("the batch is full");
    if (isLong) this.#native?.wait(index, kind, at, length);
    return index;
  }

  /** Hashes what was added since the last time; of SHA-1, four messages at once, at more than twice the speed. */
  batchRun(): void {
    this.#exports.batchRun();
    this.#native?.runWaiting(this.memory, (index) => this.#exports.batchNameAt(index));
  }

  /** Where the digest of number `index` is, once run, until {@link batchClear}. */
  batchNameAt(index: number): number {
    return this.#exports.batchNameAt(index);
  }

  /** Whether number `index`, once run, is part of a SHA-1 collision attack, as git detects it. */
  batchCollision(index: number): boolean {
    return this.#exports.batchCollision(index) !== 0;
  }

  /** Empties the batch. */
  batchClear(): void {
    this.#exports.batchClear();
    this.#native?.clearWaiting();
  }

  /** Continues a CRC-32 (0 to begin with) over bytes; unsigned. */
  crc32(crc: number, at: number, length: number): number {
    return this.#exports.crc32(crc, at, length) >>> 0;
  }

  /** Continues an Adler-32 (1 to begin with) over bytes; unsigned. */
  adler32(adler: number, at: number, length: number): number {
    return this.#exports.adler32(adler, at, length) >>> 0;
  }

  /**
   * `(base, baseLength, delta, deltaLength, dst, dstLength)` builds the object that a delta (with its two sizes) stands for;
   * `dst` must not overlap the others. Gives 0, or a negative code of `DELTA_FAULTS`.
   */
  readonly applyDelta: KernelExports["applyDelta"];

  /**
   * Reads the two sizes a delta begins with, into {@link deltaBaseSize} and {@link deltaResultSize}. Gives their length in bytes,
   * or a negative code of `DELTA_FAULTS`.
   */
  deltaSizes(delta: number, length: number): number {
    return this.#exports.deltaSizes(delta, length);
  }

  /** Size of the base, of the delta read last; below 2^53. */
  get deltaBaseSize(): number {
    return this.#exports.deltaBaseSize();
  }

  /** Size of the result, of the delta read last; below 2^53. */
  get deltaResultSize(): number {
    return this.#exports.deltaResultSize();
  }

  /**
   * Gives the index of the name at `oid`, adding it with flags and value 0 where it is new. Indexes count from 0 in order of
   * insertion and stay.
   *
   * @throws LimitExceeded where the memory may not grow further; the table is then as it was.
   */
  oidAdd(oid: number): number {
    const index = this.#exports.oidAdd(oid);
    return index >= 0 ? index : this.#outOfMemory();
  }

  /** Gives the index of the name at `oid`; -1 where it is not in the table. */
  oidFind(oid: number): number {
    return this.#exports.oidFind(oid);
  }

  /** How many names the table has. */
  get oidCount(): number {
    return this.#exports.oidCount();
  }

  /** Where the entry is, until names are added. */
  oidAt(index: number): number {
    return this.#exports.oidAt(index);
  }

  /** The flags of a name. */
  flagsOf(index: number): number {
    return this.#exports.flagsOf(index) >>> 0;
  }

  /** Replaces the flags of a name. */
  setFlags(index: number, flags: number): void {
    this.#exports.setFlags(index, flags);
  }

  /** Sets those flags of a name, and keeps the others. */
  orFlags(index: number, flags: number): void {
    this.#exports.orFlags(index, flags);
  }

  /** The value of a name, an unsigned 32-bit integer. */
  valueOf(index: number): number {
    return this.#exports.valueOf(index) >>> 0;
  }

  /** Replaces the value of a name. */
  setValue(index: number, value: number): void {
    this.#exports.setValue(index, value);
  }

  /**
   * Checks a tree's structure (modes, names, order, duplicates, null names) and gives the names that it refers to
   * {@link REFERENCED} and {@link REF_TREE} or {@link REF_BLOB}, gitlinks aside. With a `baseLength` other than 0, `base` is a
   * tree that was found good before: entries that are the same there are neither checked nor marked. Gives {@link SCAN_OK} or
   * {@link SCAN_SUSPECT}.
   *
   * @throws LimitExceeded where the table of names may not grow further.
   */
  scanTree(tree: number, length: number, base: number, baseLength: number): number {
    return this.#checkMemory(this.#exports.scanTree(tree, length, base, baseLength));
  }

  /**
   * How many entries the last {@link scanTree} that gave {@link SCAN_OK} found with a name to look at more closely (dots, control
   * characters, beyond ASCII, like ".git"): {@link suspiciousAt} gives where they begin.
   */
  get suspiciousCount(): number {
    return this.#exports.suspiciousCount();
  }

  /** Offset in the tree of the suspicious entry number `i`, until the next {@link scanTree} or {@link collectTree}. */
  suspiciousAt(i: number): number {
    return this.#exports.listed(i) >>> 0;
  }

  /**
   * Lists the indexes of what a tree refers to, unless it is a gitlink, the same in
   * `base`, marked {@link SEEN}, or a blob and blobs are not wanted; marks it SEEN and REF_TREE or REF_BLOB. Gives how many, for
   * {@link collectedAt}, or {@link TREE_CORRUPT}. There may be more than the list holds: call {@link collectMore} until it gives
   * 0, with both trees in place.
   *
   * @throws LimitExceeded where the table of names may not grow further.
   */
  // eslint-disable-next-line eslint/max-params -- an object a tree is allocated a million times in a walk
  collectTree(tree: number, length: number, base: number, baseLength: number, wantBlobs: boolean): number {
    return this.#checkMemory(this.#exports.collectTree(tree, length, base, baseLength, wantBlobs ? 1 : 0));
  }

  /** The index in the table of names of the listed entry number `i`, until the next call that lists. */
  collectedAt(i: number): number {
    return this.#exports.listed(i);
  }

  /** Lists what did not fit before, in place of it; 0 at the end. Else as {@link collectTree}. */
  collectMore(): number {
    return this.#checkMemory(this.#exports.collectMore());
  }

  /**
   * Sets the flags of `mask` on all that a tree refers to, gitlinks aside, adding names. Gives 0, or {@link TREE_CORRUPT}.
   *
   * @throws LimitExceeded where the table of names may not grow further.
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

