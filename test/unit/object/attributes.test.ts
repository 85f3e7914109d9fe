/**
 * `.gitattributes`, against what `git check-attr` says.
 *
 * @module-tag thorough
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Budget } from "../../../src/bytes/budget.ts";
import { type AttributeFile, attributeOf, parseAttributes, questionFor } from "../../../src/object/attributes.ts";
import { bytesOf } from "../../../src/object/byte-text.ts";
import { GitSandbox } from "../../support/git-client.ts";
import { pseudoRandom } from "../../support/store.ts";

let git: GitSandbox;
let cwd: string;

beforeAll(async () => {
  git = new GitSandbox("attributes");
  cwd = await git.init();
});

afterAll(() => {
  git.close();
});

const NAME = "export-ignore";

/** What git says: `set`, `unset`, `unspecified`, or a value. */
async function told(files: Record<string, string>, paths: readonly string[]): Promise<string[]> {
  for (const [directory, text] of Object.entries(files)) {
    mkdirSync(join(cwd, directory), { recursive: true });
    writeFileSync(join(cwd, directory, ".gitattributes"), bytesOf(text));
  }
  const input = Buffer.from(`${paths.join("\0")}\0`, "latin1");
  const output = await git.bytes(["check-attr", "-z", "--stdin", NAME], { cwd, input });
  return output
    .toString("latin1")
    .split("\0")
    .filter((_, i) => i % 3 === 2);
}

const budgetOf = (max: number): Budget => new Budget({ limit: "archive-patterns", max, message: "too much" });

function ours(files: Record<string, string>, paths: readonly string[]): string[] {
  const question = questionFor(NAME, files[""] ?? "");
  const all: AttributeFile[] = Object.entries(files).map(([directory, text]) => ({
    directory: directory === "" ? "" : `${directory}/`,
    rules: parseAttributes(text, question),
  }));
  return paths.map((path) => {
    const above = all.filter(({ directory }) => path.startsWith(directory) && path !== directory);
    const deepestFirst = above.toSorted((a, b) => b.directory.length - a.directory.length);
    const value = attributeOf(deepestFirst, path, question, budgetOf(1_000_000));
    return value === true ? "set" : value === false ? "unset" : value;
  });
}

describe("the reader of .gitattributes", () => {
  it("takes the deepest file, and in it the last line that applies", async () => {
    const files = {
      "": [
        "# a comment",
        "[attr]mine export-ignore other",
        "[attr]mine2 mine",
        "[attr]bad! x",
        "  *.txt   export-ignore",
        "keep.txt -export-ignore",
        "value.txt export-ignore=some",
        "again.txt export-ignore !export-ignore",
        "a.c mine",
        "b.c mine2",
        "c.c -mine2",
        "d.c mine -export-ignore",
        "d2.c -export-ignore mine",
        "build/ export-ignore",
        "/rooted export-ignore",
        "some/path export-ignore",
        "docs/**/deep export-ignore",
        "**/any export-ignore",
        "end/** export-ignore",
        '"quo\\ted\\"\\040\\303\\274" export-ignore',
        '"not closed export-ignore',
        "!negative export-ignore",
        "\\!literal export-ignore",
        "bad-name ok export-ignore +",
        "tab\texport-ignore\r",
        `${"x".repeat(2040)} export-ignore`,
        "binary binary export-ignore",
      ].join("\n"),
      sub: "keep.txt export-ignore\n*.txt -export-ignore\nx/y export-ignore\n[attr]late export-ignore\nz late\n",
      "sub/sub": "\xef\xbb\xbf*.txt export-ignore\n",
    };
    const paths = [
      "a.txt",
      "keep.txt",
      "x/keep.txt",
      "value.txt",
      "again.txt",
      "a.c",
      "b.c",
      "c.c",
      "d.c",
      "d2.c",
      "build",
      "build/",
      "x/build/",
      "build/file",
      "rooted",
      "x/rooted",
      "some/path",
      "x/some/path",
      "docs/deep",
      "docs/a/b/deep",
      "docs/a/b/c",
      "any",
      "x/y/any",
      "end/x",
      "end",
      "end/",
      "end/x/y/",
      'quo\ted" \xc3\xbc',
      '"not',
      "negative",
      "!negative",
      "!literal",
      "bad-name",
      "ok",
      "tab",
      "x".repeat(2040),
      "binary",
      "sub/a.txt",
      "sub/keep.txt",
      "sub/x/y",
      "x/y",
      "sub/z",
      "sub/sub/a.txt",
      "sub/sub/",
      "sub/sub/x/keep.txt",
    ];
    expect(ours(files, paths)).toEqual(await told(files, paths));
  });

  it("matches patterns as git does", async () => {
    const random = pseudoRandom(77);
    const pick = (from: readonly string[], count: number): string =>
      Array.from({ length: count }, () => from[random(from.length)]).join("");
    const parts = [
      "a",
      "b",
      "/",
      "/a?b",
      "*/?",
      "a[^x]b/",
      "*",
      "**",
      "?",
      "[ab]",
      "[!a]",
      "[a-c]",
      "[]a]",
      "[[:alpha:]]",
      "\\a",
      "\\*",
      "/**/",
      "**/",
      "/**",
      "-",
      "[^-a]",
      "[a",
      "[[:no:]]",
      "[[:x]",
    ];
    const paths = Array.from({ length: 120 }, () =>
      pick(["a", "b", "c", "/", "-", "*", "]", "[", "ab", "a/b", "\xfc"], 1 + random(6))
        .replaceAll(/\/+/g, "/")
        .replace(/^\//, ""),
    ).filter((path) => path !== "" && path !== "/");
    let matched = 0;
    for (let round = 0; round < 250; round++) {
      // gits before 2.52 take `**` for the beginning of a component wherever it follows plain characters
      const patterns = Array.from({ length: 3 }, () => pick(parts, 1 + random(5))).filter(
        (pattern) => !/^[^*?[\\]*[^/*?[\\]\*\*/.test(pattern),
      );
      const files = { "": patterns.map((pattern) => `${pattern} ${random(3) === 0 ? "-" : ""}${NAME}`).join("\n") };
      const got = ours(files, paths);
      matched += got.filter((value) => value !== "unspecified").length;
      const gits = await told(files, paths);
      const different = paths.filter((_, i) => got[i] !== gits[i]);
      expect({ ...files, different }).toEqual({ ...files, different: [] });
    }
    expect(matched).toBeGreaterThan(500);
  });

  it("parses no line that can't matter", () => {
    const top = [
      "[attr]mine export-ignore",
      "[attr]by-way mine",
      "[attr]other x",
      "a mine",
      "b by-way",
      "c other",
      "d x",
    ];
    const question = questionFor(NAME, top.join("\n"));
    expect([...question.macros.keys()]).toEqual(["mine", "by-way"]);
    expect(parseAttributes(top.join("\n"), question)).toHaveLength(2);
    expect(parseAttributes("* text=auto\n*.c diff=cpp\n".repeat(1000), questionFor(NAME, ""))).toEqual([]);
  });

  it("takes few steps for lines of a thousand stars", () => {
    const line = `${"*a".repeat(1000)}b ${NAME}\n`;
    const question = questionFor(NAME, line.repeat(500));
    const files = [{ directory: "", rules: parseAttributes(line.repeat(500), question) }];
    const budget = budgetOf(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 20; i++) {
      expect(attributeOf(files, `${"a".repeat(240)}${1000 + i}`, question, budget)).toBe("unspecified");
    }
    // neither is the path long enough, nor does it end as they do
    expect(budget.spent).toBeLessThan(500 * 20 * 5);
  });

  it("stops at its budget for macros that stand for many others", () => {
    const macros = Array.from({ length: 90 }, (_, i) => `[attr]m${i} ${Array.from({ length: 100 }, (__, n) => `m${n}`).join(" ")}\n`); // prettier-ignore
    const text = `${macros.join("")}[attr]m0 ${NAME}\n${"* m89 -export-ignore\n".repeat(1000)}${"* m89\n".repeat(1000)}`;
    const question = questionFor(NAME, text);
    const files = [{ directory: "", rules: parseAttributes(text, question) }];
    expect(() => {
      const budget = budgetOf(1_000_000);
      for (let i = 0; i < 1000; i++) attributeOf(files, "x", question, budget);
    }).toThrow("too much");
  });
});
