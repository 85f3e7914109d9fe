/**
 * Line by line comparison, against what git says of the same files.
 *
 * @module-tag thorough
 */
import { array, assert as assertProperty, boolean, constantFrom, pre, property, tuple } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hunkLines, hunkText } from "../../../src/diff/hunk-lines.ts";
import { DEFAULT_OPTIONS, diffHunks, diffLines, type DiffOptions, type LineDiff } from "../../../src/diff/line-diff.ts";
import { fuzzRuns } from "../../support/fuzzing.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { commitPairs, type FilePair, filePair, hunksByGit, longPair } from "../../support/random-files.ts";
import { pseudoRandom } from "../../support/store.ts";

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function compared({ before, after }: FilePair, options: DiffOptions): { lines: LineDiff; steps: number } {
  const search = diffLines(bytes(before), bytes(after), options);
  let steps = 0;
  for (let next = search.next(); ; next = search.next()) {
    if (next.done === true) return { lines: next.value, steps };
    steps += next.value;
  }
}

function hunks(pair: FilePair, options: DiffOptions): string {
  const { lines } = compared(pair, options);
  return [...diffHunks(lines)]
    .flatMap((hunk) => [...hunkText(lines, hunk)])
    .map((piece) => Buffer.from(piece).toString("latin1"))
    .join("");
}

const CASES: readonly (readonly [flags: string, options: Partial<DiffOptions>])[] = [
  ["", {}],
  ["-U0", { context: 0 }],
  ["-U1", { context: 1 }],
  ["-U20", { context: 20 }],
  ["-w", { whitespace: "all" }],
  ["-b", { whitespace: "change" }],
  ["--ignore-space-at-eol", { whitespace: "at-eol" }],
  ["--ignore-blank-lines", { ignoreBlankLines: true }],
  ["--ignore-blank-lines -U1", { ignoreBlankLines: true, context: 1 }],
  ["--ignore-blank-lines -w -U0", { ignoreBlankLines: true, whitespace: "all", context: 0 }],
];

describe.each([
  [
    "many short files",
    (): FilePair[] =>
      Array.from(
        { length: 300 },
        (
          (random) => () =>
            filePair(random)
        )(pseudoRandom(1)),
      ),
  ],
  [
    "long files",
    (): FilePair[] =>
      Array.from(
        { length: 8 },
        (
          (random) => () =>
            longPair(random)
        )(pseudoRandom(2)),
      ),
  ],
])("the hunks of %s", (_, make) => {
  const git = new GitRepository();
  const pairs = make();

  beforeAll(() => {
    commitPairs(git, pairs);
  });

  afterAll(() => {
    git.dispose();
  });

  it.each(CASES)("are those of git diff %s", (flags, options) => {
    const expected = hunksByGit(git, flags.split(" ").filter(Boolean));
    expect(expected.size).toBeGreaterThan(pairs.length / 3);
    const wrong = pairs.flatMap((pair, number) => {
      const shown = pair.before === pair.after ? "" : hunks(pair, { ...DEFAULT_OPTIONS, ...options });
      return shown === (expected.get(String(number)) ?? "") ? [] : [number];
    });
    expect(wrong).toEqual([]);
  });
});

describe("a comparison of any two files", () => {
  const line = constantFrom("a", "b", "c", "", " ", "d e", "}");
  const file = tuple(array(line, { maxLength: 40 }), boolean()).map(
    ([lines, ends]) => lines.join("\n") + (ends ? "\n" : ""),
  );

  it("shows both files whole where all of the context is shown", () => {
    assertProperty(
      property(file, file, (before, after) => {
        pre(before !== after);
        const { lines } = compared({ before, after }, { ...DEFAULT_OPTIONS, context: 1000 });
        const shown = [...diffHunks(lines)].flatMap((hunk) => [...hunkLines(lines, hunk)]);
        const side = (without: string): string =>
          shown
            .filter(({ sign }) => sign !== without)
            .map(({ text, hasFeed }) => Buffer.from(text).toString("latin1") + (hasFeed ? "\n" : ""))
            .join("");
        expect(side("+")).toBe(before);
        expect(side("-")).toBe(after);
        const numbers = (key: "before" | "after"): number[] =>
          shown.map((each) => each[key]).filter((number) => number > 0);
        expect(numbers("before")).toEqual(numbers("before").map((__, at) => at + 1));
        expect(numbers("after")).toEqual(numbers("after").map((__, at) => at + 1));
      }),
      fuzzRuns(300),
    );
  });

  it("takes work that grows with their length, and not with its square", () => {
    const random = pseudoRandom(3);
    const noise = (count: number): string => Array.from({ length: count }, () => `${random(count / 2)}\n`).join("");
    const pair = (count: number): FilePair => ({ before: noise(count), after: noise(count) });
    const [short, long] = [2000, 16_000].map((count) => compared(pair(count), DEFAULT_OPTIONS).steps);
    expect(long).toBeLessThan((short ?? 0) * 32);
  });
});
