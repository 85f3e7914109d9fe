/** The plan of which pack is put into the order of its history. */
import { describe, expect, it } from "vitest";
import { ORDERING, type OrderPack, planOrder } from "../../../src/catalog/order-plan.ts";

const PUSHED: OrderPack = {
  objects: 20_000,
  packBytes: ORDERING.leastBytes,
  marked: true,
  source: "receive",
  bitmap: { bytes: 1000, commits: 10 },
};

describe("planOrder", () => {
  it("takes a large pack that was pushed, and has bitmaps", () => {
    const mirrored: OrderPack = { ...PUSHED, source: "mirror" };
    expect(planOrder([{ ...PUSHED, packBytes: 1 }, mirrored], ORDERING.leastBytes)).toBe(mirrored);
  });

  const { bitmap: _, ...without } = PUSHED;
  it.each<[string, OrderPack]>([
    ["that maintenance has written", { ...PUSHED, source: "repack" }],
    ["that is a tip pack", { ...PUSHED, source: "copy" }],
    ["without the mark", { ...PUSHED, marked: false }],
    ["that is borrowed", { ...PUSHED, loan: { home: "parent", state: "own" } }],
    ["whose bitmaps are not made yet", without],
    ["that can have no bitmaps", { ...PUSHED, bitmap: { bytes: 0, commits: 0 } }],
    ["that is small", { ...PUSHED, packBytes: ORDERING.leastBytes - 1 }],
    ["that is too large", { ...PUSHED, packBytes: ORDERING.mostBytes + 1 }],
    ["of too many objects", { ...PUSHED, objects: ORDERING.mostObjects + 1 }],
  ])("takes none %s", (_name, pack) => {
    expect(planOrder([pack], ORDERING.leastBytes)).toBeUndefined();
  });
});
