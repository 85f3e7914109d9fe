import { describe, expect, it } from "vitest";
import { DEFAULT_REFSPECS, mapRef, parseRefspec, type Refspec, refPrefixes } from "../../../src/mirror/refspec.ts";

const all = (...texts: string[]): Refspec[] => texts.flatMap((text) => parseRefspec(text) ?? []);

describe("parseRefspec", () => {
  it.each([
    "refs/heads/main:refs/heads/main",
    "+refs/heads/*:refs/remotes/up/*",
    "refs/pull/*/head:refs/pull/*/head",
    "+refs/*:refs/*",
    "refs/heads/main",
    "^refs/heads/tmp/*",
  ])("takes %s", (text) => {
    expect(parseRefspec(text)).toBeDefined();
  });

  it.each([
    "",
    "main",
    "main:refs/heads/main",
    "refs/heads/*:refs/heads/main",
    "refs/heads/main:refs/heads/*",
    "refs/heads/*/*:refs/heads/*/*",
    "refs/heads/a:refs/heads/b:refs/heads/c",
    "refs/heads/a..b:refs/heads/ab",
    "refs/heads/*:heads/*",
    ":refs/heads/main",
    "^refs/heads/a:refs/heads/b",
  ])("refuses %s", (text) => {
    expect(parseRefspec(text)).toBeUndefined();
  });
});

describe("mapRef", () => {
  it("takes branches and tags by default", () => {
    const refspecs = all(...DEFAULT_REFSPECS);
    expect(mapRef(refspecs, "refs/heads/a/b")).toBe("refs/heads/a/b");
    expect(mapRef(refspecs, "refs/tags/v1")).toBe("refs/tags/v1");
    expect(mapRef(refspecs, "refs/pull/1/head")).toBeUndefined();
    expect(mapRef(refspecs, "HEAD")).toBeUndefined();
    expect(refPrefixes(refspecs)).toEqual(["refs/heads/", "refs/tags/"]);
  });

  it("renames by the first refspec that matches, and leaves out excluded refs", () => {
    const refspecs = all(
      "refs/heads/main:refs/heads/trunk",
      "refs/heads/*:refs/up/*",
      "refs/pull/*/head:refs/pull/*",
      "^refs/heads/x*",
    );
    expect(mapRef(refspecs, "refs/heads/main")).toBe("refs/heads/trunk");
    expect(mapRef(refspecs, "refs/heads/$&")).toBe("refs/up/$&");
    expect(mapRef(refspecs, "refs/pull/7/head")).toBe("refs/pull/7");
    expect(mapRef(refspecs, "refs/pull/head")).toBeUndefined();
    expect(mapRef(refspecs, "refs/heads/x1")).toBeUndefined();
    expect(refPrefixes(refspecs)).toEqual(["refs/heads/main", "refs/heads/", "refs/pull/"]);
  });

  it("lets an asterisk stand for an empty text, as git does", () => {
    const refspecs = all("refs/heads/release*:refs/heads/release*", "refs/heads/*:refs/other/*", "^refs/heads/tmp*");
    expect(mapRef(refspecs, "refs/heads/release")).toBe("refs/heads/release");
    expect(mapRef(refspecs, "refs/heads/tmp")).toBeUndefined();
  });

  it("leaves out the upstream's refs below refs/kept/", () => {
    expect(mapRef(all("+refs/*:refs/*"), "refs/kept/20260101T000000Z/heads/main")).toBeUndefined();
    expect(mapRef(all("+refs/heads/*:refs/*"), "refs/heads/kept/x")).toBeUndefined();
  });
});
