/**
 * The entries of a stored pack in the order they lie in it: where each begins and ends, and which object it is.
 *
 * @packageDocumentation
 */
import { u32At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { PackIndex } from "../format/pack-index.ts";
import { type ReverseIndex, parseReverseIndex, reverseIndexBytes } from "../format/reverse-index.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { PackHandle } from "./pack-handle.ts";

/** A pack with no more objects than this is sorted here rather than asked for its `.rev`. */
const FEW_OBJECTS = 50_000;

/** Position in the index of the entry of each rank. */
type Ranks = Pick<ReverseIndex, "count" | "positionOf">;

/** A pack's entries by rank: 0 is the first in the pack. */
export class PackOrder {
  readonly index: PackIndex;
  readonly #ranks: Ranks;
  readonly #entriesEnd: number;

  constructor(index: PackIndex, ranks: Ranks, entriesEnd: number) {
    this.index = index;
    this.#ranks = ranks;
    this.#entriesEnd = entriesEnd;
  }

  get count(): number {
    return this.#ranks.count;
  }

  positionAt(rank: number): number {
    return this.#ranks.positionOf(rank);
  }

  /** Where the entry of a rank begins; of the rank after the last, where the entries end. */
  offsetAt(rank: number): number {
    return rank < this.#ranks.count ? this.index.offsetAt(this.positionAt(rank)) : this.#entriesEnd;
  }

  /** The rank of the entry that begins at `offset`. @throws CorruptStore where none does. */
  rankOf(offset: number): number {
    const rank = findSorted(this.count, offset, (each) => this.offsetAt(each));
    if (rank < 0) throw new CorruptStore("no entry begins at the offset", { offset });
    return rank;
  }
}

/** Reads what it takes to know a pack's order: its index and, where it is large, its `.rev`. */
export async function loadPackOrder(handle: PackHandle, format: ObjectFormat): Promise<PackOrder> {
  const entriesEnd = handle.record.packBytes - format.rawSize;
  if (handle.record.objects > FEW_OBJECTS) {
    const [index, rev] = await Promise.all([
      handle.loadIndex(),
      handle.readFile("rev", reverseIndexBytes(handle.record.objects, format)),
    ]);
    return new PackOrder(index, parseReverseIndex(rev, format), entriesEnd);
  }
  const index = await handle.loadIndex();
  const positions = Uint32Array.from({ length: index.count }, (_, position) => position);
  positions.sort((a, b) => index.offsetAt(a) - index.offsetAt(b));
  return new PackOrder(index, { count: index.count, positionOf: (rank) => u32At(positions, rank) }, entriesEnd);
}
