/**
 * The large buffers of one ingest, used again and again: garbage of this size counts against the isolate until it is collected,
 * which nobody can wait for.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../../bytes/free-memory.ts";

/** Buffers of one size. */
export class PartBuffers {
  /** Bytes of each. */
  readonly size: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(size: number) {
    this.size = size;
  }

  /** Gives a buffer, of whatever content. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.size);
  }

  /** Frees the memory of those that nobody has, at once rather than when it is collected. */
  release(): void {
    for (const buffer of this.#free.splice(0)) freeMemory(buffer);
  }

  /** Takes one back that {@link take} gave; nobody uses it afterwards. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}
