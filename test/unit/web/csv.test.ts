/**
 * Tables as text, as RFC 4180 has them.
 */
import { describe, expect, it } from "vitest";
import { parseTable, separatorOf } from "../../../src/web/csv.ts";

describe("a table", () => {
  it.each([
    [
      "a,b\n1,2\n",
      ",",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "a,b\r\n1,2",
      ",",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      '"a,b","c""d"\r\n"e\nf",\n',
      ",",
      [
        ["a,b", 'c"d'],
        ["e\nf", ""],
      ],
    ],
    ["a\tb,c\n", "\t", [["a", "b,c"]]],
    [",\n", ",", [["", ""]]],
    ["\n", ",", [[""]]],
    ['a"b,c\n', ",", [['a"b', "c"]]],
    ["", ",", []],
  ])("%j is read", (text, separator, rows) => {
    expect(parseTable(text, separator)).toEqual(rows);
  });

  it.each([
    ['"a\n', ","],
    ['"a"b,c\n', ","],
    ["x,".repeat(30_000), ","],
    ["x\n".repeat(3000), ","],
    ["x".repeat(300_000), ","],
  ])("is not made of what is none, or is too large", (text, separator) => {
    expect(parseTable(text, separator)).toBeUndefined();
  });

  it("is told by a name", () => {
    expect(["a.csv", "a.TSV", "csv", "a.csv.txt"].map((name) => separatorOf(name))).toEqual([
      ",",
      "\t",
      undefined,
      undefined,
    ]);
  });
});
