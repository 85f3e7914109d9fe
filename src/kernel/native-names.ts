/**
 * Object names by the platform's own SHA-256. It needs no search for collisions, and it uses processor instructions
 * that WebAssembly lacks. For long messages it takes a quarter of the kernel's time. A short message is hashed by the
 * kernel before a call of the platform has begun.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import type { HashFactory, StreamingHash } from "../bytes/hash.ts";

/** Bytes of a raw SHA-256 name. */
const SHA256_BYTES = 32;
/** Bytes of a message for which both ways take the same time. */
const WORTHWHILE_BYTES = 1024;
/** The types' names, by the numbers of `TYPE_NUMBER`. */
const NAMES = ["", "commit", "tree", "blob", "tag"];

type Waiting = { readonly index: number; readonly type: number; readonly at: number; readonly length: number };

/** The hashes in progress and the waiting messages of one kernel. */
export class NativeNames {
  readonly #hash: HashFactory;
  readonly #running: (StreamingHash | undefined)[] = [];
  #waiting: Waiting[] = [];

  constructor(hash: HashFactory) {
    this.#hash = hash;
  }

  /** Whether a message of `length` bytes is hashed faster here than by the kernel. */
  isWorthwhile(length: number): boolean {
    return length >= WORTHWHILE_BYTES;
  }

  /** Begins a hash. The parameters are those of `Kernel.hashStart`. */
  start(type: number, size: number, context: number): void {
    this.#running[context] = this.#begin(type, size);
  }

  /** Adds bytes to a hash. They may change as soon as it returns. */
  update(bytes: Uint8Array, context: number): void {
    this.#running[context]?.update(bytes);
  }

  /** Ends a hash and returns its digest. @throws RangeError if none was begun in this context. */
  finish(context: number): Uint8Array {
    const running = this.#running[context];
    if (running === undefined) throw new RangeError(`no hash in context ${context}`);
    this.#running[context] = undefined;
    return running.digest();
  }

  /** Queues a message of a batch: `length` bytes at address `at` of the kernel's memory. */
  wait(index: number, type: number, at: number, length: number): void {
    this.#waiting.push({ index, type, at, length });
  }

  /** Hashes all queued messages and writes each digest to the address that `placeOf` returns for its index. */
  runWaiting(memory: Uint8Array, placeOf: (index: number) => number): void {
    for (const { index, type, at, length } of this.#waiting) {
      const running = this.#begin(type, length);
      running.update(memory.subarray(at, at + length));
      memory.set(running.digest(), placeOf(index));
    }
    this.#waiting = [];
  }

  /** Drops all queued messages. */
  clearWaiting(): void {
    this.#waiting = [];
  }

  /** Drops all hashes in progress and all queued messages. */
  reset(): void {
    this.#running.length = 0;
    this.clearWaiting();
  }

  #begin(type: number, size: number): StreamingHash {
    const running = this.#hash("sha256");
    if (type !== 0) running.update(new TextEncoder().encode(`${itemAt(NAMES, type)} ${size}\0`));
    return running;
  }
}

/**
 * Returns the platform's hashes for raw names of `rawSize` bytes; `undefined` for SHA-1, which only the kernel hashes.
 */
export function nativeNames(rawSize: number, hash: HashFactory): NativeNames | undefined {
  return rawSize === SHA256_BYTES ? new NativeNames(hash) : undefined;
}
