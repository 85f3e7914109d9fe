/**
 * Deltas, read plainly: what the kernel, `src/format/delta-stream.ts` and `src/format/delta-encoder.ts` are held to. A
 * delta is the form in which a pack stores an object as copies from a base object and inserted bytes.
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
import { ObjectRejected } from "../../src/bytes/failure.ts";

const FULL_COPY = 0x10000;

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

export { createDelta } from "../../src/format/delta-encoder.ts";
