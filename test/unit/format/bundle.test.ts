/** The head of a bundle, as git reads it. */
import { describe, expect, it } from "vitest";
import { formatBundleHead, formatTips, parseTips } from "../../../src/format/bundle.ts";

const TIPS = [
  { oid: "12".repeat(20), name: "refs/heads/main" },
  // bytes that are no UTF-8
  { oid: "34".repeat(20), name: "refs/heads/caf\\%E9" },
];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe("a bundle's head", () => {
  it("names the refs, as bytes, and ends with an empty line", () => {
    const refs = `${"12".repeat(20)} refs/heads/main\n${"34".repeat(20)} refs/heads/caf\xe9\n`;
    expect(text(formatBundleHead("sha1", TIPS))).toBe(`# v2 git bundle\n${refs}\n`);
    expect(text(formatBundleHead("sha256", TIPS))).toBe(`# v3 git bundle\n@object-format=sha256\n${refs}\n`);
  });
});

describe("parseTips", () => {
  it("reads back what was written, and leaves out a line that is cut off", () => {
    const bytes = formatTips(TIPS);
    expect(parseTips(bytes)).toEqual(TIPS);
    expect(parseTips(bytes.subarray(0, -1))).toEqual(TIPS.slice(0, 1));
    expect(parseTips(new Uint8Array(0))).toEqual([]);
  });
});
