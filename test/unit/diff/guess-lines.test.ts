/** Guesses of where changed lines come from, against git's blame of random files with a commit passed over. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guessLines } from "../../../src/diff/guess-lines.ts";
import { DEFAULT_OPTIONS, diffLines, lineChanges, type LineChange } from "../../../src/diff/line-diff.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom } from "../../support/store.ts";

const FILES = 120;
const WORDS = [
  "int",
  "INT",
  "x",
  "Return",
  "return ",
  "  ",
  "\t",
  "(a,b)",
  "{",
  "}",
  "caf\xe9",
  "\xff\xfe",
  "zzzzzzzz",
  "==",
  "\r",
];

type Random = (below: number) => number;

function line(random: Random): string {
  return Array.from({ length: random(7) }, () => WORDS[random(WORDS.length)]).join(random(2) === 0 ? " " : "");
}

/** Changes a line a little: capitals, white space, a word more or less. */
function reformatted(random: Random, text: string): string {
  const choice = random(5);
  if (choice === 0) return text.toUpperCase();
  if (choice === 1) return `    ${text}`;
  if (choice === 2) return text.replaceAll(" ", "");
  if (choice === 3) return `${text} ${line(random)}`;
  return text.slice(random(3));
}

function pair(random: Random, number: number): [string, string] {
  const before = Array.from({ length: random(number % 4 === 0 ? 120 : 25) }, () => line(random));
  const after: string[] = [];
  for (const text of before) {
    const choice = random(12);
    if (choice < 4) after.push(text);
    else if (choice < 8) after.push(reformatted(random, text));
    else if (choice === 8) after.push(line(random));
    else if (choice === 9) after.push(text, reformatted(random, text));
    else if (choice === 10) after.splice(random(after.length + 1), 0, reformatted(random, text));
  }
  if (random(6) === 0) after.push(...Array.from({ length: random(60) }, () => line(random)));
  return [`${before.join("\n")}${random(4) === 0 ? "" : "\n"}`, `${after.join("\n")}${random(4) === 0 ? "" : "\n"}`];
}

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

function changesOf(before: Uint8Array, after: Uint8Array): LineChange[] {
  const search = diffLines(before, after, { ...DEFAULT_OPTIONS, context: 0 });
  for (let next = search.next(); ; next = search.next()) if (next.done === true) return [...lineChanges(next.value)];
}

/** Returns for each line of the second file, counted from 1, the line of the first; 0 for one that has none. */
function guessed(before: Uint8Array, after: Uint8Array): Map<number, number> {
  const changes = changesOf(before, after);
  const search = guessLines(before, after, changes);
  for (let next = search.next(); ; next = search.next()) {
    if (next.done !== true) continue;
    const lines = changes.flatMap((change, at) =>
      [...(next.value[at] ?? [])].map((guess, i) => [change.after.start + i + 1, guess + 1] as const),
    );
    return new Map(lines);
  }
}

describe("guessed lines", () => {
  const git = new GitRepository();
  const random = pseudoRandom(17);
  const pairs = Array.from({ length: FILES }, (_, number) => pair(random, number));

  beforeAll(() => {
    const stream: Buffer[] = [];
    [0, 1].forEach((side) => {
      stream.push(bytesOf(`commit refs/heads/main\ncommitter C <c@example.com> ${side + 1} +0000\ndata 1\nm\n`));
      for (const [at, texts] of pairs.entries()) {
        const content = bytesOf(texts[side] ?? "");
        stream.push(bytesOf(`M 100644 inline f${at}\ndata ${content.length}\n`), content, bytesOf("\n"));
      }
      stream.push(bytesOf("\n"));
    });
    git.import({ bytes: () => Buffer.concat(stream) });
  });

  afterAll(() => {
    git.dispose();
  });

  it("are those to which git blame --ignore-rev leads", { tags: "thorough" }, () => {
    const tip = git.oid("main");
    let compared = 0;
    for (const [at, [before, after]] of pairs.entries()) {
      const told = guessed(bytesOf(before), bytesOf(after));
      const blame = git.text(["blame", "--porcelain", "--ignore-rev", tip, tip, "--", `f${at}`]);
      for (const [, name, source, number] of blame.matchAll(/^([0-9a-f]{40}) (\d+) (\d+)/gm)) {
        const guess = told.get(Number(number));
        if (guess === undefined) continue;
        expect([at, number, guess]).toEqual([at, number, name === tip ? 0 : Number(source)]);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(10 * FILES);
  });

  it("of files without lines, or without change, are none", () => {
    expect(guessed(bytesOf(""), bytesOf("a\n")).get(1)).toBe(0);
    expect(guessed(bytesOf("a\n"), bytesOf("")).size).toBe(0);
    expect(guessed(bytesOf("a\n"), bytesOf("a\n")).size).toBe(0);
  });
});
