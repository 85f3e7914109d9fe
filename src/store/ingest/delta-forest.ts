/**
 * Decides which unresolved deltas can be resolved now, and in what order. Each delta comes after its base, and families
 * stay together, so that a base is inflated once for all deltas on it. A delta becomes ready when its base is known. A
 * ref-delta has to wait until some object turns out to have its base's name.
 *
 * @packageDocumentation
 */
import { u32At } from "../../bytes/assert.ts";
import { freeMemory } from "../../bytes/free-memory.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { sortInTurns } from "../../bytes/sort-in-turns.ts";
import { OFS_DELTA } from "../../object/object-type.ts";
import type { EntryTable } from "./entry-table.ts";

const NONE = -1;
/** The steps of putting a delta into the order. */
const ORDER_STEPS = 4;

/** The forest's view of names. It is small, so that the forest can be tested without a kernel. */
export type NameLookup = {
  /** The number of names. They are numbered from 0. */
  readonly count: number;
  /** Returns the number of the resolved entry that has this name, or -1. */
  entryOf(name: number): number;
};

/** The unresolved deltas of a pack. Its work is linear in their number, whatever their order, and never recursive. */
export class DeltaForest {
  /**
   * Linked lists: per entry, the first ofs-delta on it; per name, the first ref-delta that waits for it; per delta, the
   * next on the same base.
   */
  readonly #firstChild: Int32Array<ArrayBuffer>;
  readonly #firstWaiting: Int32Array<ArrayBuffer>;
  readonly #next: Int32Array<ArrayBuffer>;
  #ready: number[] = [];
  #left = 0;

  constructor(entries: EntryTable, names: NameLookup) {
    this.#firstChild = new Int32Array(entries.count).fill(NONE);
    this.#firstWaiting = new Int32Array(names.count).fill(NONE);
    this.#next = new Int32Array(entries.count).fill(NONE);
    // Backwards, so that each list comes out in pack order.
    for (let number = entries.count - 1; number >= 0; number--) {
      if (entries.typeOf(number) !== 0) continue;
      this.#left++;
      const base = entries.baseOf(number);
      if (entries.packTypeOf(number) === OFS_DELTA) {
        if (entries.typeOf(base) !== 0) this.#ready.push(number);
        else this.#link(this.#firstChild, base, number);
      } else if (names.entryOf(base) >= 0) {
        this.#ready.push(number);
      } else {
        this.#link(this.#firstWaiting, base, number);
      }
    }
  }

  #link(lists: Int32Array, list: number, number: number): void {
    this.#next[number] = lists[list] ?? NONE;
    lists[list] = number;
  }

  /** Frees the memory at once, and not only when it is collected. */
  release(): void {
    for (const lists of [this.#firstChild, this.#firstWaiting, this.#next]) freeMemory(lists);
  }

  /** The number of deltas that {@link takeReady} has not returned yet. */
  get left(): number {
    return this.#left;
  }

  /** Makes the deltas ready that wait for the object with this name, which is now known. */
  nameIsKnown(name: number): void {
    const first = this.#firstWaiting[name] ?? NONE;
    if (first === NONE) return;
    this.#firstWaiting[name] = NONE;
    for (let number = first; number !== NONE; number = this.#next[number] ?? NONE) this.#ready.push(number);
  }

  /** Returns the names that deltas wait for. */
  waitedFor(): number[] {
    const names: number[] = [];
    for (const [name, first] of this.#firstWaiting.entries()) if (first !== NONE) names.push(name);
    return names;
  }

  /**
   * Returns the deltas that are ready, and the deltas that build on them by offset. The order is depth first, by base
   * (`baseOf` numbers the bases), so that every entry comes after its base. Each delta is returned once. It pauses: nearly all
   * objects of a pack may be such deltas.
   */
  async takeReady(baseOf: (number: number) => number, pacer: Pacer): Promise<Uint32Array<ArrayBuffer>> {
    // Those that wait for one base are found in any order.
    const roots = Uint32Array.from(this.#ready).sort();
    this.#ready = [];
    const baseAt = (index: number): number => baseOf(u32At(roots, index));
    const compare = (a: number, b: number): number => baseAt(a) - baseAt(b);
    const sorted = await sortInTurns({ count: roots.length, compare }, pacer);
    const order: number[] = [];
    const stack: number[] = [];
    for (const index of sorted) {
      const root = u32At(roots, index);
      const before = order.length;
      order.push(root);
      this.#pushChild(stack, root);
      for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
        order.push(number);
        // The sibling goes below the children: depth first.
        const sibling = this.#next[number] ?? NONE;
        if (sibling !== NONE) stack.push(sibling);
        this.#pushChild(stack, number);
      }
      pacer.add((order.length - before) * ORDER_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
    this.#left -= order.length;
    return Uint32Array.from(order);
  }

  #pushChild(stack: number[], number: number): void {
    const child = this.#firstChild[number] ?? NONE;
    if (child !== NONE) stack.push(child);
  }
}

/**
 * Whether some chain of bases is a cycle, and does not end in an entry that is not a delta. `baseOf` returns the entry
 * that a delta builds on, or a number below 0 for a base outside the pack. It takes linear time and does not recurse.
 */
export function hasCycle(
  entries: Pick<EntryTable, "isDelta">,
  count: number,
  baseOf: (number: number) => number,
): boolean {
  const SEEN = 1;
  const GOOD = 2;
  const states = new Uint8Array(count);
  for (let start = 0; start < count; start++) {
    let at = start;
    while (at >= 0 && at < count && states[at] === 0) {
      states[at] = SEEN;
      at = entries.isDelta(at) ? baseOf(at) : NONE;
    }
    if (states[at] === SEEN) return true;
    for (at = start; states[at] === SEEN; at = entries.isDelta(at) ? baseOf(at) : NONE) states[at] = GOOD;
  }
  return false;
}
