import { assert, nat, property, uniqueArray } from "fast-check";
import { expect, it } from "vitest";
import { findSorted } from "../../../src/bytes/sorted.ts";

it("findSorted() finds what indexOf finds", () => {
  assert(
    property(uniqueArray(nat(200)), nat(200), (numbers, wanted) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      expect(findSorted(sorted.length, wanted, (rank) => sorted[rank] ?? 0)).toBe(sorted.indexOf(wanted));
    }),
  );
});
