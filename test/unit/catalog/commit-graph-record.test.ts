/** Which layer of a commit-graph gets filters by the next step. */
import { describe, expect, it } from "vitest";
import {
  type CommitGraphRecord,
  FILTER_BOUNDS,
  filterBytesOf,
  layerToFilter,
  MOST_LAYER_FILTER_BYTES,
} from "../../../src/catalog/commit-graph-record.ts";

/** A layer of SHA-1 names whose filters take so many bytes. */
function layer(commits: number, filters: number, filterBytes: number): CommitGraphRecord {
  return { name: "a", checksum: "0".repeat(40), commits, filters, bytes: commits * 64 + filterBytes };
}

describe("layerToFilter", () => {
  it("names the uppermost layer that lacks filters", () => {
    expect(layerToFilter([])).toBe(-1);
    expect(layerToFilter([layer(60_000, 5000, 400_000)])).toBe(0);
    expect(layerToFilter([layer(60_000, 5000, 400_000), layer(20, 10, 900), layer(20, 20, 900)])).toBe(1);
    expect(layerToFilter([layer(60, 60, 4000), layer(20, 20, 900)])).toBe(-1);
  });

  it("names none where there would be too many commits in the new layer", () => {
    const bounds = { ...FILTER_BOUNDS, mostCommits: 1000 };
    expect(layerToFilter([layer(1000, 500, 4000)], bounds)).toBe(0);
    expect(layerToFilter([layer(1000, 500, 4000), layer(1, 1, 100)], bounds)).toBe(-1);
  });

  it("names none where the new layer would take more memory than a step may", () => {
    expect(layerToFilter([layer(110_000, 5000, 5_000_000)])).toBe(0);
    expect(layerToFilter([layer(110_000, 5000, MOST_LAYER_FILTER_BYTES - 1)])).toBe(-1);
    expect(layerToFilter([layer(190_000, 5000, 400_000)])).toBe(-1);
  });

  it("names none where there is no room for one more filter, so that there is an end to the steps", () => {
    expect(layerToFilter([layer(60_000, 30_000, MOST_LAYER_FILTER_BYTES)])).toBe(-1);
    expect(layerToFilter([layer(60_000, 30_000, MOST_LAYER_FILTER_BYTES - 1)])).toBe(0);
    const half = MOST_LAYER_FILTER_BYTES / 2;
    expect(layerToFilter([layer(60_000, 30_000, half), layer(100, 100, half)])).toBe(-1);
    expect(filterBytesOf(layer(100, 100, half))).toBe(half);
  });
});
