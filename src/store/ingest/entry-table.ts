/**
 * The table of the entries of a pack being taken in: 37 bytes per entry, in typed arrays. They grow as entries are
 * seen, because a declared count is never believed. They grow by a chunk at a time: growing by copying would leave as
 * much garbage as there are entries.
 *
 * @packageDocumentation
 */
import { f64At, u32At, u8At } from "../../bytes/assert.ts";
import { freeMemory } from "../../bytes/free-memory.ts";
import { findSorted } from "../../bytes/sorted.ts";
import { OFS_DELTA, REF_DELTA } from "../../object/object-type.ts";

/** Stands for "no object name yet" in {@link EntryTable.nameOf}. */
export const UNRESOLVED = 0xffff_ffff;

const FIRST_CAPACITY = 1024;
/** What a row of all columns takes. */
const ROW_BYTES = 37;
/** A full chunk has 2^15 entries; a number's low bits are its row, and the rest is its chunk. */
const CHUNK_BITS = 15;
const CHUNK_ENTRIES = 1 << CHUNK_BITS;
const ROW_MASK = CHUNK_ENTRIES - 1;

type Columns = {
  /** The offset in the pack. */
  offset: Float64Array<ArrayBuffer>;
  /** The position in the ring of the inflated object, or -1. */
  ring: Float64Array<ArrayBuffer>;
  crc: Uint32Array<ArrayBuffer>;
  /** The index of the object's name in the pack's `ObjectNames`, or {@link UNRESOLVED}. */
  name: Uint32Array<ArrayBuffer>;
  /** For an ofs-delta, the base's entry number; for a ref-delta, the index of the base's name there. */
  base: Uint32Array<ArrayBuffer>;
  /** The size in bytes of the inflated object or, while unresolved, of the delta. */
  size: Float64Array<ArrayBuffer>;
  /** The low 3 bits are the type number in the pack. The next 3 are the object's type number, 0 while unresolved. */
  types: Uint8Array<ArrayBuffer>;
};

function makeColumns(capacity: number): Columns {
  return {
    offset: new Float64Array(capacity),
    ring: new Float64Array(capacity),
    crc: new Uint32Array(capacity),
    name: new Uint32Array(capacity),
    base: new Uint32Array(capacity),
    size: new Float64Array(capacity),
    types: new Uint8Array(capacity),
  };
}

/** The entries of one pack, by number in pack order. */
export class EntryTable {
  readonly #chunks: Columns[] = [makeColumns(FIRST_CAPACITY)];
  #count = 0;
  #capacity = FIRST_CAPACITY;

  /** The number of entries so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of memory that the table takes. */
  get byteLength(): number {
    return this.#chunks.length === 0 ? 0 : this.#capacity * ROW_BYTES;
  }

  /** Adds the next entry and returns its number. `type` is its type number in the pack. */
  add(offset: number, type: number, size: number): number {
    if (this.#count === this.#capacity) this.#grow();
    const number = this.#count++;
    const columns = this.#chunk(number);
    const row = number & ROW_MASK;
    columns.offset[row] = offset;
    columns.ring[row] = -1;
    columns.name[row] = UNRESOLVED;
    columns.size[row] = size;
    columns.types[row] = type;
    return number;
  }

  #chunk(number: number): Columns {
    const chunk = this.#chunks[number >>> CHUNK_BITS];
    if (chunk === undefined) throw new RangeError(`entry ${number} of ${this.#count}`);
    return chunk;
  }

  /** A small pack's only chunk grows fourfold until it is full; from then on full chunks are added. */
  #grow(): void {
    const [first] = this.#chunks;
    if (this.#capacity >= CHUNK_ENTRIES || first === undefined) {
      this.#chunks.push(makeColumns(CHUNK_ENTRIES));
      this.#capacity += CHUNK_ENTRIES;
      return;
    }
    const next = makeColumns(this.#capacity * 4 > CHUNK_ENTRIES ? CHUNK_ENTRIES : this.#capacity * 4);
    next.offset.set(first.offset);
    next.ring.set(first.ring);
    next.crc.set(first.crc);
    next.name.set(first.name);
    next.base.set(first.base);
    next.size.set(first.size);
    next.types.set(first.types);
    this.#chunks[0] = next;
    this.#capacity = next.offset.length;
  }

  offsetOf(number: number): number {
    return f64At(this.#chunk(number).offset, number & ROW_MASK);
  }

  sizeOf(number: number): number {
    return f64At(this.#chunk(number).size, number & ROW_MASK);
  }

  /** Returns the type number as it stands in the pack. */
  packTypeOf(number: number): number {
    return u8At(this.#chunk(number).types, number & ROW_MASK) & 7;
  }

  /** Returns the type number of the object; 0 while unresolved. */
  typeOf(number: number): number {
    return u8At(this.#chunk(number).types, number & ROW_MASK) >> 3;
  }

  isDelta(number: number): boolean {
    const type = this.packTypeOf(number);
    return type === OFS_DELTA || type === REF_DELTA;
  }

  /** Returns the index of the object's name, or {@link UNRESOLVED}. */
  nameOf(number: number): number {
    return this.#chunk(number).name[number & ROW_MASK] ?? UNRESOLVED;
  }

  /** Returns the base; see {@link Columns.base}. */
  baseOf(number: number): number {
    return u32At(this.#chunk(number).base, number & ROW_MASK);
  }

  setBase(number: number, base: number): void {
    this.#chunk(number).base[number & ROW_MASK] = base;
  }

  setCrc(number: number, crc: number): void {
    this.#chunk(number).crc[number & ROW_MASK] = crc;
  }

  ringOf(number: number): number {
    return f64At(this.#chunk(number).ring, number & ROW_MASK);
  }

  setRing(number: number, position: number): void {
    this.#chunk(number).ring[number & ROW_MASK] = position;
  }

  /** Records the type and size of an entry's object. Its name may come later: see {@link setName}. */
  resolve(number: number, type: number, size: number): void {
    const columns = this.#chunk(number);
    const row = number & ROW_MASK;
    columns.types[row] = (u8At(columns.types, row) & 7) | (type << 3);
    columns.size[row] = size;
  }

  setName(number: number, name: number): void {
    this.#chunk(number).name[number & ROW_MASK] = name;
  }

  /** Returns the number of the entry that begins exactly at `offset`, or -1. */
  atOffset(offset: number): number {
    return findSorted(this.#count, offset, (number) => this.offsetOf(number));
  }

  /** Frees the memory at once, and not only when it is collected. The table must not be used afterwards. */
  release(): void {
    for (const columns of this.#chunks.splice(0)) {
      for (const column of Object.values(columns)) freeMemory(column);
    }
  }

  /** Copies the columns that an index is written from. `offset` and `crc` have room for all entries. */
  copyIndexColumns(offset: Float64Array, crc: Uint32Array): void {
    for (const [i, columns] of this.#chunks.entries()) {
      const rows = Math.min(CHUNK_ENTRIES, this.#count - i * CHUNK_ENTRIES);
      offset.set(columns.offset.subarray(0, rows), i * CHUNK_ENTRIES);
      crc.set(columns.crc.subarray(0, rows), i * CHUNK_ENTRIES);
    }
  }
}
