/**
 * What is remembered of each entry of a pack being taken in, in typed arrays that grow as entries are seen (a declared count is
 * never believed). About 33 bytes an entry.
 *
 * @packageDocumentation
 */
import { OFS_DELTA, REF_DELTA } from "../object/object-kind.ts";

/** Stands for "no object name yet" in {@link EntryTable.nameOf}. */
export const UNRESOLVED = 0xffff_ffff;

const FIRST_CAPACITY = 1024;

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
  #columns = makeColumns(FIRST_CAPACITY);
  #count = 0;
  #declared = Number.POSITIVE_INFINITY;

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** Says how many there should be, so that the tables don't grow past it. */
  declare(count: number): void {
    this.#declared = count;
  }

  /** Adds the next entry and gives its number. */
  add(offset: number, kind: number, size: number): number {
    if (this.#count === this.#columns.offset.length) this.#grow();
    const number = this.#count++;
    const columns = this.#columns;
    columns.offset[number] = offset;
    columns.ring[number] = -1;
    columns.name[number] = UNRESOLVED;
    columns.size[number] = size;
    columns.kinds[number] = kind;
    return number;
  }

  #grow(): void {
    const old = this.#columns;
    // what was declared bounds what is grown to, never what is begun with; bases of a thin pack come on top of it
    const room = old.offset.length < this.#declared ? this.#declared : Number.POSITIVE_INFINITY;
    const next = makeColumns(Math.min(old.offset.length * 2, room));
    next.offset.set(old.offset);
    next.ring.set(old.ring);
    next.crc.set(old.crc);
    next.name.set(old.name);
    next.base.set(old.base);
    next.size.set(old.size);
    next.kinds.set(old.kinds);
    this.#columns = next;
  }

  offsetOf(number: number): number {
    return this.#columns.offset[number] ?? 0;
  }

  sizeOf(number: number): number {
    return this.#columns.size[number] ?? 0;
  }

  /** Type number as it stands in the pack. */
  packKindOf(number: number): number {
    return (this.#columns.kinds[number] ?? 0) & 7;
  }

  /** Type number of the object; 0 while unresolved. */
  kindOf(number: number): number {
    return (this.#columns.kinds[number] ?? 0) >> 3;
  }

  isDelta(number: number): boolean {
    const kind = this.packKindOf(number);
    return kind === OFS_DELTA || kind === REF_DELTA;
  }

  /** Index in the oid table, or {@link UNRESOLVED}. */
  nameOf(number: number): number {
    return this.#columns.name[number] ?? UNRESOLVED;
  }

  /** See {@link Columns.base}. */
  baseOf(number: number): number {
    return this.#columns.base[number] ?? 0;
  }

  setBase(number: number, base: number): void {
    this.#columns.base[number] = base;
  }

  setCrc(number: number, crc: number): void {
    this.#columns.crc[number] = crc;
  }

  ringOf(number: number): number {
    return this.#columns.ring[number] ?? -1;
  }

  setRing(number: number, position: number): void {
    this.#columns.ring[number] = position;
  }

  /** Records what an entry turned out to be. */
  resolve(number: number, kind: number, size: number, name: number): void {
    const columns = this.#columns;
    columns.kinds[number] = ((columns.kinds[number] ?? 0) & 7) | (kind << 3);
    columns.size[number] = size;
    columns.name[number] = name;
  }

  /** The number of the entry that begins exactly at `offset`, or -1. */
  atOffset(offset: number): number {
    const offsets = this.#columns.offset;
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const value = offsets[middle] ?? 0;
      if (value === offset) return middle;
      if (value < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Views of the columns an index is written from, without a copy; valid until the next {@link add}. */
  columns(): { readonly offset: Float64Array; readonly crc: Uint32Array; readonly name: Uint32Array } {
    return {
      offset: this.#columns.offset.subarray(0, this.#count),
      crc: this.#columns.crc.subarray(0, this.#count),
      name: this.#columns.name.subarray(0, this.#count),
    };
  }
}
