/**
 * The entries of a stored pack in pack order: where each begins and ends, and which object it is.
 *
 * @packageDocumentation
 */
import { u32At } from "../bytes/assert.ts";
import { type BucketUnavailable, CorruptStore, isStorageFault } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { sortInTurns } from "../bytes/sort-in-turns.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { PackIndex } from "../format/pack-index.ts";
import { type ReverseIndex, parseReverseIndex, reverseIndexBytes } from "../format/reverse-index.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { PackHandle } from "./pack-handle.ts";
import type { ReadingTools } from "./pack-place.ts";
import { READING } from "./reading-policy.ts";
import { type KeptPositions, SortedPositions } from "./sorted-positions.ts";
import { assertSound } from "./whole-file.ts";

/** Maps each rank to the position of its entry in the index. */
export type Ranks = Pick<ReverseIndex, "count" | "positionOf">;

/** A pack's entries by rank; the first entry of the pack has rank 0. */
export class PackOrder {
  readonly index: PackIndex;
  readonly #ranks: Ranks;
  readonly #entriesEnd: number;
  /** What the cache has of the ranks, which lasts for as long as they do. */
  readonly kept: KeptPositions | undefined;

  constructor(index: PackIndex, ranks: Ranks, entriesEnd: number, kept?: KeptPositions) {
    this.index = index;
    this.kept = kept;
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
        const needsFile = objects > READING.sortedObjects && new SortedPositions(handle).get() === undefined;
        const rev = needsFile ? handle.readFile("rev", reverseIndexBytes(objects, format)) : undefined;
        await Promise.all([handle.loadIndex(), rev === undefined ? undefined : orFault(rev)]);
      }),
    );
}

/** What a reverse index is read with. */
type ReverseTools = Pick<ReadingTools, "format" | "hash" | "memory"> & {
  readonly pacer: Pacer;
  /** Is told that it can't be used. */
  readonly noteDamage: () => void;
};

/** Reads the bytes of a reverse index. @throws CorruptStore if they are not what was written for the pack. */
function ranksOf(bytes: Uint8Array, { checksum }: Pick<PackRecord, "checksum">, tools: ReverseTools): Ranks {
  assertSound(bytes, tools);
  const { rawSize } = tools.format;
  if (toHex(bytes.subarray(-2 * rawSize, -rawSize)) !== checksum) throw new CorruptStore("reverse index: another pack");
  return parseReverseIndex(bytes, tools.format);
}

/** Sorts the entries of an index. */
function sortedRanks(index: PackIndex): Ranks {
  const positions = Uint32Array.from({ length: index.count }, (_, position) => position);
  positions.sort((a, b) => index.offsetAt(a) - index.offsetAt(b));
  return { count: index.count, positionOf: (rank) => u32At(positions, rank) };
}

/** What is sorted: the entries of an index, by their offsets. */
type Offsets = Pick<PackIndex, "count" | "offsetAt">;

/**
 * As {@link sortedRanks}, of a pack of any size: it pauses in between. `sortNames`, by which some objects are put into the order of their pack, takes less
 * time and three times the memory: of five million entries 130 MB.
 */
async function sortedInTurns(index: Offsets, pacer: Pacer): Promise<Uint32Array<ArrayBuffer>> {
  const { count } = index;
  const compare = (a: number, b: number): number => index.offsetAt(a) - index.offsetAt(b);
  return await sortInTurns({ count, compare }, pacer);
}

/** Ranks that were sorted: see {@link sortedInTurns}. */
function ranksFrom(positions: Uint32Array): Ranks {
  return { count: positions.length, positionOf: (rank) => u32At(positions, rank) };
}

/** Ranks, and what counts of them until it is given back. */
type CountedRanks = {
  readonly ranks: Ranks;
  /** Where they were sorted: the positions of the entries. */
  readonly sorted?: Uint32Array<ArrayBuffer>;
  /** Gives back what is counted of them. */
  readonly free: () => void;
};

/**
 * Returns the ranks of a pack's entries from its reverse index. Where that is damaged or missing, the entries are sorted.
 *
 * @param bytes - The file, or what reading it failed with.
 * @returns The ranks, which count in the memory of the request until they are freed: the bytes of a file are the caller's, or the cache's.
 * @throws BucketUnavailable if it could not be read: that passes, and to sort a pack takes long.
 */
export async function ranksOrSorted(
  bytes: Uint8Array | BucketUnavailable | CorruptStore,
  { pack, index }: { readonly pack: Pick<PackRecord, "checksum">; readonly index: Offsets },
  tools: ReverseTools,
): Promise<CountedRanks> {
  try {
    if (bytes instanceof Error) throw bytes;
    return { ranks: ranksOf(bytes, pack, tools), free: () => undefined };
  } catch (error) {
    if (!(error instanceof CorruptStore)) throw error;
    tools.noteDamage();
    return await countedSort(index, tools);
  }
}

/** Sorts, and counts one list of positions for as long as they are used, and a second one for as long as they are sorted. */
async function countedSort(index: Offsets, { pacer, memory }: ReverseTools): Promise<CountedRanks> {
  const bytes = index.count * Uint32Array.BYTES_PER_ELEMENT;
  memory?.hold(2 * bytes);
  let left = 0;
  try {
    const sorted = await sortedInTurns(index, pacer);
    left = bytes;
    return { ranks: ranksFrom(sorted), sorted, free: () => memory?.hold(-bytes) };
  } finally {
    memory?.hold(left - 2 * bytes);
  }
}

/** Returns what reading a file gave, or the storage's fault. */
export async function orFault<T>(reading: Promise<T>): Promise<T | BucketUnavailable | CorruptStore> {
  try {
    return await reading;
  } catch (error) {
    if (isStorageFault(error)) return error;
    throw error;
  }
}

/** Reads what a pack's order takes: its index and, if it has more objects than are `sorted`, its `.rev`. */
export async function loadPackOrder(
  handle: PackHandle,
  format: ObjectFormat,
  sorted: number = READING.sortedObjects,
): Promise<PackOrder> {
  const entriesEnd = handle.record.packBytes - format.rawSize;
  if (handle.record.objects <= sorted) {
    const index = await handle.loadIndex();
    return new PackOrder(index, sortedRanks(index), entriesEnd);
  }
  const { record: pack, pacer, context } = handle;
  const kept = new SortedPositions(handle);
  const known = kept.get();
  if (known !== undefined)
    return new PackOrder(await handle.loadIndex(), ranksFrom(known.positions), entriesEnd, known);
  const [index, rev] = await Promise.all([
    handle.loadIndex(),
    orFault(handle.readFile("rev", reverseIndexBytes(handle.record.objects, format))),
  ]);
  const tools = { ...context, format, pacer, noteDamage: () => handle.noteDamage("rev") };
  const { ranks, sorted: made, free } = await ranksOrSorted(rev, { pack, index }, tools);
  const keeping = made === undefined ? undefined : kept.keep(made);
  free();
  return new PackOrder(index, ranks, entriesEnd, keeping);
}
