/**
 * The header of a pack entry: its type, its inflated size and, for a delta, the place of its base.
 *
 * ```
 * byte 0   1 bit: more size follows · 3 bits: type · 4 bits: size, lowest
 * byte 1…  1 bit: more size follows · 7 bits: size, ever higher
 * ofs-delta: distance to the base, 1 bit "more" + 7 bits per byte, highest first; each continuation adds one
 * ref-delta: the base's name, raw
 * ```
 *
 * Sizes and distances may be as large as 2^53 - 1. They are added and multiplied, not shifted, since bit operations
 * have 32 bits.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";

/** Bytes of the longest size or distance: eight for 2^53. */
const MAX_VARINT_BYTES = 8;

/** Bytes of the longest entry header in any object format. A reader that has this many bytes never gets `"short"`. */
export const MAX_ENTRY_HEADER_BYTES = MAX_VARINT_BYTES + 32;

/**
 * A decoded entry header. A caller makes one instance outside its loop and decodes every header into it, so that a pack
 * of millions of entries makes no garbage.
 */
export class EntryHeader {
  /** The type number: that of an object type (see `typeOfNumber`), `OFS_DELTA` or `REF_DELTA`. */
  type = 0;
  /** Inflated bytes of the entry; of a delta, the bytes of the delta itself. */
  size = 0;
  /** Bytes of the whole header, including the base. The deflated data follows them. */
  headerBytes = 0;
  /** Bytes of type and size alone. This part stays the same when an entry is sent with another base. */
  sizeBytes = 0;
  /** For an ofs-delta: the distance in bytes from the base's entry to this entry, at least 1. */
  distance = 0;
  /** For a ref-delta: the offset in the decoded bytes of the base's raw name. */
  baseAt = 0;

  /**
   * Decodes the header at `bytes[at]` without reading at `end` or behind it. Returns `"short"` if the header goes past
   * `end`. The fields are invalid then, and the caller calls again with more bytes, from the same start.
   *
   * @throws ObjectRejected for an unknown type, and for numbers that are not below 2^53.
   */
  decode(bytes: Uint8Array, at: number, end: number, rawSize: number): "ok" | "short" {
    let next = at;
    if (next >= end) return "short";
    let byte = u8At(bytes, next++);
    this.type = (byte >> 4) & 7;
    this.size = byte & 15;
    let scale = 16;
    while (byte & 0x80) {
      if (next >= end) return "short";
      byte = u8At(bytes, next++);
      this.size += (byte & 0x7f) * scale;
      scale *= 128;
      if (this.size > Number.MAX_SAFE_INTEGER || next - at > MAX_VARINT_BYTES)
        throw new ObjectRejected("bad object header");
    }
    this.sizeBytes = next - at;
    this.headerBytes = next - at;
    switch (this.type) {
      case 0:
      case 5:
        throw new ObjectRejected(`unknown object type ${this.type}`);
      case OFS_DELTA:
        return this.#decodeDistance(bytes, at, end);
      case REF_DELTA:
        this.baseAt = next;
        this.headerBytes += rawSize;
        return next + rawSize > end ? "short" : "ok";
      default:
        return "ok";
    }
  }

  #decodeDistance(bytes: Uint8Array, at: number, end: number): "ok" | "short" {
    let next = at + this.sizeBytes;
    if (next >= end) return "short";
    let byte = u8At(bytes, next++);
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      if (next >= end) return "short";
      byte = u8At(bytes, next++);
      distance = (distance + 1) * 128 + (byte & 0x7f);
      if (distance > Number.MAX_SAFE_INTEGER) throw new ObjectRejected("offset value overflow for delta base object");
    }
    if (distance === 0) throw new ObjectRejected("delta base offset is out of bound");
    this.distance = distance;
    this.headerBytes = next - at;
    return "ok";
  }
}

/** Returns the error, in the words of git's index-pack, for an entry that git would refuse. */
export function badEntry(offset: number, why: string): ObjectRejected {
  return new ObjectRejected(`pack has bad object at offset ${offset}: ${why}`);
}

/** Returns the number of bytes that {@link encodeEntryHeader} writes for an entry of `size` bytes. */
export function entryHeaderBytes(size: number): number {
  let bytes = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/**
 * Encodes a type number and a size into `into` from `at`. Returns the position behind them, where the base of a delta
 * follows.
 */
export function encodeEntryHeader(type: number, size: number, into: Uint8Array, at: number): number {
  let next = at;
  let byte = (type << 4) | (size % 16);
  let rest = Math.floor(size / 16);
  while (rest > 0) {
    into[next++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[next++] = byte;
  return next;
}

/** Returns the number of bytes that {@link encodeOfsDistance} writes. */
export function ofsDistanceBytes(distance: number): number {
  let bytes = 1;
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) bytes++;
  return bytes;
}

/** Encodes the distance to an ofs-delta's base into `into` from `at`. Returns the position behind it. */
export function encodeOfsDistance(distance: number, into: Uint8Array, at: number): number {
  const bytes = ofsDistanceBytes(distance);
  let rest = distance;
  for (let i = bytes - 1; i >= 0; i--) {
    into[at + i] = (rest % 128) | (i === bytes - 1 ? 0 : 0x80);
    rest = Math.floor(rest / 128) - 1;
  }
  return at + bytes;
}

/** Encodes the header of a delta that builds on what lies `distance` before it. Returns the bytes of the header. */
export function encodeOfsDelta(size: number, distance: number, into: Uint8Array): number {
  return encodeOfsDistance(distance, into, encodeEntryHeader(OFS_DELTA, size, into, 0));
}

/** Makes the whole entry of an object that is not a delta. */
export function encodeEntry(type: number, bytes: Uint8Array, deflate: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const deflated = deflate(bytes);
  const headerBytes = entryHeaderBytes(bytes.length);
  const entry = new Uint8Array(headerBytes + deflated.length);
  encodeEntryHeader(type, bytes.length, entry, 0);
  entry.set(deflated, headerBytes);
  return entry;
}
