import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { addSlice, anchorsLeft, reachedPacks, splitNames } from "../../../src/mirror/slice-anchors.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import type { Slice } from "../../../src/refs/mirror-store.ts";
import { create } from "../../suites/ref-store.ts";

const FORMAT = objectFormat("sha1");
const oid = (number: number): string => number.toString(16).padStart(40, "0");
const raw = (...numbers: number[]): Uint8Array => fromHex(numbers.map(oid).join("")) ?? new Uint8Array(0);
const numbered = (name: Uint8Array): number => (name[18] ?? 0) * 256 + (name[19] ?? 0);
const numbersOf = (names: Uint8Array): number[] => Array.from(splitNames(names, FORMAT), numbered);

/** A pack whose objects refer to some names. */
function pack(name: string, refersTo: readonly number[], marked = true): Parameters<typeof addSlice>[2] {
  return { record: { name, marked }, refersTo: (asked) => refersTo.includes(numbered(asked)) };
}

const updates = (...values: number[]): ReturnType<typeof create>[] =>
  values.map((value, i) => create(`refs/heads/${i}`, oid(value)));

/** Two slices: the second refers to commit 1 of the first; 2 is a tag. */
function two(): Slice {
  return addSlice(addSlice(undefined, raw(1, 2), pack("a", []), FORMAT), raw(3), pack("b", [1]), FORMAT);
}

describe("anchors of slices", () => {
  it("are those that nothing refers to", () => {
    const slice = two();
    expect(numbersOf(slice.anchors)).toEqual([2, 3]);
    expect(slice.packs).toEqual(["a", "b"]);
  });

  it("may be referred to in their own pack", () => {
    expect(numbersOf(addSlice(undefined, raw(1, 2), pack("a", [1]), FORMAT).anchors)).toEqual([2]);
  });

  it("stay, all of them, from a pack on that has what they don't reach", () => {
    const first = addSlice(undefined, raw(1), pack("a", [], false), FORMAT);
    expect(first.packs).toBeUndefined();
    const second = addSlice(first, raw(2), pack("b", [1]), FORMAT);
    expect(numbersOf(second.anchors)).toEqual([1, 2]);
    expect(second.packs).toBeUndefined();
  });

  it("stay within a row, and prove nothing any more where that drops some", () => {
    const many = raw(...Array.from({ length: 60_000 }, (_, i) => i));
    const slice = addSlice(undefined, many, pack("a", []), FORMAT);
    expect(slice.anchors.length).toBeLessThanOrEqual(1024 * 1024);
    expect(slice.anchors.length % FORMAT.rawSize).toBe(0);
    expect(numbersOf(slice.anchors).at(-1)).toBe(59_999);
    expect(slice.packs).toBeUndefined();
  });
});

describe("packs of slices", () => {
  it("are reached where refs get every anchor that is left", () => {
    const left = anchorsLeft(two().anchors, pack("c", [3]), FORMAT);
    expect(reachedPacks(two(), left, updates(9, 2), FORMAT)).toEqual(["a", "b"]);
  });

  it("are reached where the last brought all, and no pack comes with the refs", () => {
    const left = anchorsLeft(two().anchors, undefined, FORMAT);
    expect(reachedPacks(two(), left, updates(3, 2), FORMAT)).toEqual(["a", "b"]);
  });

  it("are not reached where an anchor gets no ref: a tag that was dropped, a branch that was rewritten", () => {
    const withoutTag = anchorsLeft(two().anchors, pack("c", [3]), FORMAT);
    expect(reachedPacks(two(), withoutTag, updates(9), FORMAT)).toEqual([]);
    const rewritten = anchorsLeft(two().anchors, pack("c", []), FORMAT);
    expect(reachedPacks(two(), rewritten, updates(9, 2), FORMAT)).toEqual([]);
  });

  it("are not reached by a pack that is not itself reached by the refs", () => {
    const left = anchorsLeft(two().anchors, pack("c", [3], false), FORMAT);
    expect(reachedPacks(two(), left, updates(9, 2), FORMAT)).toEqual([]);
  });

  it("are not reached where that was not known of some, or there are none", () => {
    const slice = addSlice(undefined, raw(1), pack("a", [], false), FORMAT);
    expect(reachedPacks(slice, slice.anchors, updates(1), FORMAT)).toEqual([]);
    expect(reachedPacks(undefined, new Uint8Array(0), updates(1), FORMAT)).toEqual([]);
  });
});
