import { describe, expect, it } from "vitest";
import { DeltaChains } from "../../../src/packing/delta-chains.ts";

describe("DeltaChains", () => {
  it("counts what is below and above, in whatever order it was told", () => {
    for (const order of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
    ]) {
      const chains = new DeltaChains(8);
      for (const slot of order) chains.add(slot, slot - 1);
      expect([0, 1, 2, 3].map((slot) => chains.depthOf(slot))).toEqual([0, 1, 2, 3]);
      expect(chains.isDelta(0)).toBe(false);
      expect(chains.isDelta(3)).toBe(true);
      // Three deltas build on 0, and two are below 2.
      expect(chains.lengthWith(0, 7)).toBe(4);
      expect(chains.lengthWith(7, 2)).toBe(3);
      chains.add(0, 7);
      expect(chains.depthOf(3)).toBe(4);
    }
  });

  it("builds nothing on what builds on it", () => {
    const chains = new DeltaChains(4);
    chains.add(1, 0);
    chains.add(2, 1);
    expect(chains.lengthWith(0, 2)).toBe(Number.POSITIVE_INFINITY);
    expect(chains.lengthWith(0, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("comes to an end where a damaged pack has a circle", () => {
    const chains = new DeltaChains(4);
    chains.add(1, 0);
    chains.add(0, 1);
    expect(chains.lengthWith(2, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(chains.depthOf(0)).toBeGreaterThan(50);
  });
});
