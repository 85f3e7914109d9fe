import { assert, nat, property, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { findFromEnd, findSorted } from "../../../src/bytes/sorted.ts";

describe.each([findSorted, findFromEnd])("%o", (find) => {
  it("returns what indexOf returns", () => {
    assert(
      property(uniqueArray(nat(200)), nat(200), (numbers, wanted) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        expect(find(sorted.length, wanted, (rank) => sorted[rank] ?? 0)).toBe(sorted.indexOf(wanted));
      }),
    );
  });
});
