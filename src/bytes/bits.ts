/**
 * Sets of numbers below a bound, one bit for each number. Bit `i` is bit `i % 32` of word `i / 32`. The number of words
 * is even, since files have words of 64 bits.
 *
 * @packageDocumentation
 */
import { u32At } from "./assert.ts";

/** A set of numbers. */
export type Bits = Uint32Array<ArrayBuffer>;

/** Returns the empty set, with room for the numbers below `count`. */
export function newBits(count: number): Bits {
  return new Uint32Array(2 * Math.ceil(count / 64));
}

/** Whether a number is in the set. Numbers beyond its room are not. */
export function hasBit(bits: Bits, number: number): boolean {
  const word = bits[number >>> 5];
  return word !== undefined && ((word >>> (number & 31)) & 1) === 1;
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
