/**
 * Choices that are the same in each run of a seed.
 *
 * @packageDocumentation
 */

/** Chooses at random, beginning with a seed. */
export class SeededRandom {
  #state: number;

  /** `seed` is a whole number below 2^32. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a whole number from 0 up to `bound`, which is not among them (mulberry32). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** Returns one of several. @throws where there are none. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (items.length === 0) throw new Error("there is nothing to choose from");
    return item as Item;
  }

  /** Returns `count` of several in a random order, or all where there are fewer. */
  some<Item>(items: readonly Item[], count: number): Item[] {
    const left = [...items];
    const chosen: Item[] = [];
    while (left.length > 0 && chosen.length < count) chosen.push(...left.splice(this.below(left.length), 1));
    return chosen;
  }

  /** Whether something happens that has `percent` chances in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}
