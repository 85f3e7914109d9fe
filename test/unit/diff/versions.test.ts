/** Versions of a file that are compared one after another, against a comparison of two files, which is held to git's. */
import { array, assert as assertProperty, boolean, constantFrom, nat, property, tuple } from "fast-check";
import { expect, it } from "vitest";
import { itemAt } from "../../../src/bytes/assert.ts";
import { diffLines, type LineChange, lineChanges, NO_CONTEXT } from "../../../src/diff/line-diff.ts";
import { cutPair, type FileVersion, VersionDiffs } from "../../../src/diff/versions.ts";
import { fuzzRuns } from "../../support/fuzzing.ts";
import { longPair } from "../../support/random-files.ts";
import { pseudoRandom } from "../../support/store.ts";

const MOST = 1_000_000;

function finished<T>(search: Generator<number, T, undefined>): { readonly value: T; readonly steps: number } {
  let steps = 0;
  for (let next = search.next(); ; next = search.next()) {
    if (next.done === true) return { value: next.value, steps };
    steps += next.value;
  }
}

function versionOf(text: string): FileVersion {
  return { bytes: new Uint8Array(Buffer.from(text, "latin1")) };
}

/** The changes as versions have them. */
function changes(diffs: VersionDiffs, before: FileVersion, after: FileVersion): LineChange[] {
  const pair = finished(cutPair(before, after, MOST)).value;
  return pair === undefined ? [] : [...lineChanges(finished(diffs.diff(pair)).value)];
}

/** The changes as two files have them. */
function expected(before: FileVersion, after: FileVersion): LineChange[] {
  return [...lineChanges(finished(diffLines(before.bytes, after.bytes, NO_CONTEXT)).value)];
}

it("has the changes that two files have, whatever was compared before", () => {
  const line = constantFrom("a", "b", "c", "", " ", "d e", "}");
  const part = array(line, { maxLength: 12 });
  const rest = "the same at the end of each\n".repeat(60);
  const file = tuple(part, part, boolean(), boolean()).map(
    ([some, more, ends, isLong]) => [...some, ...more].join("\n") + (isLong ? `\n${rest}` : "") + (ends ? "\n" : ""),
  );
  const order = array(tuple(nat(5), nat(5)), { minLength: 1, maxLength: 12 });
  assertProperty(
    property(array(file, { minLength: 6, maxLength: 6 }), order, (texts, pairs) => {
      const versions = texts.map(versionOf);
      const diffs = new VersionDiffs();
      for (const [one, two] of pairs) {
        const [before, after] = [itemAt(versions, one), itemAt(versions, two)];
        expect(changes(diffs, before, after)).toEqual(expected(before, after));
      }
    }),
    fuzzRuns(500),
  );
});

it("has the changes of versions that follow each other", () => {
  const random = pseudoRandom(7);
  const diffs = new VersionDiffs();
  let { before: text } = longPair(random);
  let version = versionOf(text);
  for (let at = 0; at < 60; at++) {
    const lines = text.split("\n");
    for (let edits = random(4) + 1; edits > 0; edits--)
      lines.splice(
        random(lines.length),
        random(3),
        ...Array.from({ length: random(4) }, () => itemAt(lines, random(lines.length))),
      );
    text = lines.join("\n");
    const next = versionOf(text);
    expect(changes(diffs, version, next)).toEqual(expected(version, next));
    version = next;
  }
});

it("cuts no version that has too many lines, and each one once", () => {
  const [few, many] = [versionOf("a\n".repeat(9)), versionOf("a\n".repeat(11))];
  expect(finished(cutPair(few, many, 10)).value).toBeUndefined();
  expect([few.lines?.hashes.length, many.lines]).toEqual([9, undefined]);
  const { lines } = few;
  finished(cutPair(few, versionOf("b\n"), 10));
  expect(few.lines).toBe(lines);
});

it("takes work that grows with the length of versions, and hardly any for what they share", () => {
  const steps = (before: string, after: string): number => {
    const pair = finished(cutPair(versionOf(before), versionOf(after), MOST));
    if (pair.value === undefined) return 0;
    return pair.steps + finished(new VersionDiffs().diff(pair.value)).steps;
  };
  /** Changes in one version alone, so that the other is looked through for each of them if it is at all. */
  const scattered = (count: number): number =>
    steps("x\n".repeat(count), Array.from({ length: count }, (_, at) => (at < count / 2 ? "x\ny\n" : "x\n")).join(""));
  expect(scattered(16_000)).toBeLessThan(16 * scattered(2000));
});
