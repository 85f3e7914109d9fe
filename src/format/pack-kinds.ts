/**
 * The types of a pack's objects and about how large they are, a byte each in the order of its index: what C git would have to open
 * each delta chain for. A file of our own beside the pack; C git passes it over.
 *
 * ```text
 * byte i: bits 0–1 the type of object i: 0 commit, 1 tree, 2 blob, 3 tag
 *         bits 2–7 the bits of its size in bytes: 0 for none, n for 2^(n-1) … 2^n - 1
 * ```
 *
 * @packageDocumentation
 */

/** Size classes; what is larger is in the last. */
const LAST_SIZE_CLASS = 63;

/** Bytes for `count` objects. */
export function packKindsBytes(count: number): number {
  return count;
}

/** Gives the class of a size: how many bits it takes to write it. */
export function sizeClassOf(size: number): number {
  // Math.log2 rounds up just below a power of two from 2^48 on: halving is exact
  let rest = size;
  let bits = 0;
  for (; rest >= 2 ** 32; bits += 32) rest = Math.floor(rest / 2 ** 32);
  return Math.min(bits + (32 - Math.clz32(rest)), LAST_SIZE_CLASS);
}

/** Gives the smallest and the largest size of a class. */
export function sizesOfClass(sizeClass: number): { readonly least: number; readonly most: number } {
  if (sizeClass === 0) return { least: 0, most: 0 };
  const most = sizeClass >= LAST_SIZE_CLASS ? Number.POSITIVE_INFINITY : 2 ** sizeClass - 1;
  return { least: 2 ** (sizeClass - 1), most };
}

/** What is to be encoded of the object at a position of the index: its type number (1–4) and its bytes. */
export type KindAndSize = {
  readonly kindAt: (position: number) => number;
  readonly sizeAt: (position: number) => number;
};

/** Encodes types and sizes of `count` objects. */
export function encodePackKinds(count: number, { kindAt, sizeAt }: KindAndSize): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packKindsBytes(count));
  for (let position = 0; position < count; position++) {
    bytes[position] = (kindAt(position) - 1) | (sizeClassOf(sizeAt(position)) << 2);
  }
  return bytes;
}

function byteAt(kinds: Uint8Array, position: number): number {
  const byte = kinds[position];
  if (byte === undefined) throw new RangeError(`position ${position} is outside the types`);
  return byte;
}

/** Gives the type number (1–4) of the object at a position. */
export function kindAtPosition(kinds: Uint8Array, position: number): number {
  return (byteAt(kinds, position) & 3) + 1;
}

/** Gives the size class of the object at a position: see {@link sizesOfClass}. */
export function sizeClassAtPosition(kinds: Uint8Array, position: number): number {
  return byteAt(kinds, position) >> 2;
}
