/**
 * The four object types and their numbers in a pack entry header.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */

/** An object type, as git spells it. */
export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** The number by which a pack entry states each object type. */
export const TYPE_NUMBER = { commit: 1, tree: 2, blob: 3, tag: 4 } as const satisfies Record<ObjectType, number>;

/** The number of a delta whose base is named by its distance in the pack. */
export const OFS_DELTA = 6;
/** The number of a delta whose base is named by its object name. */
export const REF_DELTA = 7;

const TYPES: readonly (ObjectType | undefined)[] = [undefined, "commit", "tree", "blob", "tag"];

/** Returns the object type for a pack entry's number; `undefined` for deltas and numbers that are not a type. */
export function typeOfNumber(number: number): ObjectType | undefined {
  return TYPES[number];
}
