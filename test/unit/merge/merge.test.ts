/**
 * Merges of trees and histories, against those of C git.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergeCommits, type MergeHistory } from "../../../src/merge/merge-commits.ts";
import type { MergeResult } from "../../../src/merge/merge-trees.ts";
import { modeText } from "../../../src/object/tree.ts";
import { GitObjects } from "../../support/git-objects.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { importMerges, type MergedBranches } from "../../support/random-merges.ts";
import { pseudoRandom } from "../../support/store.ts";

/** Returns the history of a repository of C git's. */
function historyOf(git: GitRepository): MergeHistory {
  return {
    treeOf: async (commit) => git.oid(`${commit}^{tree}`),
    basesOf: async (commit, others) => {
      const { ok, stdout } = git.run(["merge-base", "--all", commit, ...others]);
      return ok ? stdout.toString().split("\n").filter(Boolean) : [];
    },
  };
}

/** Returns a result as `git merge-tree -z --no-messages` prints it. */
function shown({ tree, isClean, conflicted }: MergeResult): string[] {
  const stages = conflicted.flatMap(({ path, stages: versions }) =>
    versions.map(({ stage, mode, oid }) => `${modeText(mode)} ${oid} ${stage + 1}\t${path}`),
  );
  return [isClean ? "1" : "0", tree, ...stages];
}

/** Has git merge pairs of branches, all in one process. */
function mergesByGit(git: GitRepository, merges: readonly MergedBranches[]): string[][] {
  const input = merges.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join("");
  const printed = git.git(["merge-tree", "--write-tree", "-z", "--no-messages", "--stdin"], input).toString("latin1");
  return printed
    .split("\0\0")
    .slice(0, -1)
    .map((one) => one.split("\0"));
}

describe("merges of random histories", () => {
  const git = new GitRepository();
  const merges = importMerges(
    git,
    pseudoRandom(Number(process.env["MERGE_SEED"] ?? 11)),
    Number(process.env["MERGES"] ?? 400),
  );
  let objects: GitObjects;

  beforeAll(() => {
    objects = new GitObjects(git.dir);
  });

  afterAll(() => {
    objects.close();
    git.dispose();
  });

  it("give the trees and the conflicted files of git", async () => {
    const byGit = mergesByGit(git, merges);
    expect(byGit).toHaveLength(merges.length);
    let clean = 0;
    for (const [number, { ours, theirs }] of merges.entries()) {
      const result = await mergeCommits(objects, historyOf(git), [git.oid(ours), git.oid(theirs)], {
        labels: { ours, theirs },
      });
      if (result.isClean) clean++;
      // Where a file is added in a place of a directory that was moved, git loses it, and writes an entry of nothing.
      if (byGit[number]?.some((line) => line.startsWith("000000 ")) === true) continue;
      expect({ number, merge: shown(result) }).toEqual({ number, merge: byGit[number] });
      if (!result.isClean) expect({ number, notes: result.notes }).not.toEqual({ number, notes: [] });
    }
    expect(clean).toBeGreaterThan(merges.length / 10);
    expect(clean).toBeLessThan((merges.length * 9) / 10);
  });
});
