/**
 * Finds names in the index of a pack of which only the head is in memory. Names are hashes, so they lie evenly: the fan-out and the first bytes of a name tell
 * about where it lies. A few kilobytes around that place nearly always have it, however many objects the pack has.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { itemAt, u8At } from "../bytes/assert.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { findName, lowerBound, type IndexRange, type PackIndexHead } from "../format/pack-index.ts";
import { READING } from "./reading-policy.ts";

/** The steps charged to the pacer for finding a name, and for putting one to the others with its first byte. */
export const FIND_STEPS = 150;
const BUCKET_STEPS = 30;
/** The names that begin with the same byte are read together if they are no more than this. */
const FEW_NAMES = 1024;
/** Ranges begin and end at multiples of this many names, so that neighbours share what was read. */
const GRID = 256;
/**
 * Half of a range is this many times the square root of the number of names. A name's place is off from the guess by half of the square root
 * as a standard deviation, so four of these fit: one name of 16,000 lies outside.
 */
const ROOTS = 2;

/** An index that is read in ranges. */
export type IndexInRanges = {
  readonly head: PackIndexHead;
  readonly pacer: Pacer;
  /** Reads a range of the file. The bytes are shared. */
  read(range: IndexRange): Promise<Uint8Array>;
};

/** The names that are sought. */
export type SoughtNames = {
  readonly count: number;
  /** Returns the raw name with a number, as a view. */
  readonly nameOf: (i: number) => Uint8Array;
};

/** Positions `[first, last)` of an index. */
type Stretch = { readonly first: number; readonly last: number };

/** Returns the positions at which a name with the first byte of `all` likely lies. */
function likelyPlace({ first, last }: Stretch, name: Uint8Array): Stretch {
  const count = last - first;
  if (count <= FEW_NAMES) return { first, last };
  const share = ((u8At(name, 1) << 16) | (u8At(name, 2) << 8) | u8At(name, 3)) / 0x1_00_00_00;
  const place = first + share * count;
  const around = ROOTS * Math.sqrt(count);
  return {
    first: Math.max(first, Math.floor((place - around) / GRID) * GRID),
    last: Math.min(last, Math.ceil((place + around) / GRID) * GRID),
  };
}

/** The names with one first byte that are sought, by their numbers, and where they lie. */
type Bucket = Stretch & { likely: Stretch; readonly sought: number[] };

async function bucketsOf({ head, pacer }: IndexInRanges, { count, nameOf }: SoughtNames): Promise<Bucket[]> {
  const buckets = new Map<number, Bucket>();
  await pacer.forEach(count, BUCKET_STEPS, (i) => {
    const name = nameOf(i);
    const byte = u8At(name, 0);
    const [first, last] = head.bucketOf(name);
    const place = likelyPlace({ first, last }, name);
    const bucket = buckets.get(byte) ?? { first, last, likely: place, sought: [] };
    const { likely } = bucket;
    bucket.likely = { first: Math.min(likely.first, place.first), last: Math.max(likely.last, place.last) };
    bucket.sought.push(i);
    buckets.set(byte, bucket);
  });
  return [...buckets.values()].filter(({ first, last }) => first < last);
}

/** Whether a name that is not among those read may lie before or behind them, in the rest of its bucket. */
function mayLieBeside({ first, last, likely }: Bucket, table: Uint8Array, name: Uint8Array): boolean {
  const at = lowerBound(table, name);
  const isFirst = at === 0;
  const isBehind = at === Math.floor(table.length / name.length);
  return (isFirst && likely.first > first) || (isBehind && likely.last < last);
}

/**
 * Returns the position of each name, or -1. It makes one read for each first byte that the names have, and another one where a name lies
 * far from where it should.
 */
export async function findInRanges(index: IndexInRanges, names: SoughtNames): Promise<Int32Array<ArrayBuffer>> {
  const found = new Int32Array(names.count).fill(-1);
  const look = async (bucket: Bucket): Promise<void> => {
    const { first, last } = bucket.likely;
    const table = await index.read(index.head.namesRange(first, last));
    const beside: number[] = [];
    await index.pacer.forEach(bucket.sought.length, FIND_STEPS, (at) => {
      const i = itemAt(bucket.sought, at);
      const name = names.nameOf(i);
      const rank = findName(table, name);
      if (rank >= 0) found[i] = first + rank;
      else if (mayLieBeside(bucket, table, name)) beside.push(i);
    });
    if (beside.length > 0) await look({ first: bucket.first, last: bucket.last, likely: bucket, sought: beside });
  };
  const buckets = await bucketsOf(index, names);
  for (let next = 0; next < buckets.length; next += READING.readsAtOnce)
    await Promise.all(buckets.slice(next, next + READING.readsAtOnce).map(look));
  return found;
}
