/**
 * Names of objects by the platform's own hash: for SHA-256, which needs no search for collisions and which processors have
 * instructions for that WebAssembly does not reach. Of long messages it takes a quarter of the kernel's time; a short one is done
 * before the platform has begun.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import type { HashFactory, StreamingHash } from "../bytes/hash.ts";

/** Raw names of so many bytes are SHA-256's. */
const SHA256_BYTES = 32;
/** A message of so many bytes takes both ways as long. */
const WORTHWHILE_BYTES = 1024;
/** By the numbers of `KIND_NUMBER`. */
const NAMES = ["", "commit", "tree", "blob", "tag"];

type Waiting = { readonly index: number; readonly kind: number; readonly at: number; readonly length: number };

/** The hashes of one kernel. */
export class NativeNames {
  readonly #hash: HashFactory;
  readonly #running: (StreamingHash | undefined)[] = [];
  #waiting: Waiting[] = [];

  constructor(hash: HashFactory) {
    this.#hash = hash;
  }

  /** Whether a message of so many bytes is better done here. */
  isWorthwhile(length: number): boolean {
    return length >= WORTHWHILE_BYTES;
  }

  /** Begins a hash: as `Kernel.hashStart`. */
  start(kind: number, size: number, context: number): void {
    this.#running[context] = this.#begin(kind, size);
  }

  /** Takes in bytes, which may change as soon as it returns. */
  update(bytes: Uint8Array, context: number): void {
    this.#running[context]?.update(bytes);
  }

  /** Gives the digest. @throws RangeError where none was begun. */
  finish(context: number): Uint8Array {
    const running = this.#running[context];
    if (running === undefined) throw new RangeError(`no hash in context ${context}`);
    this.#running[context] = undefined;
    return running.digest();
  }

  /** Lines a message of a batch up: `length` bytes at `at` of the kernel's memory. */
  wait(index: number, kind: number, at: number, length: number): void {
    this.#waiting.push({ index, kind, at, length });
  }

  /** Hashes all that wait, and puts each digest where its index has it. */
  runWaiting(memory: Uint8Array, placeOf: (index: number) => number): void {
    for (const { index, kind, at, length } of this.#waiting) {
      const running = this.#begin(kind, length);
      running.update(memory.subarray(at, at + length));
      memory.set(running.digest(), placeOf(index));
    }
    this.#waiting = [];
  }

  /** Forgets all that waits. */
  clearWaiting(): void {
    this.#waiting = [];
  }

  /** Forgets all that runs or waits. */
  reset(): void {
    this.#running.length = 0;
    this.clearWaiting();
  }

  #begin(kind: number, size: number): StreamingHash {
    const running = this.#hash("sha256");
    if (kind !== 0) running.update(new TextEncoder().encode(`${itemAt(NAMES, kind)} ${size}\0`));
    return running;
  }
}

/** Gives the platform's way for raw names of so many bytes; `undefined` where the kernel's own is the only one. */
export function nativeNames(rawSize: number, hash: HashFactory): NativeNames | undefined {
  return rawSize === SHA256_BYTES ? new NativeNames(hash) : undefined;
}
