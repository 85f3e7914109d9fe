/**
 * Estimates how much of a file is in another: the share of its bytes that lie in chunks which both have. A chunk is a
 * line, or 64 bytes of a longer one. It is known by a number only, so that the estimate is quick and may be off a little.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"
 */
import { u32At, u8At } from "../bytes/assert.ts";

/** The chunks of a file: their numbers in order, and the bytes that each has in the file. */
export type Chunks = { readonly numbers: Uint32Array; readonly sizes: Uint32Array };

/** The score of equal files. */
export const MOST_SCORE = 60_000;

/** The bytes that {@link Chunks} take for each chunk. */
export const CHUNK_BYTES = 8;

const LONGEST_CHUNK = 64;
/** Chunks have numbers below this prime. */
const NUMBERS = 107_927;
const FEED = 10;
const RETURN = 13;

/** Returns the chunks of a file. In a text, a carriage return before a line feed does not count. */
export function chunksOf(bytes: Uint8Array, isText: boolean): Chunks {
  const sizes = new Map<number, number>();
  let [low, high, length] = [0, 0, 0];
  const end = (): void => {
    const number = ((low + Math.imul(high, 0x61)) >>> 0) % NUMBERS;
    sizes.set(number, (sizes.get(number) ?? 0) + length); // A chunk that is new has no bytes yet.
    [low, high, length] = [0, 0, 0];
  };
  for (let at = 0; at < bytes.length; at++) {
    const byte = u8At(bytes, at);
    if (isText && byte === RETURN && bytes[at + 1] === FEED) continue;
    const carried = low >>> 25;
    low = (((low << 7) ^ (high >>> 25)) + byte) | 0;
    high = (high << 7) ^ carried;
    if (++length === LONGEST_CHUNK || byte === FEED) end();
  }
  if (length > 0) end();
  const numbers = Uint32Array.from(sizes.keys()).sort();
  return { numbers, sizes: numbers.map((number) => sizes.get(number) ?? 0) }; // Each number is a key.
}

/** Returns the bytes of the first file's chunks that the second one has, too. */
function commonBytes(one: Chunks, two: Chunks): number {
  let [common, left, right] = [0, 0, 0];
  while (left < one.numbers.length && right < two.numbers.length) {
    const order = u32At(one.numbers, left) - u32At(two.numbers, right);
    if (order === 0) common += Math.min(u32At(one.sizes, left), u32At(two.sizes, right));
    if (order <= 0) left++;
    if (order >= 0) right++;
  }
  return common;
}

/** Whether files of these sizes can be as similar as `least`, a score. */
export function canBeSimilar(one: number, two: number, least: number): boolean {
  const [smaller, larger] = one < two ? [one, two] : [two, one];
  return smaller > 0 && larger * (MOST_SCORE - least) >= (larger - smaller) * MOST_SCORE;
}

/** Returns the score of two files of these sizes by their chunks: {@link MOST_SCORE} if all of the larger is common. */
export function similarity(one: Chunks, two: Chunks, largerSize: number): number {
  return Math.floor((commonBytes(one, two) * MOST_SCORE) / largerSize);
}
