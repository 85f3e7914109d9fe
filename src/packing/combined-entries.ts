/**
 * The entries of several packs as one table: which objects they have, and from which pack each is taken. An object that
 * is in more than one pack is taken from the oldest, even if it is there only because completion appended it. All bases
 * of deltas are in the delta's own pack. So a delta builds on an object that is taken from the same pack or from an older
 * one, and no object builds on itself. Were a base taken from a younger pack, it could be a delta on the object there.
 *
 * Rows are **entries**, pack after pack, in the order of each pack. A **slot** is the rank of an object's name among the
 * names of all objects.
 *
 * @packageDocumentation
 */
import { assert, itemAt, u32At, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { findName } from "../format/pack-index.ts";
import { sizeClassAtPosition, typeAtPosition } from "../format/pack-types.ts";
import { sortNames } from "../format/sort-names.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";

/** Stands for no entry. */
const NONE = 0xffff_ffff;

/** One of the packs that are combined. */
export type SourcePack = {
  readonly handle: PackHandle;
  readonly order: PackOrder;
  /** The types and sizes of its objects; see `format/pack-types.ts`. */
  readonly types: Uint8Array;
  /** The row of its first entry. */
  readonly first: number;
};

/** Loads what the table takes of each pack. @throws CorruptStore */
async function loadSources(handles: readonly PackHandle[], format: ObjectFormat): Promise<SourcePack[]> {
  const sources: SourcePack[] = [];
  let first = 0;
  for (const handle of handles) {
    const [order, types] = await Promise.all([loadPackOrder(handle, format), handle.allTypes()]);
    sources.push({ handle, order, types, first });
    first += order.count;
  }
  return sources;
}

/** Which objects of the packs are taken. */
export type EntryChoice = {
  /** Whether to take the object with this raw name. */
  readonly keeps: (name: Uint8Array) => boolean;
  /** Whether to take objects that are there only because completion appended them. */
  readonly takesAppended: boolean;
};

const EVERYTHING: EntryChoice = { keeps: () => true, takesAppended: true };

/** The steps of an entry in each loop over all of them. */
const ENTRY_STEPS = 4;

/** Calls `visit` for each number below `count`. Yields the steps of it. */
function* each(count: number, visit: (number: number) => void): Generator<number, undefined> {
  for (let from = 0; from < count; from += PART) {
    const to = Math.min(count, from + PART);
    for (let number = from; number < to; number++) visit(number);
    yield (to - from) * ENTRY_STEPS;
  }
}

/** Entries after which the work so far is told. */
const PART = 65_536;

/** The raw names of all entries, and their order. */
type SortedNames = { readonly names: Uint8Array<ArrayBuffer>; readonly sorted: Uint32Array<ArrayBuffer> };

/** Gathers the names of all entries, and sorts them. Yields the steps of it. */
function* sortedNames(sources: readonly SourcePack[], rawSize: number): Generator<number, SortedNames, undefined> {
  const total = totalOf(sources);
  const names = new Uint8Array(total * rawSize);
  for (const { order, first } of sources) {
    yield* each(order.count, (rank) => {
      names.set(order.index.nameAt(order.positionAt(rank)), (first + rank) * rawSize);
    });
  }
  return { names, sorted: yield* sortNames({ names, stride: rawSize, rawSize }, total) };
}

function totalOf(sources: readonly SourcePack[]): number {
  const last = sources.at(-1);
  return last === undefined ? 0 : last.first + last.order.count;
}

/** The slot of each entry, and how many slots there are. */
type Slots = { readonly slots: Uint32Array<ArrayBuffer>; readonly count: number };

/** Gives entries of the same name the same slot. Yields the steps of it. */
function* slotsOf({ names, sorted }: SortedNames, rawSize: number): Generator<number, Slots, undefined> {
  const isSame = (a: number, b: number): boolean => {
    for (let i = 0; i < rawSize; i++) if (u8At(names, a * rawSize + i) !== u8At(names, b * rawSize + i)) return false;
    return true;
  };
  const slots = new Uint32Array(sorted.length);
  let count = 0;
  yield* each(sorted.length, (i) => {
    if (i === 0 || !isSame(u32At(sorted, i - 1), u32At(sorted, i))) count++;
    slots[u32At(sorted, i)] = count - 1;
  });
  return { slots, count };
}

/** The table. It takes about 60 bytes per entry beside the packs' indexes. */
export class CombinedEntries {
  readonly sources: readonly SourcePack[];
  /** The number of different objects. */
  readonly count: number;
  #kept = 0;
  /** The raw names of the objects, by slot. */
  readonly names: Uint8Array<ArrayBuffer>;
  readonly #slots: Uint32Array<ArrayBuffer>;
  /** By slot: the entry that an object is taken from. */
  readonly #chosen: Uint32Array<ArrayBuffer>;
  /** By slot: an entry that holds the object whole, in a younger pack than the chosen one. */
  readonly #spare: Uint32Array<ArrayBuffer>;
  /** By slot: 1 for an object that no pack has but those that it was appended to. */
  readonly #appended: Uint8Array<ArrayBuffer>;

  /** Reads the indexes and types of packs, oldest first. It gives way to others: there may be some 400,000 entries. */
  static async load(
    handles: readonly PackHandle[],
    format: ObjectFormat,
    pacer: Pacer,
    choice: EntryChoice = EVERYTHING,
  ): Promise<CombinedEntries> {
    return await pacer.finish(CombinedEntries.#made(await loadSources(handles, format), format, choice));
  }

  static *#made(
    sources: readonly SourcePack[],
    { rawSize }: ObjectFormat,
    choice: EntryChoice,
  ): Generator<number, CombinedEntries, undefined> {
    const all = yield* sortedNames(sources, rawSize);
    const entries = new CombinedEntries(sources, rawSize, yield* slotsOf(all, rawSize));
    freeMemory(all.sorted);
    yield* entries.#fill(all.names, rawSize, choice);
    return entries;
  }

  private constructor(sources: readonly SourcePack[], rawSize: number, { slots, count }: Slots) {
    this.sources = sources;
    this.#slots = slots;
    this.count = count;
    this.names = new Uint8Array(count * rawSize);
    this.#chosen = new Uint32Array(count).fill(NONE);
    this.#spare = new Uint32Array(count).fill(NONE);
    this.#appended = new Uint8Array(count).fill(1);
  }

  /** Finds out where each object is taken from. `names` are those of all entries, which are freed. Yields the steps of it. */
  *#fill(names: Uint8Array<ArrayBuffer>, rawSize: number, choice: EntryChoice): Generator<number, undefined> {
    for (const source of this.sources) yield* this.#noteOwn(source);
    yield* each(this.#slots.length, (entry) => {
      this.names.set(names.subarray(entry * rawSize, (entry + 1) * rawSize), this.slotOf(entry) * rawSize);
    });
    freeMemory(names);
    const kept = new Uint8Array(this.count);
    yield* each(this.count, (slot) => {
      const isThere = choice.takesAppended || !this.isAppended(slot);
      kept[slot] = isThere && choice.keeps(this.names.subarray(slot * rawSize, (slot + 1) * rawSize)) ? 1 : 0;
    });
    for (const source of this.sources) yield* this.#choose(source, kept);
    yield* each(this.count, (slot) => {
      if (this.isKept(slot)) this.#kept++;
    });
    freeMemory(kept);
  }

  /** The number of objects that are taken. */
  get kept(): number {
    return this.#kept;
  }

  /** Whether an object is taken. */
  isKept(slot: number): boolean {
    return u32At(this.#chosen, slot) !== NONE;
  }

  /** Returns the slots of the objects that are taken, in the order of their names. */
  keptSlots(): Uint32Array<ArrayBuffer> {
    const slots = new Uint32Array(this.#kept);
    for (let slot = 0, next = 0; slot < this.count; slot++) if (this.isKept(slot)) slots[next++] = slot;
    return slots;
  }

  /** Notes that a pack has its own objects by itself: completion is not all that brought them. Yields the steps of it. */
  *#noteOwn({ handle, first }: SourcePack): Generator<number, undefined> {
    yield* each(handle.record.ownObjects, (rank) => {
      this.#appended[this.slotOf(first + rank)] = 0;
    });
  }

  /** Enters the entries of a pack whose objects no older pack has. Yields the steps of it. */
  *#choose({ handle, order, first }: SourcePack, kept: Uint8Array): Generator<number, undefined> {
    const own = handle.record.ownObjects;
    yield* each(order.count, (rank) => {
      const slot = this.slotOf(first + rank);
      if (u8At(kept, slot) === 0) return;
      const chosen = u32At(this.#chosen, slot);
      if (chosen === NONE) this.#chosen[slot] = first + rank;
      // What completion appends is never a delta.
      else if (rank >= own && chosen < first && u32At(this.#spare, slot) === NONE) this.#spare[slot] = first + rank;
    });
  }

  /** Returns the slot of the object that an entry holds. */
  slotOf(entry: number): number {
    return u32At(this.#slots, entry);
  }

  /** Returns the slot of a raw name, or -1 if no pack has it. */
  slotOfName(name: Uint8Array): number {
    return findName(this.names, name);
  }

  /** Whether an object is taken from this entry. */
  isChosen(entry: number): boolean {
    return u32At(this.#chosen, this.slotOf(entry)) === entry;
  }

  /** Whether an object is in the packs only because completion appended it: some other pack of the catalog has it. */
  isAppended(slot: number): boolean {
    return u8At(this.#appended, slot) === 1;
  }

  /** Takes an object from where it is whole, if a younger pack has it like that. Returns whether one does. */
  takeWhole(slot: number): boolean {
    const spare = u32At(this.#spare, slot);
    if (spare === NONE) return false;
    this.#chosen[slot] = spare;
    this.#spare[slot] = NONE;
    return true;
  }

  /** Returns the byte with the type and size of the object in each of these slots. */
  typesOf(slots: Uint32Array): Uint8Array<ArrayBuffer> {
    const types = new Uint8Array(slots.length);
    for (const [i, slot] of slots.entries()) {
      const entry = u32At(this.#chosen, slot);
      const { first, order, types: all } = this.#sourceOf(entry);
      types[i] = u8At(all, order.positionAt(entry - first));
    }
    return types;
  }

  /** Returns the type number and the size class of the object that an entry holds. */
  kindOf(entry: number): { readonly type: number; readonly sizeClass: number } {
    const { first, order, types } = this.#sourceOf(entry);
    const position = order.positionAt(entry - first);
    return { type: typeAtPosition(types, position), sizeClass: sizeClassAtPosition(types, position) };
  }

  /** Returns the number of the pack in which an entry lies, and where it begins there. */
  placeOf(entry: number): { readonly pack: number; readonly offset: number } {
    const source = this.#sourceOf(entry);
    return { pack: this.sources.indexOf(source), offset: source.order.offsetAt(entry - source.first) };
  }

  /** Returns the bytes that an entry takes in its pack. */
  lengthOf(entry: number): number {
    const { first, order } = this.#sourceOf(entry);
    return order.offsetAt(entry - first + 1) - order.offsetAt(entry - first);
  }

  /** Yields the entries that objects are taken from, in ascending order. */
  *chosenEntries(): Generator<number> {
    for (let entry = 0; entry < this.#slots.length; entry++) if (this.isChosen(entry)) yield entry;
  }

  #sourceOf(entry: number): SourcePack {
    let low = 0;
    let high = this.sources.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (itemAt(this.sources, middle).first <= entry) low = middle;
      else high = middle - 1;
    }
    const source = itemAt(this.sources, low);
    assert(entry >= source.first, "an entry lies in a pack");
    return source;
  }

  /** Frees the memory at once. It must be the last call. */
  free(): void {
    for (const list of [this.names, this.#slots, this.#chosen, this.#spare, this.#appended]) freeMemory(list);
  }
}
