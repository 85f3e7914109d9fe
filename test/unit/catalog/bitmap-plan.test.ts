/** The plan of bitmaps: which pack gets them. */
import { describe, expect, it } from "vitest";
import { type BitmapPack, BITMAPS, planBitmap } from "../../../src/catalog/bitmap-plan.ts";

const { leastObjects, leastAsked, leastBytes, mostObjects, share } = BITMAPS;
const pack = (objects: number, more: Partial<BitmapPack> = {}): BitmapPack => ({
  objects,
  packBytes: 0,
  marked: true,
  source: "receive",
  ...more,
});
const MADE = { bitmap: { bytes: 5000, commits: 20 } };
const IMPOSSIBLE = { bitmap: { bytes: 0, commits: 0 } };

describe("planBitmap", () => {
  it("takes the largest pack with a mark, if it is large enough", () => {
    const large = pack(3 * leastObjects);
    expect(planBitmap([pack(leastObjects), large, pack(2 * leastObjects)], leastObjects)).toBe(large);
    expect(planBitmap([pack(leastObjects - 1)], leastObjects)).toBeUndefined();
    expect(planBitmap([pack(leastObjects - 1)], leastAsked)).toBeDefined();
    expect(planBitmap([], leastAsked)).toBeUndefined();
  });

  it("takes one of many bytes, however few its objects are", () => {
    const heavy = pack(3, { packBytes: leastBytes });
    expect(planBitmap([heavy], leastObjects)).toBe(heavy);
    expect(planBitmap([pack(3, { packBytes: leastBytes - 1 })], leastObjects)).toBeUndefined();
  });

  it("passes over packs that may hold what nothing reaches, tip packs, and those too large for a step", () => {
    for (const more of [{ marked: false }, { source: "copy" }, { source: "cruft" }] as const)
      expect(planBitmap([pack(2 * leastObjects, more)], leastObjects)).toBeUndefined();
    expect(planBitmap([pack(mostObjects)], leastObjects)).toBeDefined();
    expect(planBitmap([pack(mostObjects + 1)], leastObjects)).toBeUndefined();
  });

  it("takes the bitmaps of a borrowed pack as they are", () => {
    const loan = { home: "other", state: "lent" } as const;
    const own = pack(leastObjects);
    expect(planBitmap([pack(2 * leastObjects, { loan }), own], leastObjects)).toBe(own);
    expect(planBitmap([pack(2 * leastObjects, { loan, ...MADE }), own], leastObjects)).toBeUndefined();
  });

  it("makes them once, anew for a pack that has become the largest, and of the next one where that can have none", () => {
    const small = pack(leastObjects);
    expect(planBitmap([pack(2 * leastObjects, MADE), small], leastObjects)).toBeUndefined();
    expect(planBitmap([pack(2 * leastObjects), pack(leastObjects, MADE)], leastObjects)).toMatchObject({
      objects: 2 * leastObjects,
    });
    expect(planBitmap([pack(2 * leastObjects, IMPOSSIBLE), small], leastObjects)).toBe(small);
    expect(planBitmap([pack(2 * share * leastObjects, IMPOSSIBLE), small], leastObjects)).toBeUndefined();
  });
});
