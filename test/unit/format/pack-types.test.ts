import { array, assert, integer, maxSafeInteger, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodePackTypes,
  typeAtPosition,
  packTypesBytes,
  sizeClassAtPosition,
  sizeClassOf,
  sizesOfClass,
} from "../../../src/format/pack-types.ts";

describe("the types and sizes of a pack", () => {
  it("are decoded as they were encoded", () => {
    const objects = array(record({ type: integer({ min: 1, max: 4 }), size: maxSafeInteger().map(Math.abs) }));
    const shape = property(objects, (all) => {
      const bytes = encodePackTypes(all.length, {
        typeAt: (position) => all[position]?.type ?? 0,
        sizeAt: (position) => all[position]?.size ?? 0,
      });
      expect(bytes.length).toBe(packTypesBytes(all.length));
      for (const [position, { type, size }] of all.entries()) {
        expect(typeAtPosition(bytes, position)).toBe(type);
        const { least, most } = sizesOfClass(sizeClassAtPosition(bytes, position));
        expect(size).toBeGreaterThanOrEqual(least);
        expect(size).toBeLessThanOrEqual(most);
      }
    });
    assert(shape);
  });

  it("are encoded as documented", () => {
    const sizes = [0, 1, 2, 3, 4];
    const encoded = encodePackTypes(5, {
      typeAt: (position) => [1, 2, 3, 4, 4][position] ?? 0,
      sizeAt: (position) => sizes[position] ?? 0,
    });
    expect([...encoded]).toEqual([0b000000_00, 0b000001_01, 0b000010_10, 0b000010_11, 0b000011_11]);
    expect(() => typeAtPosition(new Uint8Array(1), 1)).toThrow(RangeError);
    expect(() => sizeClassAtPosition(new Uint8Array(1), 1)).toThrow(RangeError);
  });

  it("distinguish sizes at the borders of a class", () => {
    for (let bits = 1; bits < 53; bits++) {
      expect(sizeClassOf(2 ** bits - 1)).toBe(bits);
      expect(sizeClassOf(2 ** bits)).toBe(bits + 1);
    }
    expect(sizesOfClass(11)).toEqual({ least: 1024, most: 2047 });
    expect(sizesOfClass(63).most).toBe(Number.POSITIVE_INFINITY);
  });
});
