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
