/**
 * The types of a pack's objects and their approximate sizes, one byte per object in the order of the index. C git has
 * to open each delta chain to learn them. This is a file of thinpack's own beside the pack, which C git ignores.
 *
 * ```text
 * byte i: bits 0–1 the type of object i: 0 commit, 1 tree, 2 blob, 3 tag
 *         bits 2–7 the bits of its size in bytes: 0 for none, n for 2^(n-1) … 2^n - 1
 * ```
 *
 * @packageDocumentation
 */

/** The number of the last size class, which has all larger sizes, too. */
const LAST_SIZE_CLASS = 63;

/** Returns the bytes of the file for `count` objects. */
export function packTypesBytes(count: number): number {
  return count;
}

/** Returns the class of a size: the number of bits that the size has. */
export function sizeClassOf(size: number): number {
  // Math.log2 rounds up just below a power of two from 2^48 on; dividing by a power of two is exact.
  let rest = size;
  let bits = 0;
  for (; rest >= 2 ** 32; bits += 32) rest = Math.floor(rest / 2 ** 32);
  return Math.min(bits + (32 - Math.clz32(rest)), LAST_SIZE_CLASS);
}

/** Returns the smallest and the largest size of a class. */
export function sizesOfClass(sizeClass: number): { readonly least: number; readonly most: number } {
  if (sizeClass === 0) return { least: 0, most: 0 };
  const most = sizeClass >= LAST_SIZE_CLASS ? Number.POSITIVE_INFINITY : 2 ** sizeClass - 1;
  return { least: 2 ** (sizeClass - 1), most };
}

/** The accessors of the type number (1–4) and the size in bytes of the object at a position of the index. */
export type TypeAndSize = {
  readonly typeAt: (position: number) => number;
  readonly sizeAt: (position: number) => number;
};

/** Encodes the types and sizes of `count` objects. */
export function encodePackTypes(count: number, { typeAt, sizeAt }: TypeAndSize): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packTypesBytes(count));
  for (let position = 0; position < count; position++) {
    bytes[position] = (typeAt(position) - 1) | (sizeClassOf(sizeAt(position)) << 2);
  }
  return bytes;
}

function byteAt(types: Uint8Array, position: number): number {
  const byte = types[position];
  if (byte === undefined) throw new RangeError(`position ${position} is outside the types`);
  return byte;
}

/** Returns the type number (1–4) of the object at a position. @throws RangeError outside the file. */
export function typeAtPosition(types: Uint8Array, position: number): number {
  return (byteAt(types, position) & 3) + 1;
}

/**
 * Returns the size class of the object at a position: see {@link sizesOfClass}.
 *
 * @throws RangeError outside the file.
 */
export function sizeClassAtPosition(types: Uint8Array, position: number): number {
  return byteAt(types, position) >> 2;
}
