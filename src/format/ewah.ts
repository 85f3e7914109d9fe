/**
 * Compressed bitmaps, as git stores them: EWAH. Runs of equal words are counted, and the other words are kept as they
 * are. A bitmap is a sequence of *markers*, each with the words that follow it:
 *
 * ```
 * 0   u32, the number of bits · u32, the number of words of 64 bits that follow
 * 8   words: a marker, then its literal words, then the next marker …
 * …   u32, the number of the word that is the last marker
 *
 * marker: bit 0       the bit that all words of the run consist of
 *         bits 1–32   the number of words in the run
 *         bits 33–63  the number of literal words after the marker
 * ```
 *
 * Numbers are big-endian. Bit `i` of a bitmap is bit `i % 64` of word `i / 64`, counted from the lowest.
 *
 * @packageDocumentation
 * @see gitformat-bitmap(5), "Appendix A: Serialization format for an EWAH bitmap"
 */
import { u32At } from "../bytes/assert.ts";
import type { Bits } from "../bytes/bits.ts";
import { CorruptStore } from "../bytes/failure.ts";

const HEADER_BYTES = 8;
const WORD_BYTES = 8;
const TRAILER_BYTES = 4;
const ALL_ONES = 0xffff_ffff;
/** The factor of a marker's bit 32 in the length of its run. */
const HIGHEST = 2 ** 31;

/** A bitmap that may be the exclusive or of two sets. */
type Words = { readonly bits: Bits; readonly other: Bits | undefined; readonly count: number };

/** Returns the low (`half` 0) or the high half of a word of 64 bits. */
function halfAt({ bits, other }: Words, word: number, half: 0 | 1): number {
  const at = 2 * word + half;
  return (u32At(bits, at) ^ (other === undefined ? 0 : u32At(other, at))) >>> 0;
}

/** Returns the words up to the last that is not zero. */
function wordsOf(bits: Bits, other: Bits | undefined): Words {
  const all: Words = { bits, other, count: bits.length / 2 };
  let { count } = all;
  while (count > 0 && halfAt(all, count - 1, 0) === 0 && halfAt(all, count - 1, 1) === 0) count--;
  return { ...all, count };
}

/** Returns the bit that a word consists of; `undefined` if it is literal. */
function runBit(words: Words, word: number): 0 | 1 | undefined {
  const low = halfAt(words, word, 0);
  if (low !== halfAt(words, word, 1)) return undefined;
  if (low === 0) return 0;
  return low === ALL_ONES ? 1 : undefined;
}

/** A marker, and where its literal words begin. */
type Stretch = { readonly bit: 0 | 1; readonly run: number; readonly literals: number; readonly literalsAt: number };

/** Yields a bitmap's markers. */
function* stretches(words: Words): Generator<Stretch> {
  for (let word = 0; word < words.count;) {
    const begin = word;
    // Before a literal word, the run has no words, whatever its bit.
    const bit = runBit(words, word) ?? 0;
    while (word < words.count && runBit(words, word) === bit) word++;
    const literalsAt = word;
    while (word < words.count && runBit(words, word) === undefined) word++;
    yield { bit, run: literalsAt - begin, literals: word - literalsAt, literalsAt };
  }
}

/** Returns the bytes of the encoded bitmap. With `other`, the bitmap is the exclusive or of both sets. */
export function ewahBytes(bits: Bits, other?: Bits): number {
  const words = wordsOf(bits, other);
  let count = 0;
  for (const { literals } of stretches(words)) count += 1 + literals;
  return HEADER_BYTES + Math.max(1, count) * WORD_BYTES + TRAILER_BYTES;
}

/** Encodes a bitmap. With `other`, it is the exclusive or of both sets. */
export function encodeEwah(bits: Bits, other?: Bits): Uint8Array<ArrayBuffer> {
  const words = wordsOf(bits, other);
  const bytes = new Uint8Array(ewahBytes(bits, other));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, words.count * 64);
  view.setUint32(4, (bytes.length - HEADER_BYTES - TRAILER_BYTES) / WORD_BYTES);
  let at = HEADER_BYTES;
  let last = HEADER_BYTES;
  for (const { bit, run, literals, literalsAt } of stretches(words)) {
    last = at;
    view.setUint32(at, 2 * literals);
    view.setUint32(at + 4, 2 * run + bit);
    at += WORD_BYTES;
    for (let word = literalsAt; word < literalsAt + literals; word++, at += WORD_BYTES) {
      view.setUint32(at, halfAt(words, word, 1));
      view.setUint32(at + 4, halfAt(words, word, 0));
    }
  }
  view.setUint32(bytes.length - TRAILER_BYTES, (last - HEADER_BYTES) / WORD_BYTES);
  return bytes;
}

/** Returns the most bytes that a bitmap of `count` bits is encoded in: a marker before each word. */
export function mostEwahBytes(count: number): number {
  return HEADER_BYTES + 2 * Math.max(1, Math.ceil(count / 64)) * WORD_BYTES + TRAILER_BYTES;
}

function corrupt(why: string): never {
  throw new CorruptStore(`bitmap: ${why}`);
}

/** Returns the offset at which the bitmap that begins at `at` ends. @throws CorruptStore */
export function ewahEnd(bytes: Uint8Array, at: number): number {
  if (at + HEADER_BYTES > bytes.length) corrupt("cut short");
  const words = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 4);
  const end = at + HEADER_BYTES + words * WORD_BYTES + TRAILER_BYTES;
  if (end > bytes.length) corrupt("cut short");
  return end;
}

/**
 * Changes `into` to the exclusive or of itself and the bitmap that begins at `at`. An empty set so becomes the bitmap.
 *
 * @throws CorruptStore if the bitmap is malformed, or has numbers beyond the room of `into`.
 */
export function xorEwah(bytes: Uint8Array, at: number, into: Bits): void {
  const end = ewahEnd(bytes, at) - TRAILER_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let word = 0;
  for (let marker = at + HEADER_BYTES; marker < end;) {
    const high = view.getUint32(marker);
    const low = view.getUint32(marker + 4);
    const runEnd = word + (low >>> 1) + (high & 1) * HIGHEST;
    if ((low & 1) === 1) flip(into, 2 * word, 2 * runEnd);
    word = runEnd;
    marker += WORD_BYTES;
    const literalsEnd = marker + (high >>> 1) * WORD_BYTES;
    if (literalsEnd > end) corrupt("a marker tells of more words than follow");
    for (; marker < literalsEnd; marker += WORD_BYTES, word++) {
      flipWord(into, 2 * word, view.getUint32(marker + 4));
      flipWord(into, 2 * word + 1, view.getUint32(marker));
    }
  }
}

function flip(bits: Bits, from: number, to: number): void {
  if (to > bits.length) corrupt("a bit for no object");
  for (let at = from; at < to; at++) bits[at] = u32At(bits, at) ^ ALL_ONES;
}

function flipWord(bits: Bits, at: number, word: number): void {
  const before = bits[at];
  if (before === undefined) {
    if (word !== 0) corrupt("a bit for no object");
    return;
  }
  bits[at] = before ^ word;
}
