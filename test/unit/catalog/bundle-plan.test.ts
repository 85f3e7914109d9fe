/** The plan of bundles: which packs of a catalog are offered, and which one is described next. */
import { describe, expect, it } from "vitest";
import type { BitmapPack } from "../../../src/catalog/bitmap-plan.ts";
import { BUNDLES, bundledPacks, planDescription } from "../../../src/catalog/bundle-plan.ts";

const base: BitmapPack = {
  objects: 20_000,
  packBytes: 10 * BUNDLES.leastBytes,
  marked: true,
  source: "repack",
  bitmap: { bytes: 5000, commits: 100, tips: 60 },
};
const newer: BitmapPack = { objects: 3, packBytes: BUNDLES.leastBytes, marked: true, source: "receive" };

describe("bundles", () => {
  it("are of the base alone, also where a later pack has a head from before", () => {
    const described: BitmapPack = { ...newer, bitmap: { bytes: 0, commits: 0, tips: 100 } };
    expect(bundledPacks([base, described, newer])).toEqual({ base, newest: [] });
  });

  it("are planned for the base, and for no pack that came after it", () => {
    const { bitmap: _, ...bare } = base;
    expect(planDescription([bare, newer], 10_000)).toEqual({ step: "bitmap", packs: [bare] });
    expect(planDescription([base, newer], 10_000)).toBeUndefined();
    expect(planDescription([base, newer, newer], 10_000)).toBeUndefined();
  });
});
