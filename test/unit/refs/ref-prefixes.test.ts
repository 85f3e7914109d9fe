/** Very many prefixes of ref names: what they match is what the bytes say, one prefix after the other. */
import { array, assert, constantFrom, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { firstIndex } from "../../../src/bytes/first-index.ts";
import { byteTextOf, escapedText } from "../../../src/object/escaped-bytes.ts";
import { disjointPrefixes, RefPrefixes } from "../../../src/refs/ref-prefixes.ts";

// Few values, so that many texts begin with one another: letters, a backslash, and bytes in and out of characters.
const byte = constantFrom(0x61, 0x62, 0x5c, 0xc3, 0xa9, 0xff);
const text = array(byte, { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes));
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe("prefixes of ref names", () => {
  it("match what begins with one of them", () => {
    assert(
      property(array(text, { maxLength: 12 }), array(text, { maxLength: 12 }), (prefixes, names) => {
        const asked = new RefPrefixes(prefixes.map(escapedText));
        for (const name of names) {
          const expected = prefixes.some((prefix) => latin1(name).startsWith(latin1(prefix)));
          expect(asked.match(escapedText(name))).toBe(expected);
        }
      }),
    );
  });

  it("come in order, and none covers another", () => {
    assert(
      property(array(text, { maxLength: 12 }), (prefixes) => {
        const kept = disjointPrefixes(prefixes.map(escapedText));
        expect(kept).toEqual(kept.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
        for (const one of kept) expect(kept.filter((other) => one.startsWith(other))).toEqual([one]);
        for (const prefix of prefixes.map((each) => byteTextOf(escapedText(each))))
          expect(kept.some((other) => prefix.startsWith(other))).toBe(true);
      }),
    );
  });
});

describe("the first index", () => {
  it("is where a sorted list begins to hold, found in few steps", () => {
    assert(
      property(uint8Array({ maxLength: 60 }), constantFrom(0, 7, 128, 255), (values, least) => {
        const sorted = values.toSorted();
        let looked = 0;
        const found = firstIndex(sorted.length, (at) => (looked++, (sorted[at] ?? 0) >= least));
        const expected = sorted.findIndex((value) => value >= least);
        expect(found).toBe(expected < 0 ? sorted.length : expected);
        expect(looked).toBeLessThanOrEqual(6);
      }),
    );
  });
});
