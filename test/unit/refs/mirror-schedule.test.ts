import { describe, expect, it } from "vitest";
import { nextSync } from "../../../src/refs/mirror-schedule.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const timing = { now: 1000, jitter: 0.5, interval: 600, failures: 0 };

describe("the next sync of a mirror", () => {
  it("is the interval away, give or take a tenth", () => {
    expect(nextSync(timing)).toBe(1000 + 10 * MINUTE);
    expect(nextSync({ ...timing, jitter: 0 })).toBe(1000 + 9 * MINUTE);
    expect(nextSync({ ...timing, jitter: 1 })).toBe(1000 + 11 * MINUTE);
  });

  it("is twice as far away after each failure, up to a day", () => {
    const waits = [1, 2, 3, 8, 1000].map((failures) => (nextSync({ ...timing, failures }) ?? 0) - 1000);
    expect(waits).toEqual([10 * MINUTE, 20 * MINUTE, 40 * MINUTE, 1280 * MINUTE, DAY]);
  });

  it("is at least as far away as the upstream asks for", () => {
    expect(nextSync({ ...timing, failures: 1, retryAfter: 5 * DAY })).toBe(1000 + 5 * DAY);
    expect(nextSync({ ...timing, failures: 1, retryAfter: 1 })).toBe(1000 + 10 * MINUTE);
  });

  it("is not due without an interval, except after a failure", () => {
    expect(nextSync({ ...timing, interval: 0 })).toBeUndefined();
    expect(nextSync({ ...timing, interval: 0, failures: 1 })).toBe(1000 + MINUTE);
  });
});
