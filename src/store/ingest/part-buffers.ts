/**
 * Reuses the large buffers of one ingest. Garbage of this size counts against the isolate until it is collected, and a
 * request cannot wait for that.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../../bytes/free-memory.ts";

/** A pool of buffers of one size. */
export class PartBuffers {
  /** The size of each buffer in bytes. */
  readonly size: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #made = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** Bytes of all buffers, in use and not. */
  get byteLength(): number {
    return this.#made * this.size;
  }

  /** Returns a buffer with undefined content. The caller owns it until it calls {@link give}. */
  take(): Uint8Array<ArrayBuffer> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#made++;
    return new Uint8Array(this.size);
  }

  /** Frees the memory of the buffers in the pool at once, and not only when it is collected. */
  release(): void {
    this.#made -= this.#free.length;
    for (const buffer of this.#free.splice(0)) freeMemory(buffer);
  }

  /** Takes back a buffer that {@link take} returned. The caller must not use it afterwards. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}
