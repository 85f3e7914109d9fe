/**
 * Makes deltas: an object as copies from a base object and inserted bytes.
 *
 * ```
 * size of the base · size of the result       7 bits per byte, lowest first
 * 1xxxxxxx  copy: bits 0–3 say which bytes of the offset follow, 4–6 which of the length; length 0 is 65,536
 * 0xxxxxxx  insert the next 1…127 bytes
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { i32At, present, u8At } from "../bytes/assert.ts";

const FULL_COPY = 0x10000;
const MAX_INSERT = 127;
/** The least number of matching bytes for which a copy is written. */
const BLOCK = 16;
/** The most places with one hash that are looked at: content that repeats itself has very many. */
const MOST_PLACES = 12;
/**
 * After this many looks for each byte of a target, one place is looked at for each hash: content can be made whose hashes all
 * meet.
 */
const LOOKS_PER_BYTE = 2;
/** A match of this many bytes is taken without a look at the other places. */
const LONG_MATCH = 4096;
const LEAST_TABLE_BITS = 4;
const MOST_TABLE_BITS = 20;
/** Spreads the bits of a hash: half of 2^32 divided by the golden ratio, made odd. */
const SPREADING = 0x9e37_79b1;
/** The factor of the hash of a block, and its power by which the first byte of a block counts. */
const FACTOR = 31;
let leaving = 1;
for (let i = 1; i < BLOCK; i++) leaving = Math.imul(leaving, FACTOR);
const LEAVING = leaving;

/** Encodes the sizes of base and result, in this order, and then the operations of a new delta. */
export class DeltaWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Writes a size. */
  size(size: number): void {
    let rest = size;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#push((rest % 128) | 0x80);
    this.#push(rest);
  }

  /** The bytes that were written so far. */
  get length(): number {
    return this.#length;
  }

  /** Inserts bytes. */
  insert(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_INSERT) {
      const part = bytes.subarray(at, at + MAX_INSERT);
      this.#push(part.length);
      this.#makeRoom(part.length);
      this.#bytes.set(part, this.#length);
      this.#length += part.length;
    }
  }

  /** Copies a part of the base. */
  copy(offset: number, length: number): void {
    for (let done = 0; done < length; done += FULL_COPY)
      this.#copyOnce(offset + done, Math.min(FULL_COPY, length - done));
  }

  /** Returns what was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #copyOnce(offset: number, length: number): void {
    const codeAt = this.#length;
    let code = 0x80;
    this.#push(code);
    for (let bit = 0; bit < 4; bit++) {
      const byte = Math.floor(offset / 256 ** bit) % 256;
      if (byte === 0) continue;
      code |= 0x01 << bit;
      this.#push(byte);
    }
    // Only two bytes of length are written: 0 stands for 65,536, which is the longest copy that every reader knows.
    for (let bit = 0; bit < 2; bit++) {
      const byte = (length >> (8 * bit)) & 0xff;
      if (byte === 0) continue;
      code |= 0x10 << bit;
      this.#push(byte);
    }
    this.#bytes[codeAt] = code;
  }

  #push(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length++] = byte;
  }

  #makeRoom(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function hashBlock(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < BLOCK; i++) hash = (Math.imul(hash, FACTOR) + u8At(bytes, at + i)) | 0;
  return hash;
}

/** Returns the hash of the block one byte further than the one at `at`, whose hash is `hash`. */
function rolled(hash: number, bytes: Uint8Array, at: number): number {
  return (Math.imul(hash - Math.imul(u8At(bytes, at), LEAVING), FACTOR) + u8At(bytes, at + BLOCK)) | 0;
}

function matchLength(base: Uint8Array, baseAt: number, target: Uint8Array, targetAt: number): number {
  const limit = Math.min(base.length - baseAt, target.length - targetAt);
  let length = 0;
  while (length < limit && base[baseAt + length] === target[targetAt + length]) length++;
  return length;
}

/**
 * A base, with a table of where its blocks lie, so that deltas to many targets can be made of it. A base has at most
 * 4 GiB, since a copy's offset has 32 bits.
 */
export class DeltaBase {
  readonly bytes: Uint8Array;
  readonly #shift: number;
  /** By hash: the number of the first block that has it, plus one. */
  readonly #first: Int32Array;
  /** By block: the next one with the same place in the table, plus one. */
  readonly #next: Int32Array;
  /** The looks that are left for the present target. */
  #looks = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const blocks = Math.floor(bytes.length / BLOCK);
    const bits = Math.min(Math.max(32 - Math.clz32(blocks), LEAST_TABLE_BITS), MOST_TABLE_BITS);
    this.#shift = 32 - bits;
    this.#first = new Int32Array(1 << bits);
    this.#next = new Int32Array(blocks);
    // From the end to the beginning, so that the first of several equal blocks is found first.
    for (let block = blocks - 1; block >= 0; block--) {
      const place = this.#placeOf(hashBlock(bytes, block * BLOCK));
      this.#next[block] = i32At(this.#first, place);
      this.#first[place] = block + 1;
    }
  }

  #placeOf(hash: number): number {
    return Math.imul(hash, SPREADING) >>> this.#shift;
  }

  /** Finds the longest match for the target's bytes at `at`, whose block has this hash; a length of 0 if there is none. */
  #longestMatch(target: Uint8Array, at: number, hash: number): { from: number; length: number } {
    let from = 0;
    let length = 0;
    let block = i32At(this.#first, this.#placeOf(hash)) - 1;
    const places = this.#looks > 0 ? MOST_PLACES : 1;
    for (let looked = 0; block >= 0 && looked < places && length < LONG_MATCH; looked++, this.#looks--) {
      const matched = matchLength(this.bytes, block * BLOCK, target, at);
      if (matched >= BLOCK && matched > length) [from, length] = [block * BLOCK, matched];
      block = i32At(this.#next, block) - 1;
    }
    return { from, length };
  }

  /**
   * Makes a delta to `target`; `undefined` if it would have more than `most` bytes. It is valid and usually small, but
   * not the smallest.
   */
  deltaTo(target: Uint8Array, most = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer> | undefined {
    const { bytes } = this;
    this.#looks = LOOKS_PER_BYTE * target.length;
    const writer = new DeltaWriter();
    writer.size(bytes.length);
    writer.size(target.length);
    let pending = 0;
    let at = 0;
    let hash: number | undefined;
    while (at + BLOCK <= target.length) {
      if (writer.length + at - pending > most) return undefined;
      hash ??= hashBlock(target, at);
      const { from, length } = this.#longestMatch(target, at, hash);
      if (length === 0) {
        hash = at + BLOCK < target.length ? rolled(hash, target, at) : undefined;
        at++;
        continue;
      }
      hash = undefined;
      let back = 0;
      while (back < at - pending && back < from && bytes[from - back - 1] === target[at - back - 1]) back++;
      writer.insert(target.subarray(pending, at - back));
      writer.copy(from - back, length + back);
      at += length;
      pending = at;
    }
    writer.insert(target.subarray(pending));
    return writer.length > most ? undefined : writer.bytes();
  }
}

/** Makes a delta from `base` to `target`: see {@link DeltaBase}. */
export function createDelta(base: Uint8Array, target: Uint8Array): Uint8Array<ArrayBuffer> {
  return present(new DeltaBase(base).deltaTo(target), "a delta without a bound");
}
