import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linesOf, numbersOf, rangesOf } from "../../../../src/api/v1/history-cursor.ts";

const NOT_GIVEN = "not one that this list gave";

describe("the places of a cursor of last changes", () => {
  it("come back as they were", () => {
    const numbers = fc.uniqueArray(fc.nat(50)).map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(numbers, (all) => {
        const places = [all.filter((number) => number % 2 === 0), all.filter((number) => number % 2 === 1)];
        expect(numbersOf(places.map(rangesOf), 51)).toEqual(places);
      }),
    );
  });

  it.each([
    ["an entry twice in one place", [[3, 1, 3, 1]]],
    ["all entries in each of many places", Array.from({ length: 200 }, () => [0, 100])],
    ["an entry that there is not", [[99, 2]]],
    ["entries out of order", [[5, 1, 2, 1]]],
    ["very many", [[0, Number.MAX_SAFE_INTEGER]]],
  ])("are refused with %s", (_, places) => {
    expect(() => numbersOf(places, 100)).toThrow(NOT_GIVEN);
  });
});

describe("the places of a cursor of a blame", () => {
  it("have lines with their numbers", () => {
    expect(
      linesOf(
        [
          [0, 2, 5],
          [2, 98, 0],
        ],
        100,
      ),
    ).toEqual([[{ line: 0, count: 2, source: 5 }], [{ line: 2, count: 98, source: 0 }]]);
  });

  it.each([
    ["all lines a thousand times", [Array.from({ length: 1000 }, () => [0, 100, 0]).flat()]],
    ["all lines in each of many places", Array.from({ length: 1000 }, () => [0, 100, 0])],
    ["a line that there is not", [[99, 2, 0]]],
    ["no line", [[5, 0, 0]]],
    ["a place without lines", [[0, 2, 5], []]],
    ["places without lines", Array.from({ length: 1000 }, () => [])],
  ])("are refused with %s", (_, places) => {
    expect(() => linesOf(places, 100)).toThrow(NOT_GIVEN);
  });
});
