/**
 * The entries of one pack as a table by rank, in little memory: where each begins, which object it is, and its CRC-32. The index is read for it
 * and let go of.
 *
 * @packageDocumentation
 */
import { assert, u32At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import { PackIndex } from "../format/pack-index.ts";
import { reverseIndexBytes } from "../format/reverse-index.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { OFS_DELTA } from "../object/object-type.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { orFault, type Ranks, ranksOrSorted } from "../store/pack-order.ts";
import { streamRun } from "./stored-run.ts";

/** The steps charged to the pacer for an entry whose header is read. */
const HEADER_STEPS = 50;
const NO_BYTES = new Uint8Array(0);

/** The table. It takes 12 bytes for each entry. */
export class PackEntries {
  readonly count: number;
  readonly #offsets: Uint32Array<ArrayBuffer>;
  /** By rank: the position in the index. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** By rank: the CRC-32 of the entry's bytes. */
  readonly crcs: Uint32Array<ArrayBuffer>;

  private constructor(index: PackIndex, ranks: Ranks, end: number) {
    this.count = index.count;
    this.#offsets = new Uint32Array(this.count + 1);
    this.positions = new Uint32Array(this.count);
    this.crcs = new Uint32Array(this.count);
    for (let rank = 0; rank < this.count; rank++) {
      const position = ranks.positionOf(rank);
      this.positions[rank] = position;
      this.#offsets[rank] = index.offsetAt(position);
      this.crcs[rank] = index.crcAt(position);
    }
    this.#offsets[this.count] = end;
  }

  /** Reads the entries of a pack of less than 4 GiB. @throws CorruptStore */
  static async load(storage: PackStorage, handle: PackHandle, format: ObjectFormat): Promise<PackEntries> {
    const pack = handle.record;
    assert(pack.packBytes <= 0xffff_ffff, "offsets have 32 bits");
    const [idx, rev] = await Promise.all([
      storage.read({ pack: pack.name, extension: "idx" }, 0, pack.indexBytes),
      orFault(storage.read({ pack: pack.name, extension: "rev" }, 0, reverseIndexBytes(pack.objects, format))),
    ]);
    const index = new PackIndex(idx, format);
    const noteDamage = (): void => handle.noteDamage("rev");
    const tools = { ...handle.context, format, pacer: handle.pacer, noteDamage };
    const { ranks, free } = await ranksOrSorted(rev, { pack, index }, tools);
    const entries = new PackEntries(index, ranks, pack.packBytes - format.rawSize);
    free();
    freeMemory(idx);
    if (rev instanceof Uint8Array) freeMemory(rev);
    return entries;
  }

  /** Returns where an entry begins and, for the rank after the last, where the entries end. */
  offsetAt(rank: number): number {
    return u32At(this.#offsets, rank);
  }

  /** Returns the bytes of an entry. */
  lengthAt(rank: number): number {
    return this.offsetAt(rank + 1) - this.offsetAt(rank);
  }

  /** Returns the rank of the entry that begins at an offset. @throws CorruptStore if none does. */
  rankOf(offset: number): number {
    const rank = findSorted(this.count, offset, (each) => u32At(this.#offsets, each));
    if (rank < 0) throw new CorruptStore("no entry begins at the offset", { offset });
    return rank;
  }

  /**
   * Reads the pack once. Returns by rank the entry on which a delta builds by distance, and -1 for what is none, or names its base.
   *
   * @throws CorruptStore
   */
  async readBases(handle: PackHandle, { rawSize }: ObjectFormat, pacer: Pacer): Promise<Int32Array<ArrayBuffer>> {
    const bases = new Int32Array(this.count).fill(-1);
    const header = new EntryHeader();
    let [next, at] = [0, PACK_HEADER_BYTES];
    // The beginning of a header of which the rest comes with the next piece.
    let carried: Uint8Array = NO_BYTES;
    /** Looks at the entries that begin in bytes from `from` on, as far as their headers are there. */
    const look = (bytes: Uint8Array, from: number, most: number): void => {
      for (; next < most; next++) {
        const offset = this.offsetAt(next);
        const begin = offset - from;
        const end = begin + Math.min(MAX_ENTRY_HEADER_BYTES, this.lengthAt(next));
        if (begin < 0 || end > bytes.length) return;
        if (header.decode(bytes, begin, end, rawSize) === "short")
          throw new CorruptStore("the pack ends within an entry", { pack: handle.record.name, offset });
        if (header.type === OFS_DELTA) bases[next] = this.rankOf(offset - header.distance);
        pacer.add(HEADER_STEPS);
      }
    };
    await streamRun(handle, { offset: at, length: this.offsetAt(this.count) - at }, async (piece) => {
      if (carried.length > 0) {
        const head = concat([carried, piece.subarray(0, MAX_ENTRY_HEADER_BYTES)]);
        look(head, at - carried.length, next + 1);
      }
      look(piece, at, this.count);
      at += piece.length;
      const begun = next < this.count ? at - this.offsetAt(next) : 0;
      if (begun <= 0) carried = NO_BYTES;
      else carried = begun > piece.length ? concat([carried, piece]) : piece.slice(piece.length - begun);
      if (pacer.isDue) await pacer.pace();
    });
    if (next < this.count) throw new CorruptStore("a stored pack is too short", { pack: handle.record.name });
    return bases;
  }

  /** Frees the memory. It must be the last call. */
  free(): void {
    for (const list of [this.#offsets, this.positions, this.crcs]) freeMemory(list);
  }
}
