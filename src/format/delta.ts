/**
 * Deltas between two objects: what a pack stores of an object whose base it also has.
 *
 * ```
 * size of the base · size of the result       7 bits a byte, lowest first
 * 1xxxxxxx  copy: bits 0–3 say which bytes of the offset follow, 4–6 which of the length; length 0 is 65,536
 * 0xxxxxxx  insert the next 1…127 bytes
 * 00000000  reserved
 * ```
 *
 * The kernel applies deltas where speed counts; this is the readable twin it is held to, and serves small uses.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";

const FULL_COPY = 0x10000;
const MAX_INSERT = 127;
/** Bytes that must match before a copy is worth its opcode. */
const BLOCK = 16;

function refuse(): never {
  throw new ObjectRejected("failed to apply delta");
}

/**
 * Reads a delta operation by operation. The fields describe the operation that {@link DeltaReader.next} just read; one
 * instance serves one delta.
 *
 * @example
 * const reader = new DeltaReader(delta);
 * for (let op = reader.next(); op !== "end"; op = reader.next()) {
 *   // "copy": base[offset, offset + length) · "insert": delta[start, start + length)
 * }
 */
export class DeltaReader {
  /** Bytes of the base that the delta was made for. */
  readonly baseSize: number;
  /** Bytes that applying the delta gives. */
  readonly resultSize: number;
  /** Of a copy: where in the base it begins. */
  offset = 0;
  /** Bytes that the operation gives. */
  length = 0;
  /** Of an insert: where in the delta its bytes begin. */
  start = 0;
  readonly #delta: Uint8Array;
  #at = 0;

  /** @throws ObjectRejected where the sizes are cut short or past 2^53. */
  constructor(delta: Uint8Array) {
    this.#delta = delta;
    this.baseSize = this.#size();
    this.resultSize = this.#size();
  }

  /** Reads the next operation. @throws ObjectRejected for a cut operation or the reserved one. */
  next(): "copy" | "insert" | "end" {
    if (this.#at >= this.#delta.length) return "end";
    const code = this.#byte();
    if (code === 0) refuse();
    if (code & 0x80) {
      let offset = 0;
      if (code & 0x01) offset += this.#byte();
      if (code & 0x02) offset += this.#byte() * 0x100;
      if (code & 0x04) offset += this.#byte() * 0x10000;
      if (code & 0x08) offset += this.#byte() * 0x1000000;
      let length = 0;
      if (code & 0x10) length += this.#byte();
      if (code & 0x20) length += this.#byte() * 0x100;
      if (code & 0x40) length += this.#byte() * 0x10000;
      this.offset = offset;
      this.length = length === 0 ? FULL_COPY : length;
      return "copy";
    }
    this.start = this.#at;
    this.length = code;
    this.#at += code;
    if (this.#at > this.#delta.length) refuse();
    return "insert";
  }

  #byte(): number {
    const byte = this.#delta[this.#at++];
    return byte === undefined ? refuse() : byte;
  }

  #size(): number {
    let size = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      size += (byte & 0x7f) * scale;
      scale *= 128;
      if (size > Number.MAX_SAFE_INTEGER) refuse();
      if (!(byte & 0x80)) return size;
    }
  }
}

/** Gives the two sizes at the start of a delta. @throws ObjectRejected where they are cut short or past 2^53. */
export function deltaSizes(delta: Uint8Array): { readonly baseSize: number; readonly resultSize: number } {
  const { baseSize, resultSize } = new DeltaReader(delta);
  return { baseSize, resultSize };
}

/** Gives the bytes that a delta's operations give: what it says may be more than there is memory for. */
function lengthOf(delta: Uint8Array): number {
  const reader = new DeltaReader(delta);
  let length = 0;
  while (reader.next() !== "end") length += reader.length;
  return length;
}

/**
 * Applies a delta; the result is the caller's.
 *
 * @throws ObjectRejected where the delta is malformed, was made for a base of another size, reaches outside it or gives
 *   another size than it says: git refuses all of these as "failed to apply delta".
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = new DeltaReader(delta);
  if (reader.baseSize !== base.length || reader.resultSize !== lengthOf(delta)) refuse();
  const result = new Uint8Array(reader.resultSize);
  let at = 0;
  for (let op = reader.next(); op !== "end"; op = reader.next()) {
    const { length } = reader;
    if (length > result.length - at) refuse();
    if (op === "copy") {
      if (reader.offset + length > base.length) refuse();
      result.set(base.subarray(reader.offset, reader.offset + length), at);
    } else {
      result.set(delta.subarray(reader.start, reader.start + length), at);
    }
    at += length;
  }
  if (at !== result.length) refuse();
  return result;
}

/** Collects the operations of a delta that is being made. */
class DeltaWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  size(size: number): void {
    let rest = size;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#push((rest % 128) | 0x80);
    this.#push(rest);
  }

  insert(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_INSERT) {
      const part = bytes.subarray(at, at + MAX_INSERT);
      this.#push(part.length);
      for (const byte of part) this.#push(byte);
    }
  }

  copy(offset: number, length: number): void {
    for (let done = 0; done < length; done += FULL_COPY)
      this.#copyOnce(offset + done, Math.min(FULL_COPY, length - done));
  }

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
    // Only two bytes of length are written: 65,536 is their zero, and that is the longest copy every reader knows.
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
  for (let i = 0; i < BLOCK; i++) hash = (Math.imul(hash, 31) + u8At(bytes, at + i)) | 0;
  return hash;
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
 * Makes a delta from `base` to `target`: valid and usually small, but not the smallest. Bases are limited to 4 GiB, which is
 * what a copy can reach.
 */
export function createDelta(base: Uint8Array, target: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = indexBlocks(base);
  const writer = new DeltaWriter();
  writer.size(base.length);
  writer.size(target.length);
  let pending = 0;
  let at = 0;
  while (at + BLOCK <= target.length) {
    const found = blocks.get(hashBlock(target, at));
    const length = found === undefined ? 0 : matchLength(base, found, target, at);
    if (found === undefined || length < BLOCK) {
      at++;
      continue;
    }
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
