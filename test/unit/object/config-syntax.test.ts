/**
 * The syntax of git's configuration files. What git makes of it is compared in `fsck-blob.test.ts`; here, what it costs.
 */
import { describe, expect, it } from "vitest";
import { bytesOf } from "../../../src/object/byte-text.ts";
import { CONFIG_PART_BYTES, type ConfigVariable, readConfigInParts } from "../../../src/object/config-syntax.ts";
import { finished, partsOf } from "../../support/finished.ts";

function variablesOf(text: string): { readonly isWhole: boolean; readonly variables: readonly ConfigVariable[] } {
  const variables: ConfigVariable[] = [];
  const isWhole = finished(readConfigInParts(bytesOf(text), (variable) => variables.push(variable)));
  return { isWhole, variables };
}

describe("readConfigInParts", () => {
  it("lets others be served after each part of a long file, wherever its lines lie", () => {
    const bytes = bytesOf(`[a]\n${"x=y\n".repeat(250_000)}`);
    expect(partsOf(readConfigInParts(bytes, () => undefined))).toBe(Math.ceil(bytes.length / CONFIG_PART_BYTES));
    expect(partsOf(readConfigInParts(bytesOf("[a]\nx=y\n"), () => undefined))).toBe(1);
  });

  it("passes all variables of a section the same object, whose name is made once", () => {
    const { isWhole, variables } = variablesOf(`[submodule "${"a".repeat(100_000)}"]\n${"x=\n".repeat(25_000)}`);
    expect(isWhole).toBe(true);
    expect(variables).toHaveLength(25_000);
    expect(new Set(variables.map(({ section }) => section)).size).toBe(1);
  });

  it("makes a section of its own for each header, whatever its name", () => {
    const { variables } = variablesOf('a=1\n[One]\nb=2\n[one]\nc\n[One.Two "Three\\\\\\""]\nD-1 = x  y ; no\n');
    expect(variables.map(({ section, key, value }) => [section?.name, key, value])).toEqual([
      [undefined, "a", "1"],
      ["one", "b", "2"],
      ["one", "c", undefined],
      ['one.two.Three\\"', "d-1", "x  y"],
    ]);
    expect(variables[1]?.section).not.toBe(variables[2]?.section);
  });

  it.each([
    ["a b  c", "a b  c"],
    ['"a  ;b" c # d', "a  ;b c"],
    ['""  a', "a"],
    ['a\\tb\\n\\\\\\"', 'a\tb\n\\"'],
    ["a \\\n  b", "a   b"],
    ["  \r\n", ""],
    ['a" "', "a "],
    ["\xff\x80", "\xff\x80"],
  ])("reads the value %j", (text, value) => {
    expect(variablesOf(`[s]\nk=${text}`).variables[0]?.value).toBe(value);
  });

  it.each(["[s", '[s]\nk="a\n', "[s]\nk=\\x", "[s]\n1=2", '[s "a\nb"]', '[s "a" ]', '[s\n"a"]', "[s_]", "[s]\nk v"])(
    "refuses %j",
    (text) => {
      expect(variablesOf(text).isWhole).toBe(false);
    },
  );
});
