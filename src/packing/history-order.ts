/**
 * The order of a pack's history, as its bitmaps tell it: commits and tags first, then trees, then blobs; of each kind, what the first
 * commit of the bitmaps reaches, then what the second one reaches beside that, and so on. The file has commits after those that they
 * reach. What one of them brings stays as it lay, and a base comes before its deltas.
 *
 * So no tree is opened. Between two commits that have a bitmap the order is not that of the history, but these are near to each other.
 *
 * @packageDocumentation
 */
import { i32At, u32At, u8At } from "../bytes/assert.ts";
import { type Bits, newBits } from "../bytes/bits.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { xorEwah } from "../format/ewah.ts";
import type { BitmapTable } from "../format/pack-bitmap.ts";

/** By type number: in which pass the objects of a type are written. */
const PASS_OF_TYPE: readonly number[] = [0, 0, 1, 2, 0];
const PASSES = 3;
/** Bits of a word of a set. */
const WORD_BITS = 32;
/** The steps charged to the pacer for a word of a set, and for an entry. */
const WORD_STEPS = 2;
const ENTRY_STEPS = 20;
/** Stands for no entry. */
const NONE = -1;

/** A pack whose order is asked for. Its entries are told by their ranks. */
export type HistoryInput = {
  readonly count: number;
  /** Returns the type number of an entry. */
  readonly typeAt: (rank: number) => number;
  /** By rank: the rank of the entry on which a delta builds by distance; -1 for none. */
  readonly bases: Int32Array;
  /** The file of the pack's bitmaps, and its table. */
  readonly bitmaps: Uint8Array;
  readonly table: BitmapTable;
  readonly pacer: Pacer;
};

/** Returns for each entry the number of the first commit that reaches it, in the order of the file. */
async function firstReached({ count, bitmaps, table, pacer }: HistoryInput): Promise<Uint32Array<ArrayBuffer>> {
  const firsts = new Uint32Array(count).fill(table.count);
  const seen = newBits(count);
  const rows = Array.from({ length: table.count }, (_, row) => row);
  rows.sort((a, b) => table.rangeOf(a).offset - table.rangeOf(b).offset);
  for (const [number, row] of rows.entries()) {
    const bits = newBits(count);
    const chain = table.chainOf(row);
    for (const each of chain) xorEwah(table.ewahOf(each, bitmaps.subarray(table.rangeOf(each).offset)), 0, bits);
    noteFirst(bits, seen, (rank) => {
      firsts[rank] = number;
    });
    freeMemory(bits);
    pacer.add((chain.length + 1) * seen.length * WORD_STEPS);
    if (pacer.isDue) await pacer.pace();
  }
  return firsts;
}

/** Calls `visit` for each number of a set that was not seen before. */
function noteFirst(bits: Bits, seen: Bits, visit: (number: number) => void): void {
  for (let word = 0; word < bits.length; word++) {
    const before = u32At(seen, word);
    let fresh = (u32At(bits, word) & ~before) >>> 0;
    if (fresh === 0) continue;
    seen[word] = before | fresh;
    for (; fresh !== 0; fresh = (fresh & (fresh - 1)) >>> 0)
      visit(word * WORD_BITS + WORD_BITS - 1 - Math.clz32(fresh & -fresh));
  }
}

/** Returns the ranks sorted by their pass and by the commit that brings them; what is alike stays in its order. */
async function sortedRanks(input: HistoryInput): Promise<Uint32Array<ArrayBuffer>> {
  const { count, typeAt, table, pacer } = input;
  const keys = await firstReached(input);
  const perPass = table.count + 1;
  const ends = new Uint32Array(PASSES * perPass + 1);
  await pacer.forEach(count, ENTRY_STEPS, (rank) => {
    const pass = PASS_OF_TYPE[typeAt(rank)] ?? 0; // Every type has a pass.
    const key = pass * perPass + u32At(keys, rank);
    keys[rank] = key;
    ends[key + 1] = u32At(ends, key + 1) + 1;
  });
  for (let key = 1; key < ends.length; key++) ends[key] = u32At(ends, key) + u32At(ends, key - 1);
  const sorted = new Uint32Array(count);
  for (let rank = 0; rank < count; rank++) {
    const key = u32At(keys, rank);
    const at = u32At(ends, key);
    sorted[at] = rank;
    ends[key] = at + 1;
  }
  freeMemory(keys);
  return sorted;
}

/** Returns the ranks of a pack's entries in the order of its history. */
export async function historyOrder(input: HistoryInput): Promise<Uint32Array<ArrayBuffer>> {
  const { count, bases, pacer } = input;
  const sorted = await sortedRanks(input);
  const order = new Uint32Array(count);
  const isPlaced = new Uint8Array(count);
  const chain: number[] = [];
  let placed = 0;
  await pacer.forEach(count, ENTRY_STEPS, (at) => {
    for (let rank = u32At(sorted, at); rank !== NONE && u8At(isPlaced, rank) === 0; rank = i32At(bases, rank)) {
      chain.push(rank);
      isPlaced[rank] = 1;
    }
    for (let rank = chain.pop(); rank !== undefined; rank = chain.pop()) order[placed++] = rank;
  });
  freeMemory(sorted);
  freeMemory(isPlaced);
  return order;
}
