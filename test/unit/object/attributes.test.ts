/**
 * `.gitattributes`, against what `git check-attr` says.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AttributeFile,
  attributeOf,
  macrosIn,
  parseAttributes,
  rulesAbout,
} from "../../../src/object/attributes.ts";
import { bytesOf, textOf } from "../../../src/object/byte-text.ts";
import { compileWildmatch } from "../../../src/object/wildmatch.ts";
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

function ours(files: Record<string, string>, paths: readonly string[]): string[] {
  const top = parseAttributes(files[""] ?? "", true);
  const macros = macrosIn(top);
  const all: AttributeFile[] = Object.entries(files).map(([directory, text]) => ({
    directory: directory === "" ? "" : `${directory}/`,
    rules: rulesAbout(directory === "" ? top : parseAttributes(text, false), NAME, macros),
  }));
  return paths.map((path) => {
    const above = all.filter(({ directory }) => path.startsWith(directory) && path !== directory);
    const value = attributeOf(
      above.toSorted((a, b) => b.directory.length - a.directory.length),
      path,
      NAME,
    );
    return value === true ? "set" : value === false ? "unset" : value;
  });
}

describe("attributes", () => {
  it("are those of the deepest file, and there of the last line that applies", async () => {
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

  it("match patterns as git does", async () => {
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

  it("take no time to speak of for patterns that want it", () => {
    const pattern = compileWildmatch(`${"*a".repeat(200)}b`);
    expect(pattern.matches("a".repeat(4000))).toBe(false);
    expect(compileWildmatch(`${"**/".repeat(100)}x`).matches(`${"a/".repeat(1000)}x`)).toBe(true);
    expect(textOf(bytesOf("\xff"))).toBe("\xff");
  });
});
