/**
 * The four object types and their numbers in a pack entry header.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */

/** An object type, as git spells it. */
export type ObjectKind = "commit" | "tree" | "blob" | "tag";

/** The number by which a pack entry states each object type. */
export const KIND_NUMBER = { commit: 1, tree: 2, blob: 3, tag: 4 } as const satisfies Record<ObjectKind, number>;

/** The number of a delta whose base is named by its distance in the pack. */
export const OFS_DELTA = 6;
/** The number of a delta whose base is named by its object name. */
export const REF_DELTA = 7;

const KINDS: readonly (ObjectKind | undefined)[] = [undefined, "commit", "tree", "blob", "tag"];

/** Returns the object type for a pack entry's number; `undefined` for deltas and numbers that are not a type. */
export function kindOfNumber(number: number): ObjectKind | undefined {
  return KINDS[number];
}
