import { describe, expect, it } from "vitest";
import { addBit, type Bits, countBits, hasBit, keepBits, newBits, numbersIn } from "../../../src/bytes/bits.ts";
import { pseudoRandom } from "../../support/store.ts";

function setOf(count: number, numbers: Iterable<number>): Bits {
  const bits = newBits(count);
  for (const number of numbers) addBit(bits, number);
  return bits;
}

describe("sets of numbers", () => {
  it.each([
    ["nothing", 100, []],
    ["the ends of words", 128, [0, 31, 32, 63, 64, 127]],
    ["everything", 70, Array.from({ length: 70 }, (_, i) => i)],
  ])("count and list what they have: %s", (_, count, numbers) => {
    const bits = setOf(count, numbers);
    expect(countBits(bits)).toBe(numbers.length);
    expect([...numbersIn(bits)]).toEqual(numbers);
  });

  it("keep what another has, too", () => {
    const random = pseudoRandom(5);
    const some = (): Set<number> => new Set(Array.from({ length: 400 }, () => random(1000)));
    const [ours, theirs] = [some(), some()];
    const bits = setOf(1000, ours);
    keepBits(bits, setOf(1000, theirs));
    const both = [...ours].filter((number) => theirs.has(number)).sort((a, b) => a - b);
    expect([...numbersIn(bits)]).toEqual(both);
    expect(both.every((number) => hasBit(bits, number))).toBe(true);
  });
});
