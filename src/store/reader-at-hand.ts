/**
 * Reads objects that are made from what is in memory, without a promise. A walk reads hundreds of thousands of commits,
 * and awaiting each would cost more than reading it.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { EntryHeader } from "../format/pack-entry.ts";
import { OFS_DELTA, typeOfNumber } from "../object/object-type.ts";
import type { HeldObjects, ReadObject } from "./held-objects.ts";
import type { Held, Inflating } from "./inflating.ts";
import type { ObjectDatabase } from "./object-database.ts";

/** The steps charged to the pacer for reading an object, beside those for its bytes. */
export const READ_STEPS = 500;
/** The most deltas of an object that is read at hand: their bases are made one within the other. */
const MOST_DELTAS = 60;

/** Reads into the ring of an {@link Inflating}, and keeps what it reads in the same table as the reader that waits. */
export class ReaderAtHand {
  readonly #database: ObjectDatabase;
  readonly #inflating: Inflating;
  readonly #held: HeldObjects;
  readonly #header = new EntryHeader();

  constructor(database: ObjectDatabase, inflating: Inflating, held: HeldObjects) {
    this.#database = database;
    this.#inflating = inflating;
    this.#held = held;
  }

  /**
   * Reads an object by raw name. Returns `undefined` where something has to be read from the bucket first, where a
   * pause is due or comes to be, and where something is wrong: the reader that waits then finds out more.
   */
  read(name: Uint8Array): ReadObject | undefined {
    const { pacer } = this.#database.context;
    const place = pacer.isDue ? undefined : this.#database.offsetAtHand(name);
    if (place === undefined) return undefined;
    pacer.add(READ_STEPS);
    try {
      return this.#make(place.pack, place.offset, MOST_DELTAS);
    } catch {
      return undefined;
    }
  }

  /** Makes an object of at most `mostDeltas` deltas from what is in memory; `undefined` if that does not suffice. */
  #make(pack: number, offset: number, mostDeltas: number): ReadObject | undefined {
    const held = this.#held.find(pack, offset);
    // What is old is made young again by the reader that waits.
    if (held !== undefined) return this.#inflating.ring.isOld(held.held.position) ? undefined : held;
    const header = this.#header;
    const bytes = itemAt(this.#database.packs, pack).bytesAtHand(offset);
    if (bytes === undefined) return undefined;
    if (header.decode(bytes, 0, bytes.length, this.#database.context.format.rawSize) === "short") return undefined;
    const { type, size, headerBytes, distance } = header;
    if (type !== OFS_DELTA) {
      const inflated = typeOfNumber(type) && this.#inflate(bytes.subarray(headerBytes), size);
      return inflated && this.#keep(pack, offset, { type, held: inflated });
    }
    const base = mostDeltas > 0 ? this.#make(pack, offset - distance, mostDeltas - 1) : undefined;
    // The bases may be large, and many. Those that were made are kept.
    if (this.#database.context.pacer.isDue) return undefined;
    const delta = base && this.#inflate(bytes.subarray(headerBytes), size);
    // Inflating the delta may have overwritten the base.
    if (delta === undefined || base === undefined || !this.#inflating.ring.holds(base.held.position)) return undefined;
    return this.#keep(pack, offset, { type: base.type, held: this.#inflating.applyDelta(base.held, delta) });
  }

  #inflate(deflated: Uint8Array, size: number): Held | undefined {
    if (size > this.#inflating.wholeBytes) return undefined;
    this.#database.context.pacer.add(size);
    return this.#inflating.inflateAtOnce(deflated, size);
  }

  #keep(pack: number, offset: number, object: ReadObject): ReadObject {
    // The object's bytes were passed over once.
    this.#database.context.pacer.add(object.held.size >> 1);
    this.#held.keep(pack, offset, object);
    return object;
  }
}
