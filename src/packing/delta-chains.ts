/**
 * The deltas of packs that are combined: which object each builds on, and how long the chains are. It knows the deltas that
 * are stored, and those that are made anew.
 *
 * @packageDocumentation
 */
import { i32At, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";

const NO_BASE = -1;
/** Chains are followed no further: no pack should have such long ones, and a damaged one may go in a circle. */
const MOST_FOLLOWED = 250;

/** The chains of the objects in these slots. */
export class DeltaChains {
  readonly #bases: Int32Array<ArrayBuffer>;
  /** By slot: the longest chain of deltas that builds on the object. */
  readonly #heights: Uint8Array<ArrayBuffer>;

  constructor(count: number) {
    this.#bases = new Int32Array(count).fill(NO_BASE);
    this.#heights = new Uint8Array(count);
  }

  /** Notes that an object is a delta on another one. */
  add(slot: number, base: number): void {
    this.#bases[slot] = base;
    let height = u8At(this.#heights, slot) + 1;
    for (let at = base; at !== NO_BASE && height <= MOST_FOLLOWED; at = i32At(this.#bases, at)) {
      if (u8At(this.#heights, at) >= height) return;
      this.#heights[at] = height++;
    }
  }

  /** Whether an object is a delta. */
  isDelta(slot: number): boolean {
    return i32At(this.#bases, slot) !== NO_BASE;
  }

  /**
   * Returns the number of deltas in the longest chain that there would be if an object became a delta on `base`; infinity if
   * the base builds on the object itself.
   */
  lengthWith(slot: number, base: number): number {
    let length = u8At(this.#heights, slot) + 1;
    for (let at = base; at !== NO_BASE; at = i32At(this.#bases, at)) {
      if (at === slot || length > MOST_FOLLOWED) return Number.POSITIVE_INFINITY;
      if (this.isDelta(at)) length++;
    }
    return length;
  }

  /** Returns the number of deltas below an object. */
  depthOf(slot: number): number {
    let depth = 0;
    for (let at = i32At(this.#bases, slot); at !== NO_BASE && depth < MOST_FOLLOWED; at = i32At(this.#bases, at))
      depth++;
    return depth;
  }

  /** Frees the memory. It must be the last call. */
  free(): void {
    freeMemory(this.#bases);
    freeMemory(this.#heights);
  }
}
