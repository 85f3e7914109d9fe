import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { sortInTurns } from "../../../src/bytes/sort-in-turns.ts";

describe.each([
  { what: "numbers", stepsOf: undefined },
  { what: "what is costly to compare", stepsOf: () => 1000 },
])("$what", ({ stepsOf }) => {
  it("are put in order, and those that are equal stay as they were", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 300 }), async (values) => {
        const at = (index: number): number => values[index] ?? -1;
        const compare = (a: number, b: number): number => at(a) - at(b);
        const sorting = { count: values.length, compare, ...(stepsOf === undefined ? {} : { stepsOf }) };
        const order = await sortInTurns(sorting, new Pacer(async () => undefined));
        const expected = Array.from(values.keys()).toSorted((a, b) => compare(a, b) || a - b);
        expect([...order]).toEqual(expected);
      }),
    );
  });

  it("are sorted in turns, of which none compares very much", async () => {
    const count = 100_000;
    const key = (index: number): number => (index * 7919) % count;
    let compared = 0;
    let most = 0;
    const pacer = new Pacer(async () => {
      most = Math.max(most, compared);
      compared = 0;
    });
    const compare = (a: number, b: number): number => {
      compared++;
      return key(a) - key(b);
    };
    const order = await sortInTurns({ count, compare, ...(stepsOf === undefined ? {} : { stepsOf }) }, pacer);
    expect(Array.from(order, key)).toEqual(Array.from({ length: count }, (_, index) => index));
    // A turn has two million steps, and the piece or thing with which it ends.
    expect(most).toBeLessThan(stepsOf === undefined ? 600_000 : 4000);
    expect(most).toBeGreaterThan(1000);
  });
});
