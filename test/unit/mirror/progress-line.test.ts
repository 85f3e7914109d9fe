import { describe, expect, it } from "vitest";
import { inOneLine, lastLineOf } from "../../../src/mirror/progress-line.ts";

describe("lastLineOf", () => {
  it.each([
    ["", ""],
    ["Counting objects:  8% (1/12)\rCounting objects: 16% (2/12)\rCounting obj", "Counting objects: 16% (2/12)"],
    ["Counting: done.\nTotal 12 (delta 0)\n", "Total 12 (delta 0)"],
    ["half a line", ""],
    ["\u001B[31mred\u0000\n\n", "[31mred"],
    [`${"x".repeat(5000)}\n`, "x".repeat(200)],
  ])("gives of %j the last line that was said in full", (progress, line) => {
    expect(lastLineOf(progress)).toBe(line);
  });
});

describe("inOneLine", () => {
  it("leaves out what acts on a terminal", () => {
    expect(inOneLine("access\r\ndenied \u001B[2J\n")).toBe("access denied  [2J");
  });
});
