import { assert, nat, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { putU16, putU32, putU64, u16, u32, u64 } from "../../../src/bytes/big-endian.ts";
import { compare, concat, equal } from "../../../src/bytes/chunk.ts";
import { fromHex, fromHexInto, toHex } from "../../../src/bytes/hex.ts";

const bytes = uint8Array({ maxLength: 80 });

describe("hex", () => {
  it("converts as Buffer does, in both directions and in either case", () => {
    assert(
      property(bytes, (value) => {
        const text = Buffer.from(value).toString("hex");
        expect(toHex(value)).toBe(text);
        expect(fromHex(text)).toEqual(new Uint8Array(value));
        expect(fromHex(text.toUpperCase())).toEqual(new Uint8Array(value));
      }),
    );
  });

  it("converts a part of the bytes, and writes in place", () => {
    expect(toHex(new Uint8Array([1, 2, 3, 4]), 1, 3)).toBe("0203");
    const into = new Uint8Array(4);
    expect(fromHexInto("beef", into, 1)).toBe(true);
    expect(into).toEqual(new Uint8Array([0, 0xbe, 0xef, 0]));
  });

  it.each(["0", "0g", "g0", "é0", "0 "])("refuses %j", (text) => {
    expect(fromHex(text)).toBeUndefined();
    expect(fromHexInto(text, new Uint8Array(2), 0)).toBe(false);
  });

  it("refuses to read or write past the end", () => {
    expect(() => toHex(new Uint8Array(2), 0, 3)).toThrow(RangeError);
    expect(() => fromHexInto("0000", new Uint8Array(2), 1)).toThrow(RangeError);
  });
});

describe("big-endian", () => {
  it("reads and writes as DataView does", () => {
    const all = tuple(nat(0xffff), nat({ max: 0xffffffff }), nat({ max: Number.MAX_SAFE_INTEGER }));
    assert(
      property(all, ([small, middle, large]) => {
        const ours = new Uint8Array(15);
        putU16(ours, 1, small);
        putU32(ours, 3, middle);
        putU64(ours, 7, large);
        const theirs = new DataView(new ArrayBuffer(15));
        theirs.setUint16(1, small);
        theirs.setUint32(3, middle);
        theirs.setBigUint64(7, BigInt(large));
        expect(ours).toEqual(new Uint8Array(theirs.buffer));
        expect([u16(ours, 1), u32(ours, 3), u64(ours, 7)]).toEqual([small, middle, large]);
      }),
    );
  });

  it("refuses to read or write past either end", () => {
    for (const at of [-1, 1, 8, Number.NaN]) {
      expect(() => u64(new Uint8Array(8), at)).toThrow(RangeError);
      expect(() => putU64(new Uint8Array(8), at, 0)).toThrow(RangeError);
    }
    expect(() => u32(new Uint8Array(3), 0)).toThrow(RangeError);
    expect(() => u16(new Uint8Array(1), 0)).toThrow(RangeError);
  });

  it("refuses values that a number cannot hold exactly", () => {
    expect(u64(new Uint8Array([0, 0x1f, 255, 255, 255, 255, 255, 255]), 0)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => u64(new Uint8Array([0, 0x20, 0, 0, 0, 0, 0, 0]), 0)).toThrow(RangeError);
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => putU64(new Uint8Array(8), 0, value)).toThrow(RangeError);
    }
    expect(() => putU32(new Uint8Array(4), 0, 2 ** 32)).toThrow(RangeError);
    expect(() => putU16(new Uint8Array(2), 0, 2 ** 16)).toThrow(RangeError);
  });
});

describe("chunk", () => {
  it("joins and compares as Buffer does", () => {
    assert(
      property(bytes, bytes, (left, right) => {
        expect(concat([left, right])).toEqual(new Uint8Array(Buffer.concat([left, right])));
        expect(Math.sign(compare(left, right))).toBe(Buffer.compare(left, right));
        expect(equal(left, right)).toBe(Buffer.compare(left, right) === 0);
        expect(equal(left, left.slice())).toBe(true);
      }),
    );
  });
});
