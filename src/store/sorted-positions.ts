/**
 * The positions of a pack's entries in pack order, where they had to be sorted: what takes the place of a reverse index that can't be used.
 *
 * @packageDocumentation
 */
import type { PackHandle } from "./pack-handle.ts";

/** Keeps the positions of one pack in the isolate's cache, which counts them and may evict them. */
export class SortedPositions {
  readonly #cache: PackHandle["context"]["cache"];
  readonly #key: string;

  constructor({ context, record }: Pick<PackHandle, "context" | "record">) {
    this.#cache = context.cache;
    this.#key = `${context.scope}/${record.name}.rev:sorted`;
  }

  /** Keeps positions, which must not change from now on. */
  keep(positions: Uint32Array<ArrayBuffer>): void {
    this.#cache.set(this.#key, new Uint8Array(positions.buffer));
  }

  /** Returns the positions, if the cache has them. They are shared and must not be changed. */
  get(): Uint32Array | undefined {
    const bytes = this.#cache.get(this.#key);
    return bytes && new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / Uint32Array.BYTES_PER_ELEMENT);
  }
}
