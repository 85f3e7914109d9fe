/**
 * What is parsed of a larger body: its shape is bounded before it is parsed, since parsing makes no pause.
 */
import { describe, expect, it } from "vitest";
import { parseJson } from "../../../src/api/json-body.ts";

/** Characters above which the shape is looked at. */
const LARGE = 65_536;
const padding = " ".repeat(LARGE);

describe("a large body of JSON", () => {
  it("is parsed as any other, whatever its strings say", () => {
    const text = `${"[{,".repeat(LARGE)}\\"\\\\`;
    const body = { text, list: Array.from({ length: 10_000 }, (_, at) => ({ path: `a"${at}\\`, list: ["]"] })) };
    expect(parseJson(JSON.stringify(body))).toEqual(body);
    expect(parseJson(`${"[".repeat(64)}${"]".repeat(64)}${padding}`)).toBeInstanceOf(Array);
  });

  it.each([
    ["deep", "[".repeat(4_000_000), "64 deep"],
    ["deep and whole", `${'{"a":'.repeat(65)}1${"}".repeat(65)}${padding}`, "64 deep"],
    ["long", `{"actions":[${"{},".repeat(10_000)}{}]}${padding}`, "10000 items"],
    ["full", `[${`[${"{},".repeat(5000)}{}],`.repeat(50)}[]]`, "200000 values"],
  ])("is refused unparsed if it is %s", (_, text, detail) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ status: 413, message: expect.stringContaining(detail) }),
    );
  });

  it("is refused as no JSON if it is none", () => {
    for (const text of [`]]]]${padding}`, `{"a": "${padding}`, `,${padding}`])
      expect(() => parseJson(text)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
