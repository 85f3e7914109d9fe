import { describe, expect, it } from "vitest";
import { MOST_ATTEMPTS, retryDelay } from "../../../src/events/backoff.ts";

describe("retryDelay", () => {
  it("grows after each attempt to about a day in all, and then ends", () => {
    const delays = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, at) => retryDelay(at + 1) ?? 0);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(new Set(delays).size).toBe(delays.length);
    const hours = delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000;
    expect(hours).toBeGreaterThan(23);
    expect(hours).toBeLessThan(26);
    expect(retryDelay(MOST_ATTEMPTS)).toBeUndefined();
  });
});
