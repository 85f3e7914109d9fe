/**
 * The entries of a stored pack in pack order: where each begins and ends, and which object it is.
 *
 * @packageDocumentation
 */
import { READING } from "./reading-policy.ts";
import { u32At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { PackIndex } from "../format/pack-index.ts";
import { type ReverseIndex, parseReverseIndex, reverseIndexBytes } from "../format/reverse-index.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { PackHandle } from "./pack-handle.ts";

/** Up to this many objects, a pack's entries are sorted here, and its `.rev` is not read. */
const FEW_OBJECTS = 50_000;

/** Maps each rank to the position of its entry in the index. */
type Ranks = Pick<ReverseIndex, "count" | "positionOf">;

/** A pack's entries by rank; the first entry of the pack has rank 0. */
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

  /**
   * Returns the offset at which the entry of a rank begins. For the rank after the last, it is where the entries end.
   */
  offsetAt(rank: number): number {
    return rank < this.#ranks.count ? this.index.offsetAt(this.positionAt(rank)) : this.#entriesEnd;
  }

  /** Returns the rank of the entry at a position of the index. */
  rankAt(position: number): number {
    return this.rankOf(this.index.offsetAt(position));
  }

  /** Returns the rank of the entry that begins at `offset`. @throws CorruptStore if no entry begins there. */
  rankOf(offset: number): number {
    const rank = findSorted(this.count, offset, (each) => this.offsetAt(each));
    if (rank < 0) throw new CorruptStore("no entry begins at the offset", { offset });
    return rank;
  }
}

/**
 * Reads what {@link loadPackOrder} reads of packs, several at once, so that these files are in the isolate's cache. It is a hint: what the cache does not keep
 * is read again.
 */
export async function readOrdersAhead(handles: readonly PackHandle[], format: ObjectFormat): Promise<void> {
  for (let next = 0; next < handles.length; next += READING.readsAtOnce)
    await Promise.all(
      handles.slice(next, next + READING.readsAtOnce).map(async (handle) => {
        const { objects } = handle.record;
        const rev = objects > FEW_OBJECTS ? handle.readFile("rev", reverseIndexBytes(objects, format)) : undefined;
        await Promise.all([handle.loadIndex(), rev]);
      }),
    );
}

/** Reads what a pack's order takes: its index and, if it has many objects, its `.rev`. */
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
