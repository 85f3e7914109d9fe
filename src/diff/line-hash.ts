/**
 * The hash of lines, and what it takes to look for a line by it. Strangers choose the lines, so the hash depends on numbers
 * that each isolate draws at random: without them nobody can make many lines of one hash.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";

/** Returns the hash of the bytes from `start` to `end`, a number of 32 bits. */
export type LineHash = (bytes: Uint8Array, start: number, end: number) => number;

/** The steps of looking at one slot of a table of hashes. */
export const PROBE_STEPS = 2;
/** The steps of comparing one byte of two lines. */
export const SAME_BYTE_STEPS = 0.2;
/** The steps after which a search for lines lets its caller know, at most those of one line more. */
export const TURN_STEPS = 100_000;

const WORD = 4;
const HALF = 16;

/** Makes the hash of two odd numbers and a start, each of 32 bits. */
export function lineHash(one: number, two: number, from: number): LineHash {
  // The sum of two products, one of them of the word with its halves exchanged: each bit of a word changes bits of the
  // result that depend on the numbers. With one product alone, the highest bit would change the highest bit only.
  const mixed = (word: number): number => Math.imul(word, one) ^ Math.imul((word << HALF) | (word >>> HALF), two);
  return (bytes, start, end) => {
    let hash = from;
    let at = start;
    for (const last = end - WORD; at <= last; at += WORD) {
      const [low, high] = [
        u8At(bytes, at) | (u8At(bytes, at + 1) << 8),
        u8At(bytes, at + 2) | (u8At(bytes, at + 3) << 8),
      ];
      hash = mixed(hash ^ low ^ (high << HALF));
    }
    let rest = 0;
    for (; at < end; at++) rest = (rest << 8) | u8At(bytes, at);
    hash = mixed(hash ^ rest) ^ (end - start);
    hash = Math.imul(hash ^ (hash >>> HALF), one);
    hash = Math.imul(hash ^ (hash >>> 15), two);
    return (hash ^ (hash >>> HALF)) >>> 0;
  };
}

let drawn: LineHash | undefined;

/** Returns the hash of this isolate. Its numbers are drawn at the first call: none can be drawn while a Worker starts. */
export function isolateHash(): LineHash {
  if (drawn === undefined) {
    const numbers = crypto.getRandomValues(new Uint32Array(3));
    drawn = lineHash(u32At(numbers, 0) | 1, u32At(numbers, 1) | 1, u32At(numbers, 2));
  }
  return drawn;
}
