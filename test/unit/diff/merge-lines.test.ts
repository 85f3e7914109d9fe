/**
 * Merges line by line, against what git makes of the same files.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LineMergeOptions, mergeLines, type MergedLines } from "../../../src/diff/merge-lines.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { commitTriples, type FileTriple, fileTriple } from "../../support/random-files.ts";
import { pseudoRandom } from "../../support/store.ts";

function bytes(content: string): Uint8Array {
  return new Uint8Array(Buffer.from(content, "latin1"));
}

function merged({ base, ours, theirs }: FileTriple, options: Partial<LineMergeOptions> = {}): MergedLines {
  const files = { base: bytes(base), ours: bytes(ours), theirs: bytes(theirs) };
  const search = mergeLines(files, { labels: { ours: "ours", theirs: "theirs" }, markerSize: 7, ...options });
  for (let next = search.next(); ; next = search.next()) if (next.done === true) return next.value;
}

function text(merge: MergedLines): string {
  return Buffer.from(merge.bytes).toString("latin1");
}

describe("a merge with very many conflicts", () => {
  it("has its size told before it is written, and gives way in between", () => {
    const side = (name: string): Uint8Array =>
      bytes(Array.from({ length: 5000 }, (_, line) => (line % 5 === 0 ? `${name} ${line}\n` : `${line}\n`)).join(""));
    const files = { base: side("base"), ours: side("ours"), theirs: side("theirs") };
    const reserved: number[] = [];
    const labels = { ours: "o".repeat(2000), theirs: "t".repeat(2000) };
    const options = { labels, markerSize: 7, reserve: (size: number) => reserved.push(size) };
    const search = mergeLines(files, options);
    let [yields, most] = [0, 0];
    for (let next = search.next(); ; next = search.next()) {
      if (next.done === true) {
        expect(next.value.conflicts).toBe(1000);
        expect(reserved).toEqual([next.value.bytes.length]);
        break;
      }
      if (reserved.length === 0) continue;
      yields++;
      most = Math.max(most, next.value);
    }
    expect(yields).toBeGreaterThan(5);
    expect(most).toBeLessThan(1_000_000);
  });

  it("takes nothing where there is no room for the result", () => {
    const reserve = (): never => {
      throw new Error("no room");
    };
    expect(() => merged({ base: "a\n", ours: "b\n", theirs: "c\n" }, { reserve })).toThrow("no room");
  });
});

describe("merges of random files", () => {
  const git = new GitRepository();
  const random = pseudoRandom(7);
  const triples = Array.from({ length: 400 }, () => fileTriple(random));

  beforeAll(() => {
    commitTriples(git, triples);
  });

  afterAll(() => {
    git.dispose();
  });

  it("are those of git, conflict markers and all", () => {
    const { stdout } = git.run(["merge-tree", "--write-tree", "-z", "--name-only", "ours", "theirs"]);
    const [tree = "", ...rest] = stdout.toString("latin1").split("\0");
    const conflicted = new Set(rest.slice(0, rest.indexOf("")));
    expect(conflicted.size).toBeGreaterThan(50);
    for (const [number, triple] of triples.entries()) {
      const { conflicts, ...merge } = merged(triple);
      const expected = git.git(["cat-file", "blob", `${tree}:${number}`]).toString("latin1");
      expect({ number, text: text({ ...merge, conflicts }) }).toEqual({ number, text: expected });
      expect({ number, isConflict: conflicts > 0 }).toEqual({ number, isConflict: conflicted.has(String(number)) });
    }
  });
});
