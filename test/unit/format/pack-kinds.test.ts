import { array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { encodePackKinds, kindAtPosition, packKindsBytes } from "../../../src/format/pack-kinds.ts";

describe("the types of a pack", () => {
  it("come back as they were", () => {
    const shape = property(array(integer({ min: 1, max: 4 })), (kinds) => {
      const bytes = encodePackKinds(kinds.length, (position) => kinds[position] ?? 0);
      expect(bytes.length).toBe(packKindsBytes(kinds.length));
      expect(kinds.map((_, position) => kindAtPosition(bytes, position))).toEqual(kinds);
      // a piece that begins at a multiple of 4
      const from = Math.floor(kinds.length / 8) * 4;
      expect(kinds.slice(from).map((_, i) => kindAtPosition(bytes.subarray(from / 4), from + i, from))).toEqual(
        kinds.slice(from),
      );
    });
    assert(shape);
  });

  it("are written as documented", () => {
    expect([...encodePackKinds(5, (position) => [1, 2, 3, 4, 4][position] ?? 0)]).toEqual([0b11_10_01_00, 0b11]);
    expect(() => kindAtPosition(new Uint8Array(1), 4)).toThrow(RangeError);
    expect(() => kindAtPosition(new Uint8Array(1), 3, 4)).toThrow(RangeError);
  });
});
