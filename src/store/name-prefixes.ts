/**
 * The beginnings of the names in a layer of the commit-graph, 4 bytes for each: of most names that the layer does not have, they tell so. A whole
 * table of names would take five times the memory, or eight times with SHA-256.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";
import type { CommitGraphHead } from "../format/commit-graph.ts";

/** The bytes of memory for each name. */
export const PREFIX_BYTES = 4;

/** Returns the four bytes behind the first of a name. The fan-out tells the first. */
function prefixAt(names: Uint8Array, at: number): number {
  const upper = (u8At(names, at + 1) << 8) | u8At(names, at + 2);
  return upper * 2 ** 16 + ((u8At(names, at + 3) << 8) | u8At(names, at + 4));
}

/** The beginnings of the names of one layer. */
export class NamePrefixes {
  readonly #head: CommitGraphHead;
  readonly #prefixes: Uint32Array;

  /** The beginnings are added by {@link add}. */
  constructor(head: CommitGraphHead) {
    this.#head = head;
    this.#prefixes = new Uint32Array(head.count);
  }

  /** Adds the names that follow one another from row `first` on, raw. */
  add(first: number, names: Uint8Array): void {
    const { rawSize } = this.#head.format;
    for (let at = 0, row = first; at < names.length; at += rawSize, row++) this.#prefixes[row] = prefixAt(names, at);
  }

  /** Whether the layer may have a raw name: if not, it has not. */
  mayHave(name: Uint8Array): boolean {
    const sought = prefixAt(name, 0);
    let [low, high] = this.#head.bucketOf(name);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const prefix = u32At(this.#prefixes, middle);
      if (prefix === sought) return true;
      if (prefix < sought) low = middle + 1;
      else high = middle;
    }
    return false;
  }
}
