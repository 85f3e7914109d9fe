import { assert, nat, property, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { findFromEnd, findSorted } from "../../../src/bytes/sorted.ts";

describe.each([
  [
    "findSorted",
    (sorted: readonly number[], wanted: number) => findSorted(sorted.length, wanted, (at) => sorted[at] ?? 0),
  ],
  [
    "findFromEnd",
    // What lies behind the count is not looked at.
    (sorted: readonly number[], wanted: number) =>
      findFromEnd(Float64Array.from([...sorted, wanted]), sorted.length, wanted),
  ],
])("%s", (_name, find) => {
  it("returns what indexOf returns", () => {
    assert(
      property(uniqueArray(nat(200)), nat(200), (numbers, wanted) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        expect(find(sorted, wanted)).toBe(sorted.indexOf(wanted));
      }),
    );
  });
});
