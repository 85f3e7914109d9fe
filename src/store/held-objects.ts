/**
 * Remembers which stored objects are in the ring, by pack and offset. A walk keeps hundreds of thousands of objects,
 * and each is soon overwritten. In a map they would be most of the garbage of a request. So they are rows of typed
 * arrays, about as many as a ring can hold.
 *
 * A key hashes to a few rows. If all of them are taken, the one read longest ago makes room. An object that is not
 * found is read again, so only speed depends on this table.
 *
 * @packageDocumentation
 */
import { f64At, i32At, u32At, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Held } from "./inflating.ts";
import type { ObjectRing } from "./object-ring.ts";

/** An object in the ring, with its type number. */
export type ReadObject = { readonly type: number; readonly held: Held };

/** The number of rows that a key may be in. */
const WAYS = 4;
/** The number of rows that a table begins with. */
const FIRST_ROWS = 256;
/** About the number of objects that a ring has room for. */
const MOST_ROWS = 65_536;
/** The pack number of an empty row. */
const EMPTY = -1;

type Rows = {
  readonly packs: Int32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly positions: Float64Array<ArrayBuffer>;
  readonly sizes: Uint32Array<ArrayBuffer>;
  readonly types: Uint8Array<ArrayBuffer>;
};

function emptyRows(count: number): Rows {
  return {
    packs: new Int32Array(count).fill(EMPTY),
    offsets: new Float64Array(count),
    positions: new Float64Array(count),
    sizes: new Uint32Array(count),
    types: new Uint8Array(count),
  };
}

/** The objects that one reader has in the ring. */
export class HeldObjects {
  readonly #ring: ObjectRing;
  #rows = emptyRows(FIRST_ROWS);

  constructor(ring: ObjectRing) {
    this.#ring = ring;
  }

  /** Returns the object whose entry begins at `offset` of the pack with this number, if it is still in the ring. */
  find(pack: number, offset: number): ReadObject | undefined {
    const row = this.#rowOf(pack, offset);
    const { positions, sizes, types } = this.#rows;
    if (row < 0) return undefined;
    const position = f64At(positions, row);
    if (!this.#ring.holds(position)) return undefined;
    return { type: u8At(types, row), held: { position, size: u32At(sizes, row) } };
  }

  /** Whether {@link HeldObjects.find} would return an object. */
  has(pack: number, offset: number): boolean {
    const row = this.#rowOf(pack, offset);
    return row >= 0 && this.#ring.holds(f64At(this.#rows.positions, row));
  }

  /** Remembers an object. */
  keep(pack: number, offset: number, object: ReadObject): void {
    let row = this.#rowOf(pack, offset);
    if (row < 0) row = this.#roomFor(pack, offset);
    const { packs, offsets, positions, sizes, types } = this.#rows;
    packs[row] = pack;
    offsets[row] = offset;
    positions[row] = object.held.position;
    sizes[row] = object.held.size;
    types[row] = object.type;
  }

  /** Forgets all objects and frees the memory. Nothing may be kept afterwards. */
  free(): void {
    for (const column of Object.values(this.#rows)) freeMemory(column);
    this.#rows = emptyRows(WAYS);
  }

  /** Returns the first of the rows that a key may be in. */
  #placeOf(pack: number, offset: number): number {
    const hash = Math.imul(Math.imul((offset % 0x1_0000_0000) | 0, 0x9e37_79b1) ^ pack, 0x85eb_ca6b);
    return ((hash ^ (hash >>> 15)) & (this.#rows.packs.length / WAYS - 1)) * WAYS;
  }

  #rowOf(pack: number, offset: number): number {
    const { packs, offsets } = this.#rows;
    const first = this.#placeOf(pack, offset);
    for (let row = first; row < first + WAYS; row++) if (packs[row] === pack && offsets[row] === offset) return row;
    return EMPTY;
  }

  #roomFor(pack: number, offset: number): number {
    for (;;) {
      const { packs, positions } = this.#rows;
      const first = this.#placeOf(pack, offset);
      let oldest = first;
      for (let row = first; row < first + WAYS; row++) {
        if (packs[row] === EMPTY) return row;
        if (f64At(positions, row) < f64At(positions, oldest)) oldest = row;
      }
      if (!this.#ring.holds(f64At(positions, oldest)) || packs.length >= MOST_ROWS) return oldest;
      this.#grow();
    }
  }

  #grow(): void {
    const { packs, offsets, positions, sizes, types } = this.#rows;
    this.#rows = emptyRows(packs.length * 4);
    for (let row = 0; row < packs.length; row++) {
      const position = f64At(positions, row);
      if (packs[row] === EMPTY || !this.#ring.holds(position)) continue;
      const held = { position, size: u32At(sizes, row) };
      this.keep(i32At(packs, row), f64At(offsets, row), { type: u8At(types, row), held });
    }
    for (const column of [packs, offsets, positions, sizes, types]) freeMemory(column);
  }
}
