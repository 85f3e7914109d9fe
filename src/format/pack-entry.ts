/**
 * The header of a pack entry: its type, the size it inflates to and, for a delta, where its base is.
 *
 * ```
 * byte 0   1 bit: more size follows · 3 bits: type · 4 bits: size, lowest
 * byte 1…  1 bit: more size follows · 7 bits: size, upwards
 * ofs-delta: distance to the base, 1 bit more + 7 bits a byte, highest first, each continuation adding one
 * ref-delta: the base's name, raw
 * ```
 *
 * Sizes and distances go up to 2^53: they are added and multiplied, never shifted, since bit operations stop at 32 bits.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-kind.ts";

/** The most bytes a size or a distance takes: eight for 2^53. */
const MAX_VARINT_BYTES = 8;

/** Bytes that no entry header exceeds, whatever the object format: a reader that has as many never sees `"short"`. */
export const MAX_ENTRY_HEADER_BYTES = MAX_VARINT_BYTES + 32;

/**
 * A decoded entry header. One instance is made outside the loop and decoded into again and again, so that a pack of millions
 * of entries makes no garbage.
 */
export class EntryHeader {
  /** The type's number: that of a kind (see `kindOfNumber`), `OFS_DELTA` or `REF_DELTA`. */
  kind = 0;
  /** Bytes the entry inflates to; of a delta, the bytes of the delta. */
  size = 0;
  /** Bytes of the whole header, base included: deflated data begins after them. */
  headerBytes = 0;
  /** Bytes of the type and size alone: what is the same for an entry and its copy with another base. */
  sizeBytes = 0;
  /** Of an ofs-delta: how far before this entry's offset its base's begins; at least 1. */
  distance = 0;
  /** Of a ref-delta: where in the decoded bytes the base's raw name begins. */
  baseAt = 0;

  /**
   * Decodes the header at `bytes[at]`, looking no further than `end`. On `"short"` the header goes past `end` and no field
   * means anything: call again, from the same start, with more bytes.
   *
   * @throws ObjectRejected for a type that does not exist and for numbers past 2^53.
   */
  decode(bytes: Uint8Array, at: number, end: number, rawSize: number): "ok" | "short" {
    let next = at;
    if (next >= end) return "short";
    let byte = u8At(bytes, next++);
    this.kind = (byte >> 4) & 7;
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
    switch (this.kind) {
      case 0:
      case 5:
        throw new ObjectRejected(`unknown object type ${this.kind}`);
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

/** Gives the fault for an entry that git would refuse, in the words of git's index-pack. */
export function badEntry(offset: number, why: string): ObjectRejected {
  return new ObjectRejected(`pack has bad object at offset ${offset}: ${why}`);
}

/** Gives the bytes that {@link encodeEntryHeader} takes for an entry of `size` bytes. */
export function entryHeaderBytes(size: number): number {
  let bytes = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Encodes type number and size into `into` from `at`; gives the position after them. The base, if any, follows there. */
export function encodeEntryHeader(kind: number, size: number, into: Uint8Array, at: number): number {
  let next = at;
  let byte = (kind << 4) | (size % 16);
  let rest = Math.floor(size / 16);
  while (rest > 0) {
    into[next++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[next++] = byte;
  return next;
}

/** Gives the bytes that {@link encodeOfsDistance} takes. */
export function ofsDistanceBytes(distance: number): number {
  let bytes = 1;
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) bytes++;
  return bytes;
}

/** Encodes the distance to an ofs-delta's base into `into` from `at`; gives the position after it. */
export function encodeOfsDistance(distance: number, into: Uint8Array, at: number): number {
  const bytes = ofsDistanceBytes(distance);
  let rest = distance;
  for (let i = bytes - 1; i >= 0; i--) {
    into[at + i] = (rest % 128) | (i === bytes - 1 ? 0 : 0x80);
    rest = Math.floor(rest / 128) - 1;
  }
  return at + bytes;
}

/** Makes the whole entry of an object that is not a delta. */
export function encodeEntry(kind: number, bytes: Uint8Array, deflate: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const deflated = deflate(bytes);
  const headerBytes = entryHeaderBytes(bytes.length);
  const entry = new Uint8Array(headerBytes + deflated.length);
  encodeEntryHeader(kind, bytes.length, entry, 0);
  entry.set(deflated, headerBytes);
  return entry;
}
