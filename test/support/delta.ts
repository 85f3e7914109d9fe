/**
 * Deltas, read and written plainly: what the kernel and `src/format/delta-stream.ts` are held to. A delta is the form in
 * which a pack stores an object as copies from a base object and inserted bytes.
 *
 * ```
 * size of the base · size of the result       7 bits per byte, lowest first
 * 1xxxxxxx  copy: bits 0–3 say which bytes of the offset follow, 4–6 which of the length; length 0 is 65,536
 * 0xxxxxxx  insert the next 1…127 bytes
 * 00000000  reserved
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At } from "../../src/bytes/assert.ts";
import { ObjectRejected } from "../../src/bytes/failure.ts";

const FULL_COPY = 0x10000;
const MAX_INSERT = 127;
/** The least number of matching bytes for which a copy is written. */
const BLOCK = 16;

function refuse(): never {
  throw new ObjectRejected("failed to apply delta");
}

/**
 * Reads a delta operation by operation. The fields describe the operation that {@link DeltaReader.next} has just read.
 */
class DeltaReader {
  /** Bytes of the base for which the delta was made. */
  readonly baseSize: number;
  /** Bytes of the object that results from applying the delta. */
  readonly resultSize: number;
  /** The offset in the base of the copied bytes. Set by a copy. */
  offset = 0;
  /** The number of bytes that the operation produces. */
  length = 0;
  /** The offset in the delta of the inserted bytes. Set by an insert. */
  start = 0;
  readonly #delta: Uint8Array;
  #at = 0;

  /** Reads the two sizes. @throws ObjectRejected if they are cut short or not below 2^53. */
  constructor(delta: Uint8Array) {
    this.#delta = delta;
    this.baseSize = this.#size();
    this.resultSize = this.#size();
  }

  /** Reads the next operation. @throws ObjectRejected if it is cut short or the reserved one. */
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

/**
 * Returns how many bytes a delta's operations produce. The size that it states may be larger than the memory, so it is
 * compared.
 */
function lengthOf(delta: Uint8Array): number {
  const reader = new DeltaReader(delta);
  let length = 0;
  while (reader.next() !== "end") length += reader.length;
  return length;
}

/**
 * Applies a delta and returns the object in a new buffer.
 *
 * @throws ObjectRejected if the delta is malformed, was made for a base of another size, reaches outside the base, or
 * produces
 *   another size than it states. Git refuses all of these as "failed to apply delta".
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

/** Encodes the sizes and operations of a new delta. */
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
