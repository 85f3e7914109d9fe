import { describe, expect, it } from "vitest";
import { NumberList } from "../../../src/bytes/number-list.ts";

describe("NumberList", () => {
  it("keeps any count of numbers in order, and frees them", () => {
    const list = new NumberList();
    const numbers = Array.from({ length: 5000 }, (_, i) => (i * 2_654_435_761) % 2 ** 32);
    for (const number of numbers) list.push(number);
    expect(list.length).toBe(5000);
    const { view } = list;
    expect([...view]).toEqual(numbers);
    list.free();
    expect(view.length).toBe(0);
  });
});
