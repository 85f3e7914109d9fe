import { describe, expect, it } from "vitest";
import { ExpiringMap } from "../../../src/bytes/expiring-map.ts";

describe("an expiring map", () => {
  it("forgets a key when its time is over, counted from when it was last set", () => {
    const map = new ExpiringMap<string>({ time: 10, most: 2 });
    map.set("a", "first", 100);
    expect([map.get("a", 109), map.get("a", 110), map.has("a", 109), map.has("a", 110)]).toEqual([
      "first",
      undefined,
      true,
      false,
    ]);
    map.set("a", "second", 105);
    expect(map.get("a", 114)).toBe("second");
    expect(map.has("b", 105)).toBe(false);
  });

  it("drops the key that was set longest ago when it is full", () => {
    const map = new ExpiringMap<true>({ time: 10, most: 2 });
    for (const key of ["a", "b", "a", "c"]) map.set(key, true, 0);
    expect(["a", "b", "c"].map((key) => map.has(key, 0))).toEqual([true, false, true]);
  });

  it("drops no other key when one is set again in a full map", () => {
    const map = new ExpiringMap<true>({ time: 10, most: 2 });
    for (const key of ["a", "b", "b"]) map.set(key, true, 0);
    expect(["a", "b"].map((key) => map.has(key, 0))).toEqual([true, true]);
  });

  it("forgets one key, or all that begin with a text", () => {
    const map = new ExpiringMap<true>({ time: 10, most: 9 });
    for (const key of ["acme/a", "acme/b", "acme", "other/a"]) map.set(key, true, 0);
    map.delete("other/a");
    map.deletePrefix("acme/");
    expect(["acme/a", "acme/b", "acme", "other/a"].map((key) => map.has(key, 0))).toEqual([false, false, true, false]);
  });
});
