/**
 * What is remembered of each entry of a pack being taken in, in typed arrays that come as entries are seen (a declared count is
 * never believed), a chunk at a time: growing by copying would leave as much garbage as there are entries. 37 bytes an entry.
 *
 * @packageDocumentation
 */
import { f64At, u32At, u8At } from "../../bytes/assert.ts";
import { freeMemory } from "../../bytes/free-memory.ts";
import { findSorted } from "../../bytes/sorted.ts";
import { OFS_DELTA, REF_DELTA } from "../../object/object-kind.ts";

/** Stands for "no object name yet" in {@link EntryTable.nameOf}. */
export const UNRESOLVED = 0xffff_ffff;

const FIRST_CAPACITY = 1024;
/** Entries of a full chunk, and how a number is split into chunk and row. */
const CHUNK_BITS = 15;
const CHUNK_ENTRIES = 1 << CHUNK_BITS;
const ROW_MASK = CHUNK_ENTRIES - 1;

type Columns = {
  /** Offset in the pack. */
  offset: Float64Array<ArrayBuffer>;
  /** Position in the ring of the inflated object, or -1. */
  ring: Float64Array<ArrayBuffer>;
  crc: Uint32Array<ArrayBuffer>;
  /** Index of the object's name in the kernel's oid table, or {@link UNRESOLVED}. */
  name: Uint32Array<ArrayBuffer>;
  /** Of an ofs-delta the base's entry number; of a ref-delta the base name's index in the oid table. */
  base: Uint32Array<ArrayBuffer>;
  /** Bytes of the inflated object (while unresolved: of the delta). */
  size: Float64Array<ArrayBuffer>;
  /** Low 3 bits: type number in the pack; next 3: type number of the object, 0 while unresolved. */
  kinds: Uint8Array<ArrayBuffer>;
};

function makeColumns(capacity: number): Columns {
  return {
    offset: new Float64Array(capacity),
    ring: new Float64Array(capacity),
    crc: new Uint32Array(capacity),
    name: new Uint32Array(capacity),
    base: new Uint32Array(capacity),
    size: new Float64Array(capacity),
    kinds: new Uint8Array(capacity),
  };
}

/** The entries of one pack, by number in pack order. */
export class EntryTable {
  readonly #chunks: Columns[] = [makeColumns(FIRST_CAPACITY)];
  #count = 0;
  #capacity = FIRST_CAPACITY;

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds the next entry and gives its number. */
  add(offset: number, kind: number, size: number): number {
    if (this.#count === this.#capacity) this.#grow();
    const number = this.#count++;
    const columns = this.#chunk(number);
    const row = number & ROW_MASK;
    columns.offset[row] = offset;
    columns.ring[row] = -1;
    columns.name[row] = UNRESOLVED;
    columns.size[row] = size;
    columns.kinds[row] = kind;
    return number;
  }

  #chunk(number: number): Columns {
    const chunk = this.#chunks[number >>> CHUNK_BITS];
    if (chunk === undefined) throw new RangeError(`entry ${number} of ${this.#count}`);
    return chunk;
  }

  /** A small pack's only chunk doubles until it is full; from then on full ones are added. */
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
    next.kinds.set(first.kinds);
    this.#chunks[0] = next;
    this.#capacity = next.offset.length;
  }

  offsetOf(number: number): number {
    return f64At(this.#chunk(number).offset, number & ROW_MASK);
  }

  sizeOf(number: number): number {
    return f64At(this.#chunk(number).size, number & ROW_MASK);
  }

  /** Type number as it stands in the pack. */
  packKindOf(number: number): number {
    return u8At(this.#chunk(number).kinds, number & ROW_MASK) & 7;
  }

  /** Type number of the object; 0 while unresolved. */
  kindOf(number: number): number {
    return u8At(this.#chunk(number).kinds, number & ROW_MASK) >> 3;
  }

  isDelta(number: number): boolean {
    const kind = this.packKindOf(number);
    return kind === OFS_DELTA || kind === REF_DELTA;
  }

  /** Index in the oid table, or {@link UNRESOLVED}. */
  nameOf(number: number): number {
    return this.#chunk(number).name[number & ROW_MASK] ?? UNRESOLVED;
  }

  /** See {@link Columns.base}. */
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

  /** Records what an entry turned out to be. Its name may come later: see {@link setName}. */
  resolve(number: number, kind: number, size: number): void {
    const columns = this.#chunk(number);
    const row = number & ROW_MASK;
    columns.kinds[row] = (u8At(columns.kinds, row) & 7) | (kind << 3);
    columns.size[row] = size;
  }

  setName(number: number, name: number): void {
    this.#chunk(number).name[number & ROW_MASK] = name;
  }

  /** The number of the entry that begins exactly at `offset`, or -1. */
  atOffset(offset: number): number {
    return findSorted(this.#count, offset, (number) => this.offsetOf(number));
  }

  /** Frees the memory at once, rather than when it is collected. The table is of no use afterwards. */
  release(): void {
    for (const columns of this.#chunks.splice(0)) {
      for (const column of Object.values(columns)) freeMemory(column);
    }
  }

  /** Copies the columns an index is written from: `offset` and `crc` have room for all entries. */
  copyIndexColumns(offset: Float64Array, crc: Uint32Array): void {
    for (const [i, columns] of this.#chunks.entries()) {
      const rows = Math.min(CHUNK_ENTRIES, this.#count - i * CHUNK_ENTRIES);
      offset.set(columns.offset.subarray(0, rows), i * CHUNK_ENTRIES);
      crc.set(columns.crc.subarray(0, rows), i * CHUNK_ENTRIES);
    }
  }
}
