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
import { u8At } from "../bytes/assert.ts";

const FULL_COPY = 0x10000;
const MAX_INSERT = 127;
/** The least number of matching bytes for which a copy is written. */
const BLOCK = 16;
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

  /** Inserts bytes. */
  insert(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_INSERT) {
      const part = bytes.subarray(at, at + MAX_INSERT);
      this.#push(part.length);
      for (const byte of part) this.#push(byte);
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
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
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

function indexBlocks(base: Uint8Array): Map<number, number> {
  const blocks = new Map<number, number>();
  for (let at = 0; at + BLOCK <= base.length; at += BLOCK) {
    const hash = hashBlock(base, at);
    if (!blocks.has(hash)) blocks.set(hash, at);
  }
  return blocks;
}

function matchLength(base: Uint8Array, baseAt: number, target: Uint8Array, targetAt: number): number {
  const limit = Math.min(base.length - baseAt, target.length - targetAt);
  let length = 0;
  while (length < limit && base[baseAt + length] === target[targetAt + length]) length++;
  return length;
}

/**
 * Makes a delta from `base` to `target`. It is valid and usually small, but not the smallest. A base has at most 4 GiB,
 * since a copy's offset has 32 bits.
 */
export function createDelta(base: Uint8Array, target: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = indexBlocks(base);
  const writer = new DeltaWriter();
  writer.size(base.length);
  writer.size(target.length);
  let pending = 0;
  let at = 0;
  let hash: number | undefined;
  while (at + BLOCK <= target.length) {
    hash ??= hashBlock(target, at);
    const found = blocks.get(hash);
    const length = found === undefined ? 0 : matchLength(base, found, target, at);
    if (found === undefined || length < BLOCK) {
      hash = at + BLOCK < target.length ? rolled(hash, target, at) : undefined;
      at++;
      continue;
    }
    hash = undefined;
    let back = 0;
    while (back < at - pending && back < found && base[found - back - 1] === target[at - back - 1]) back++;
    writer.insert(target.subarray(pending, at - back));
    writer.copy(found - back, length + back);
    at += length;
    pending = at;
  }
  writer.insert(target.subarray(pending));
  return writer.bytes();
}
