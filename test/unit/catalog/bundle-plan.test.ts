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
  it("are of the base and of packs that came after it and have a head, the oldest ones", () => {
    const described: BitmapPack = { ...newer, bitmap: { bytes: 0, commits: 0, tips: 100 } };
    const none: BitmapPack = { ...newer, bitmap: { bytes: 0, commits: 0 } };
    expect(bundledPacks([base, described, none, newer])).toEqual({ base, newest: [described] });
    const many = Array.from({ length: BUNDLES.mostNewest + 1 }, (_, at) => ({ ...described, objects: at }));
    expect(bundledPacks([base, ...many])).toEqual({ base, newest: many.slice(0, BUNDLES.mostNewest) });
    expect(bundledPacks([{ ...base, marked: false }, described])).toBeUndefined();
  });

  it("are planned for the base, and then for the packs that came after it, once these are worth it", () => {
    const { bitmap: _, ...bare } = base;
    expect(planDescription([bare, newer], 10_000)).toEqual({ step: "bitmap", packs: [bare] });
    const small: BitmapPack = { ...newer, packBytes: BUNDLES.leastBytes / 2 };
    expect(planDescription([base, small], 10_000)).toBeUndefined();
    expect(planDescription([base, small, { ...small, objects: 4 }], 10_000)).toEqual({
      step: "bundle",
      packs: [small],
    });
    const many = Array.from({ length: BUNDLES.mostNewest + 1 }, () => newer);
    expect(planDescription([base, ...many], 10_000)).toBeUndefined();
  });
});
