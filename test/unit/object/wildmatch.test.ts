/**
 * Patterns for paths: git's own vectors, and what the slow and plain matcher says of random ones.
 *
 * @see git's t/t3070-wildmatch.sh, whose column for `WM_PATHNAME` this is
 */
import { describe, expect, it } from "vitest";
import { Budget } from "../../../src/bytes/budget.ts";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { wildmatch } from "../../../src/object/wildmatch.ts";
import { pseudoRandom } from "../../support/store.ts";
import { compileTwin } from "../../support/wildmatch-twin.ts";

const budgetOf = (max: number): Budget => new Budget({ limit: "archive-patterns", max, message: "too much" });

/** Gives the verdict and the steps that it took. */
function matched(pattern: string, text: string): { readonly matches: boolean; readonly steps: number } {
  const budget = budgetOf(Number.POSITIVE_INFINITY);
  return { matches: wildmatch(pattern, text, budget), steps: budget.spent };
}

/** Whether it matches, the text, the pattern. */
const VECTORS: readonly (readonly [0 | 1, string, string])[] = [
  [1, "foo", "foo"],
  [0, "foo", "bar"],
  [1, "", ""],
  [1, "foo", "???"],
  [0, "foo", "??"],
  [1, "foo", "*"],
  [1, "foo", "f*"],
  [0, "foo", "*f"],
  [1, "foo", "*foo*"],
  [1, "foobar", "*ob*a*r*"],
  [1, "aaaaaaabababab", "*ab"],
  [1, "foo*", "foo\\*"],
  [0, "foobar", "foo\\*bar"],
  [1, "f\\oo", "f\\\\oo"],
  [0, "foo\\", "foo\\"],
  [1, "ball", "*[al]?"],
  [0, "ten", "[ten]"],
  [1, "ten", "**[!te]"],
  [0, "ten", "**[!ten]"],
  [1, "ten", "t[a-g]n"],
  [0, "ten", "t[!a-g]n"],
  [1, "ton", "t[!a-g]n"],
  [1, "ton", "t[^a-g]n"],
  [1, "a]b", "a[]]b"],
  [1, "a-b", "a[]-]b"],
  [1, "a]b", "a[]-]b"],
  [0, "aab", "a[]-]b"],
  [1, "aab", "a[]a-]b"],
  [1, "]", "]"],
  [0, "foo/baz/bar", "foo*bar"],
  [0, "foo/baz/bar", "foo**bar"],
  [1, "foobazbar", "foo**bar"],
  [1, "foo/baz/bar", "foo/**/bar"],
  [1, "foo/baz/bar", "foo/**/**/bar"],
  [1, "foo/b/a/z/bar", "foo/**/bar"],
  [1, "foo/b/a/z/bar", "foo/**/**/bar"],
  [1, "foo/bar", "foo/**/bar"],
  [1, "foo/bar", "foo/**/**/bar"],
  [0, "foo/bar", "foo?bar"],
  [0, "foo/bar", "foo[/]bar"],
  [0, "foo/bar", "foo[^a-z]bar"],
  [0, "foo/bar", "f[^eiu][^eiu][^eiu][^eiu][^eiu]r"],
  [1, "foo-bar", "f[^eiu][^eiu][^eiu][^eiu][^eiu]r"],
  [1, "foo", "**/foo"],
  [1, "XXX/foo", "**/foo"],
  [1, "bar/baz/foo", "**/foo"],
  [0, "bar/baz/foo", "*/foo"],
  [0, "foo/bar/baz", "**/bar*"],
  [1, "deep/foo/bar/baz", "**/bar/*"],
  [0, "deep/foo/bar/baz/", "**/bar/*"],
  [1, "deep/foo/bar/baz/", "**/bar/**"],
  [0, "deep/foo/bar", "**/bar/*"],
  [1, "deep/foo/bar/", "**/bar/**"],
  [0, "foo/bar/baz", "**/bar**"],
  [1, "foo/bar/baz/x", "*/bar/**"],
  [0, "deep/foo/bar/baz/x", "*/bar/**"],
  [1, "deep/foo/bar/baz/x", "**/bar/*/*"],
  [0, "acrt", "a[c-c]st"],
  [1, "acrt", "a[c-c]rt"],
  [0, "]", "[!]-]"],
  [1, "a", "[!]-]"],
  [0, "", "\\"],
  [0, "\\", "\\"],
  [0, "XXX/\\", "*/\\"],
  [1, "XXX/\\", "*/\\\\"],
  [1, "foo", "foo"],
  [1, "@foo", "@foo"],
  [0, "foo", "@foo"],
  [1, "[ab]", "\\[ab]"],
  [1, "[ab]", "[[]ab]"],
  [1, "[ab]", "[[:]ab]"],
  [0, "[ab]", "[[::]ab]"],
  [1, "[ab]", "[[:digit]ab]"],
  [1, "[ab]", "[\\[:]ab]"],
  [1, "?a?b", "\\??\\?b"],
  [1, "abc", "\\a\\b\\c"],
  [0, "foo", ""],
  [1, "foo/bar/baz/to", "**/t[o]"],
  [1, "a1B", "[[:alpha:]][[:digit:]][[:upper:]]"],
  [0, "a", "[[:digit:][:upper:][:space:]]"],
  [1, "A", "[[:digit:][:upper:][:space:]]"],
  [1, "1", "[[:digit:][:upper:][:space:]]"],
  [0, "1", "[[:digit:][:upper:][:spaci:]]"],
  [1, " ", "[[:digit:][:upper:][:space:]]"],
  [0, ".", "[[:digit:][:upper:][:space:]]"],
  [1, ".", "[[:digit:][:punct:][:space:]]"],
  [1, "5", "[[:xdigit:]]"],
  [1, "f", "[[:xdigit:]]"],
  [1, "D", "[[:xdigit:]]"],
  [1, "_", "[[:alnum:][:alpha:][:blank:][:cntrl:][:digit:][:graph:][:lower:][:print:][:punct:][:space:][:upper:][:xdigit:]]"],
  [1, ".", "[^[:alnum:][:alpha:][:blank:][:cntrl:][:digit:][:lower:][:space:][:upper:][:xdigit:]]"],
  [1, "5", "[a-c[:digit:]x-z]"],
  [1, "b", "[a-c[:digit:]x-z]"],
  [1, "y", "[a-c[:digit:]x-z]"],
  [0, "q", "[a-c[:digit:]x-z]"],
  [1, "]", "[\\\\-^]"],
  [0, "[", "[\\\\-^]"],
  [1, "-", "[\\-_]"],
  [1, "]", "[\\]]"],
  [0, "\\]", "[\\]]"],
  [0, "\\", "[\\]]"],
  [0, "ab", "a[]b"],
  [0, "a[]b", "a[]b"],
  [0, "ab[", "ab["],
  [0, "ab", "[!"],
  [0, "ab", "[-"],
  [1, "-", "[-]"],
  [0, "-", "[a-"],
  [0, "-", "[!a-"],
  [1, "-", "[--A]"],
  [1, "5", "[--A]"],
  [1, " ", "[ --]"],
  [1, "$", "[ --]"],
  [1, "-", "[ --]"],
  [0, "0", "[ --]"],
  [1, "-", "[---]"],
  [1, "-", "[------]"],
  [0, "j", "[a-e-n]"],
  [1, "-", "[a-e-n]"],
  [1, "a", "[!------]"],
  [0, "[", "[]-a]"],
  [1, "^", "[]-a]"],
  [0, "^", "[!]-a]"],
  [1, "[", "[!]-a]"],
  [1, "^", "[a^bc]"],
  [1, "-b]", "[a-]b]"],
  [0, "\\", "[\\]"],
  [1, "\\", "[\\\\]"],
  [0, "\\", "[!\\\\]"],
  [1, "G", "[A-\\\\]"],
  [0, "aaabbb", "b*a"],
  [0, "aabcaa", "*ba*"],
  [1, ",", "[,]"],
  [1, ",", "[\\\\,]"],
  [1, "\\", "[\\\\,]"],
  [1, "-", "[,-.]"],
  [0, "+", "[,-.]"],
  [0, "-.]", "[,-.]"],
  [1, "2", "[\\1-\\3]"],
  [1, "3", "[\\1-\\3]"],
  [0, "4", "[\\1-\\3]"],
  [1, "\\", "[[-\\]]"],
  [1, "[", "[[-\\]]"],
  [1, "]", "[[-\\]]"],
  [0, "-", "[[-\\]]"],
  [1, "-adobe-courier-bold-o-normal--12-120-75-75-m-70-iso8859-1", "-*-*-*-*-*-*-12-*-*-*-m-*-*-*"],
  [0, "-adobe-courier-bold-o-normal--12-120-75-75-X-70-iso8859-1", "-*-*-*-*-*-*-12-*-*-*-m-*-*-*"],
  [0, "-adobe-courier-bold-o-normal--12-120-75-75-/-70-iso8859-1", "-*-*-*-*-*-*-12-*-*-*-m-*-*-*"],
  [1, "XXX/adobe/courier/bold/o/normal//12/120/75/75/m/70/iso8859/1", "XXX/*/*/*/*/*/*/12/*/*/*/m/*/*/*"],
  [0, "XXX/adobe/courier/bold/o/normal//12/120/75/75/X/70/iso8859/1", "XXX/*/*/*/*/*/*/12/*/*/*/m/*/*/*"],
  [1, "abcd/abcdefg/abcdefghijk/abcdefghijklmnop.txt", "**/*a*b*g*n*t"],
  [0, "abcd/abcdefg/abcdefghijk/abcdefghijklmnop.txtz", "**/*a*b*g*n*t"],
  [0, "foo", "*/*/*"],
  [0, "foo/bar", "*/*/*"],
  [1, "foo/bba/arr", "*/*/*"],
  [0, "foo/bb/aa/rr", "*/*/*"],
  [1, "foo/bb/aa/rr", "**/**/**"],
  [1, "abcXdefXghi", "*X*i"],
  [0, "ab/cXd/efXg/hi", "*X*i"],
  [1, "ab/cXd/efXg/hi", "*/*X*/*/*i"],
  [1, "ab/cXd/efXg/hi", "**/*X*/**/*i"],
  [0, "foo", "fo"],
  [1, "foo/bar", "foo/bar"],
  [1, "foo/bar", "foo/*"],
  [0, "foo/bba/arr", "foo/*"],
  [1, "foo/bba/arr", "foo/**"],
  [0, "foo/bba/arr", "foo*"],
  [0, "foo/bba/arr", "foo**"],
  [0, "foo/bba/arr", "foo/*arr"],
  [0, "foo/bba/arr", "foo/**arr"],
  [0, "foo/bba/arr", "foo/*z"],
  [0, "foo/bba/arr", "foo/**z"],
  [0, "foo/bar", "foo?bar"],
  [0, "foo/bar", "foo[/]bar"],
  [0, "foo/bar", "foo[^a-z]bar"],
  [0, "ab/cXd/efXg/hi", "*Xg*i"],
  [0, "a", "[A-Z]"],
  [1, "A", "[A-Z]"],
  [0, "A", "[a-z]"],
  [1, "a", "[a-z]"],
  [0, "a", "[[:upper:]]"],
  [1, "A", "[[:upper:]]"],
  [0, "A", "[[:lower:]]"],
  [1, "a", "[[:lower:]]"],
  [0, "A", "[B-Za]"],
  [1, "a", "[B-Za]"],
  [0, "A", "[B-a]"],
  [1, "a", "[B-a]"],
  [0, "z", "[Z-y]"],
  [1, "Z", "[Z-y]"],
]; // prettier-ignore

describe("wildmatch", () => {
  it("agrees with git's own tests", () => {
    const wrong = VECTORS.filter(([verdict, text, pattern]) => matched(pattern, text).matches !== (verdict === 1));
    expect(wrong).toEqual([]);
    expect(VECTORS.length).toBeGreaterThan(180);
  });

  it("agrees with a matcher that follows all ways at once", () => {
    const random = pseudoRandom(3070);
    const pick = (from: readonly string[], count: number): string =>
      Array.from({ length: count }, () => from[random(from.length)]).join("");
    const parts = ["a", "b", "/", "a/", "/b", "*", "*", "**", "**/", "/**/", "/**", "**\\/", "?", "[ab]", "[!a]", "[a-c]", "[]a]", "[[:alpha:]]", "[[:punct:]-]", "\\a", "\\*", "\\", "-", "[^-a]", "[a", "[[:no:]]", "[[:x]"]; // prettier-ignore
    const texts = ["a", "b", "c", "/", "/", "-", "*", "ab", "a/b", "\xfc"];
    let count = 0;
    for (let round = 0; round < 40_000; round++) {
      const pattern = pick(parts, 1 + random(8));
      const text = pick(texts, random(9));
      const { matches } = matched(pattern, text);
      const wanted = compileTwin(pattern).matches(text);
      if (matches !== wanted) expect({ pattern, text, matches }).toEqual({ pattern, text, matches: wanted });
      if (matches) count++;
    }
    expect(count).toBeGreaterThan(500);
  });

  it("takes steps linear in the text if the pattern's only trouble is stars", () => {
    const pattern = `${"*a".repeat(1000)}b`;
    for (const length of [200, 400, 800]) {
      const { matches, steps } = matched(pattern, "a".repeat(length));
      expect(matches).toBe(false);
      expect(steps).toBeLessThan(5 * length + 10);
    }
  });

  it.each([
    ["four stars", "*a*a*a*a*b", "a".repeat(4000)],
    ["two hundred stars", `${"*a".repeat(200)}b`, "a".repeat(4000)],
    ["a long run behind a star", `*${"a".repeat(1000)}b`, "a".repeat(4000)],
    ["five hundred directories", `${"**/".repeat(500)}x`, "a/".repeat(2000)],
    ["directories of two names", `**/${"a/*/".repeat(200)}b`, "a/".repeat(2000)],
    ["directories of stars", `**/${"*a*a/".repeat(200)}b/**`, "aa/".repeat(1300)],
    ["a large set behind a star", `*[${"xy".repeat(900)}]b`, "x".repeat(4000)],
  ])("takes no more steps than pattern times text: %s", (_, pattern, text) => {
    const { matches, steps } = matched(pattern, text);
    expect(matches).toBe(false);
    expect(steps).toBeLessThan(2 * pattern.length * text.length);
  });

  it("stops when the budget is used up", () => {
    const budget = budgetOf(20_000);
    const hostile = (): boolean => wildmatch(`*${"a".repeat(1000)}b`, "a".repeat(4000), budget);
    expect(hostile).toThrow(LimitExceeded);
    // what is over stays over, for whatever pattern comes next
    expect(() => wildmatch("a", "a", budget)).toThrow(LimitExceeded);
    expect(budget.spent).toBeLessThan(25_000);
  });
});
