/**
 * The types of a pack's objects, two bits each in the order of its index: what C git would have to open each delta chain for.
 * A file of our own beside the pack; C git passes it over.
 *
 * ```text
 * byte i: objects 4i … 4i+3, lowest bits first; 0 commit, 1 tree, 2 blob, 3 tag
 * ```
 *
 * @packageDocumentation
 */

/** Bytes for `count` objects. */
export function packKindsBytes(count: number): number {
  return Math.ceil(count / 4);
}

/** Encodes the types of `count` objects; `kindAt` gives the type number (1–4) of the object at a position of the index. */
export function encodePackKinds(count: number, kindAt: (position: number) => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packKindsBytes(count));
  for (let position = 0; position < count; position++) {
    const at = position >> 2;
    bytes[at] = (bytes[at] ?? 0) | ((kindAt(position) - 1) << ((position & 3) * 2));
  }
  return bytes;
}

/** Gives the type number (1–4) of the object at a position; `kinds` begins with the byte of position `first`, a multiple of 4. */
export function kindAtPosition(kinds: Uint8Array, position: number, first = 0): number {
  const at = (position - first) >> 2;
  if (at < 0 || at >= kinds.length) throw new RangeError(`position ${position} is outside the types`);
  return (((kinds[at] ?? 0) >> ((position & 3) * 2)) & 3) + 1;
}
