/**
 * Sets of numbers below a bound, one bit for each number. Bit `i` is bit `i % 32` of word `i / 32`. The number of words
 * is even, since files have words of 64 bits.
 *
 * @packageDocumentation
 */
import { u32At } from "./assert.ts";

/** A set of numbers. */
export type Bits = Uint32Array<ArrayBuffer>;

/** The numbers of a word. */
const WORD_BITS = 32;

/** Returns the empty set, with room for the numbers below `count`. */
export function newBits(count: number): Bits {
  return new Uint32Array(2 * Math.ceil(count / 64));
}

/** Whether a number is in the set. Numbers beyond its room are not. */
export function hasBit(bits: Bits, number: number): boolean {
  const word = bits[number >>> 5];
  return word !== undefined && ((word >>> (number & 31)) & 1) === 1;
}

/** Whether the set has `count` or a greater number. */
export function hasBitFrom(bits: Bits, count: number): boolean {
  const first = count >>> 5;
  return bits.subarray(first).some((word, at) => (at === 0 ? word >>> (count & 31) : word) !== 0);
}

/** Adds a number, for which there is room. Returns whether it was new. */
export function addBit(bits: Bits, number: number): boolean {
  const word = u32At(bits, number >>> 5);
  const bit = 1 << (number & 31);
  if ((word & bit) !== 0) return false;
  bits[number >>> 5] = word | bit;
  return true;
}

/** Adds all numbers of another set of the same room. */
export function addBits(bits: Bits, other: Bits): void {
  for (let at = 0; at < bits.length; at++) bits[at] = u32At(bits, at) | u32At(other, at);
}

/** Takes out of a set all that is not in another set of the same room. */
export function keepBits(bits: Bits, other: Bits): void {
  for (let at = 0; at < bits.length; at++) bits[at] = u32At(bits, at) & u32At(other, at);
}

/** Returns how many numbers are in a set. */
export function countBits(bits: Bits): number {
  let count = 0;
  for (let at = 0; at < bits.length; at++) {
    let word = u32At(bits, at);
    word -= (word >>> 1) & 0x5555_5555;
    word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return count;
}

/** Returns the numbers in a set, ascending. The list is outside V8's heap. */
export function numbersIn(bits: Bits): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(countBits(bits));
  let next = 0;
  for (let at = 0; at < bits.length; at++) {
    for (let word = u32At(bits, at); word !== 0; word &= word - 1) {
      numbers[next++] = at * WORD_BITS + WORD_BITS - 1 - Math.clz32(word & -word);
    }
  }
  return numbers;
}
