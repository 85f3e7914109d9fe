/**
 * The positions of a pack's entries in pack order, where they had to be sorted: what takes the place of a reverse index that can't be used.
 *
 * @packageDocumentation
 */
import type { PackHandle } from "./pack-handle.ts";

/** Positions, and the array that the cache has of them: it finds what it has evicted for as long as somebody holds that array. */
export type KeptPositions = { readonly positions: Uint32Array; readonly file: Uint8Array };

/** Keeps the positions of one pack in the isolate's cache, which counts them and may evict them. */
export class SortedPositions {
  readonly #cache: PackHandle["context"]["cache"];
  readonly #key: string;

  constructor({ context, record }: Pick<PackHandle, "context" | "record">) {
    this.#cache = context.cache;
    this.#key = `${context.scope}/${record.name}.rev:sorted`;
  }

  /** Keeps positions, which must not change from now on. */
  keep(positions: Uint32Array<ArrayBuffer>): KeptPositions {
    const file = new Uint8Array(positions.buffer);
    this.#cache.set(this.#key, file);
    return { positions, file };
  }

  /** Returns the positions, if the cache has them. They are shared and must not be changed. */
  get(): KeptPositions | undefined {
    const file = this.#cache.get(this.#key);
    if (file === undefined) return undefined;
    const count = file.length / Uint32Array.BYTES_PER_ELEMENT;
    return { positions: new Uint32Array(file.buffer, file.byteOffset, count), file };
  }
}
