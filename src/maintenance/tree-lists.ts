/**
 * What the trees of a pack refer to, in little memory. A list says only in what its tree differs from another one,
 * usually the one that it is stored as a delta on. All trees of a pack are read once, in the order in which they lie
 * there.
 *
 * A tree's *base* here is the tree that its list is based on. Objects are named by the rank of their entries in the
 * pack; a number that is no rank is an object outside.
 *
 * @packageDocumentation
 */
import { itemAt, u32At, u8At } from "../bytes/assert.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { NumberList } from "../bytes/number-list.ts";
import { textOf } from "../object/byte-text.ts";

/** Stands in the highest bit of what only the base has. */
const REMOVED = 2 ** 31;
/** The longest chain of bases: where a tree is reached and its base is not, the chain is followed. */
const MOST_DEPTH = 500;
/**
 * The most differences that are kept, and the bytes of memory that they share with what each object takes. The list of
 * them is copied as it grows, so half of a copy counts, too.
 */
const MOST_ITEMS = 1 << 23;
const MOST_BYTES = 72 * 1024 * 1024;
const ITEM_BYTES = 6;
const OBJECT_BYTES = 60;

/** Lists a tree's differences from a base. */
export type ListDifferences = (visit: (object: number, isRemoved: boolean) => void) => void;

/** The lists of a pack's trees. */
export class TreeLists {
  /** By rank: the number of the tree's row, plus one. */
  readonly #rows: Uint32Array<ArrayBuffer>;
  /** By row: the base's rank plus one, 0 for none; and where the differences begin. */
  readonly #bases = new NumberList();
  readonly #starts = new NumberList();
  readonly #items = new NumberList();
  readonly #depths: number[] = [];
  readonly #mostItems: number;

  /** `count` is the number of the pack's entries. */
  constructor(count: number) {
    this.#rows = new Uint32Array(count);
    this.#mostItems = Math.min(MOST_ITEMS, Math.floor((MOST_BYTES - count * OBJECT_BYTES) / ITEM_BYTES));
  }

  /** Whether a tree may be the base of another one: it was added, and few others lie below it. */
  mayBeBase(rank: number): boolean {
    const row = u32At(this.#rows, rank);
    return row > 0 && itemAt(this.#depths, row - 1) < MOST_DEPTH;
  }

  /**
   * Adds a tree with its differences from a base, which {@link mayBeBase}, or from the empty tree. Returns how many there
   * are.
   *
   * @throws LimitExceeded if there are too many differences.
   */
  add(rank: number, base: number | undefined, list: ListDifferences): number {
    const start = this.#items.length;
    this.#starts.push(start);
    this.#bases.push(base === undefined ? 0 : base + 1);
    this.#depths.push(base === undefined ? 0 : itemAt(this.#depths, u32At(this.#rows, base) - 1) + 1);
    this.#rows[rank] = this.#starts.length;
    list((object, isRemoved) => this.#items.push(isRemoved ? object + REMOVED : object));
    if (this.#items.length > this.#mostItems)
      throw new LimitExceeded("bitmap-trees", this.#mostItems, "the trees of the pack differ too much for bitmaps");
    return this.#items.length - start;
  }

  /** Takes back the tree that was added last. */
  takeBack(rank: number): void {
    const row = u32At(this.#rows, rank) - 1;
    this.#items.truncate(u32At(this.#starts.view, row));
    this.#starts.truncate(row);
    this.#bases.truncate(row);
    this.#depths.length = row;
    this.#rows[rank] = 0;
  }

  #row(rank: number): number {
    return u32At(this.#rows, rank) - 1;
  }

  /** Returns the rank of a tree's base; -1 if it has none. */
  baseOf(rank: number): number {
    return u32At(this.#bases.view, this.#row(rank)) - 1;
  }

  #differences(rank: number): Uint32Array {
    const row = this.#row(rank);
    const starts = this.#starts.view;
    const end = row + 1 < starts.length ? u32At(starts, row + 1) : this.#items.length;
    return this.#items.view.subarray(u32At(starts, row), end);
  }

  /** Calls `visit` for each object that a tree refers to and its base doesn't. */
  forEachAdded(rank: number, visit: (object: number) => void): void {
    for (const item of this.#differences(rank)) if (item < REMOVED) visit(item);
  }

  /** Returns all objects that a tree refers to. */
  objectsOf(rank: number): number[] {
    const chain: number[] = [];
    for (let at = rank; at >= 0; at = this.baseOf(at)) chain.push(at);
    // The same object may have several names in a tree.
    const counts = new Map<number, number>();
    for (let tree = chain.pop(); tree !== undefined; tree = chain.pop()) {
      for (const item of this.#differences(tree)) {
        const [object, change] = item < REMOVED ? [item, 1] : [item - REMOVED, -1];
        // An object that no tree of the chain named before has no name in them.
        counts.set(object, (counts.get(object) ?? 0) + change);
      }
    }
    const objects: number[] = [];
    for (const [object, count] of counts) if (count > 0) objects.push(object);
    return objects;
  }

  /** Frees the memory. It must be the last call. */
  free(): void {
    freeMemory(this.#rows);
    for (const list of [this.#bases, this.#starts, this.#items]) list.free();
  }
}

/**
 * Remembers trees by the names of their first and their last entry, to find a base for one that is stored whole: two
 * trees with the same of both are usually versions of one directory.
 */
export class AlikeTrees {
  readonly #ranks = new Map<string, number>();
  readonly #most = 4096;

  /** Returns the tree that was last remembered under a key, and remembers this one instead. */
  replace(key: string, rank: number): number | undefined {
    const before = this.#ranks.get(key);
    this.#ranks.delete(key);
    this.#ranks.set(key, rank);
    for (const oldest of this.#ranks.keys()) {
      if (this.#ranks.size <= this.#most) break;
      this.#ranks.delete(oldest);
    }
    return before;
  }
}

const SPACE = 0x20;
const KEY_BYTES = 64;

/** Returns the key of a tree for {@link AlikeTrees}: its first name, and the bytes before the last raw name. */
export function alikeKey(tree: Uint8Array, rawSize: number): string {
  let name = 0;
  while (name < tree.length && u8At(tree, name) !== SPACE) name++;
  const nul = tree.indexOf(0, name);
  const first = tree.subarray(name + 1, Math.min(nul < 0 ? tree.length : nul, name + 1 + KEY_BYTES));
  const last = tree.subarray(
    Math.max(0, tree.length - rawSize - 1 - KEY_BYTES / 4),
    Math.max(0, tree.length - rawSize - 1),
  );
  return `${textOf(first)}/${textOf(last)}`;
}
