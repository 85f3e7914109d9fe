/**
 * Merges of trees and histories, against those of C git.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergeCommits } from "../../../src/merge/merge-commits.ts";
import { GitObjects } from "../../support/git-objects.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { historyOf, mergesByGit, shown } from "../../support/merges-by-git.ts";
import { importMerges } from "../../support/random-merges.ts";
import { pseudoRandom } from "../../support/store.ts";

describe("merges of random histories", () => {
  const git = new GitRepository();
  const merges = importMerges(
    git,
    pseudoRandom(Number(process.env["MERGE_SEED"] ?? 11)),
    Number(process.env["MERGES"] ?? 400),
  );
  const history = historyOf(git);
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
      const result = await mergeCommits(objects, history, [git.oid(ours), git.oid(theirs)], {
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
