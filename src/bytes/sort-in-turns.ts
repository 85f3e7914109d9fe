/**
 * Sorts very many things with pauses, since others decide how many they are, and what comparing two of them costs.
 *
 * @packageDocumentation
 */
import { u32At } from "./assert.ts";
import type { Pacer } from "./pacer.ts";

/** The things that are sorted, by their numbers from 0 to `count - 1`. */
export type Sorting = {
  readonly count: number;
  /** Returns a negative number if `a` comes before `b`, and 0 if neither does: then they keep their order. */
  readonly compare: (a: number, b: number) => number;
  /** The steps of comparing a thing with another one. Absent where it is little work, as with numbers. */
  readonly stepsOf?: (index: number) => number;
};

/** Things that are sorted in one piece: where comparing is little work, and elsewhere. */
const CHEAP_PIECE = 4096;
const COSTLY_PIECE = 64;
/** The comparisons of a thing in such a piece. */
const CHEAP_DEPTH = Math.log2(CHEAP_PIECE);
const COSTLY_DEPTH = Math.log2(COSTLY_PIECE);
/** The steps of a thing beside comparing it, and of comparing it where that is little work. */
const MOVE_STEPS = 1;
const CHEAP_STEPS = 4;

/** Merges each two neighbours of the sorted pieces of `from`, which are `width` long, into `to`. It yields the steps of each thing. */
function* merged(
  { compare, stepsOf = () => CHEAP_STEPS }: Sorting,
  [from, to]: readonly [Uint32Array, Uint32Array],
  width: number,
): Generator<number, undefined> {
  for (let start = 0; start < from.length; start += 2 * width) {
    const middle = Math.min(start + width, from.length);
    const end = Math.min(start + 2 * width, from.length);
    let [left, right] = [start, middle];
    for (let at = start; at < end; at++) {
      const isLeft = right >= end || (left < middle && compare(u32At(from, left), u32At(from, right)) <= 0);
      const next = u32At(from, isLeft ? left++ : right++);
      to[at] = next;
      yield MOVE_STEPS + stepsOf(next);
    }
  }
}

/** Sorts the pieces of `order`, which are `width` long, each by itself. It yields the steps of each. */
function* sortedPieces({ compare, stepsOf }: Sorting, order: Uint32Array, width: number): Generator<number, undefined> {
  for (let start = 0; start < order.length; start += width) {
    const piece = order.subarray(start, start + width);
    const steps =
      stepsOf === undefined
        ? piece.length * CHEAP_STEPS * CHEAP_DEPTH
        : piece.reduce((sum, index) => sum + stepsOf(index), 0) * COSTLY_DEPTH;
    piece.sort((a, b) => compare(a, b) || a - b);
    yield steps + piece.length * MOVE_STEPS;
  }
}

/**
 * Returns the numbers of the things in their order. It takes 8 bytes of memory for each while it runs. What is compared
 * must not change meanwhile.
 */
export async function sortInTurns(sorting: Sorting, pacer: Pacer): Promise<Uint32Array<ArrayBuffer>> {
  const width = sorting.stepsOf === undefined ? CHEAP_PIECE : COSTLY_PIECE;
  let from = new Uint32Array(sorting.count);
  for (let index = 0; index < from.length; index++) from[index] = index;
  await pacer.finish(sortedPieces(sorting, from, width));
  let to = new Uint32Array(from.length);
  for (let wide = width; wide < from.length; wide *= 2) {
    await pacer.finish(merged(sorting, [from, to], wide));
    [from, to] = [to, from];
  }
  return from;
}
