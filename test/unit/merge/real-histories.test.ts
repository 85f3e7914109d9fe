/**
 * Merges and cherry-picks of real histories, against those of C git. `MERGED_REPOSITORIES` names bare repositories, with
 * colons between; `MERGES` and `PICKS` say how many of each are tried in each of them.
 *
 * @module-tag thorough
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeCommits } from "../../../src/merge/merge-commits.ts";
import { mergeTrees } from "../../../src/merge/merge-trees.ts";
import { GitObjects } from "../../support/git-objects.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { basesIn, historyOf, type MergedRevisions, mergesByGit, shown } from "../../support/merges-by-git.ts";
import { pseudoRandom } from "../../support/store.ts";

const REPOSITORIES = (process.env["MERGED_REPOSITORIES"] ?? "").split(":").filter(Boolean);
const MERGES = Number(process.env["MERGES"] ?? 700);
const PICKS = Number(process.env["PICKS"] ?? 170);
/** Merges that git is asked for at once. */
const BATCH = 20;
const HOURS = 3_600_000;

/** Opens a repository without writing to it: what git makes goes elsewhere. */
function borrowed(directory: string): GitRepository {
  const git = new GitRepository();
  writeFileSync(join(git.dir, "objects", "info", "alternates"), `${join(directory, "objects")}\n`);
  return git;
}

type Pick = { readonly base: string; readonly ours: string; readonly theirs: string };

/** Makes three commits for each pick, so that git merges the same three trees. */
function importPicks(git: GitRepository, picks: readonly Pick[]): MergedRevisions[] {
  const parts = picks.flatMap(({ base, ours, theirs }, number) =>
    [
      ["base", base],
      ["ours", ours],
      ["theirs", theirs],
    ].map(([side, tree]) => {
      const from = side === "base" ? "" : `from refs/heads/base-${number}\n`;
      return `commit refs/heads/${side}-${number}\ncommitter A <a@b> 1700000000 +0000\ndata 0\n${from}M 040000 ${tree} \n\n`;
    }),
  );
  git.git(["fast-import", "--quiet", "--force"], parts.join(""));
  return picks.map((_, number) => ({ ours: `ours-${number}`, theirs: `theirs-${number}` }));
}

describe.runIf(REPOSITORIES.length > 0)("merges of real histories", () => {
  it.each(REPOSITORIES)("are those of git in %s", { timeout: 10 * HOURS }, async (directory) => {
    const git = borrowed(directory);
    const objects = new GitObjects(git.dir);
    const random = pseudoRandom(3);
    const from = ["--git-dir", directory];
    const commits = git.lines([...from, "rev-list", "--all"]);
    const merges = git.lines([...from, "rev-list", "--all", "--merges", "--parents"]);
    const history = historyOf(git);
    const at = (list: readonly string[], number: number): string =>
      list[Math.min(Math.max(number, 0), list.length - 1)] ?? "";
    const pair = (): MergedRevisions => {
      const [, first = "", second = ""] = at(merges, random(merges.length)).split(" ");
      const near = random(commits.length);
      const [ours, theirs] =
        random(2) === 0 ? [first, second] : [at(commits, near), at(commits, near + random(2000) - 1000)];
      return random(2) === 0 ? { ours, theirs } : { ours: theirs, theirs: ours };
    };
    let [done, clean] = [0, 0];
    while (done < MERGES) {
      const pairs = Array.from({ length: BATCH }, pair).filter(
        ({ ours, theirs }) => basesIn(git, [ours, theirs]).length > 0,
      );
      const byGit = mergesByGit(git, pairs);
      for (const [number, { ours, theirs }] of pairs.entries()) {
        const result = await mergeCommits(objects, history, [ours, theirs], { labels: { ours, theirs } });
        objects.forget();
        if (result.isClean) clean++;
        expect.soft({ ours, theirs, merge: shown(result) }).toEqual({ ours, theirs, merge: byGit[number] });
      }
      done += pairs.length;
      process.stderr.write(`${directory}: ${done} merges, ${clean} of them clean\n`);
    }
    objects.close();
    git.dispose();
  });

  it.each(REPOSITORIES)("pick commits as git does in %s", { timeout: 10 * HOURS }, async (directory) => {
    const git = borrowed(directory);
    const objects = new GitObjects(git.dir);
    const random = pseudoRandom(4);
    const lines = git.lines(["--git-dir", directory, "log", "--all", "--no-merges", "--format=%T %P"]);
    const trees = new Map(
      git
        .lines(["--git-dir", directory, "log", "--all", "--format=%H %T"])
        .map((line) => [line.slice(0, 40), line.slice(41)]),
    );
    const picks = Array.from({ length: PICKS }, (): Pick => {
      const near = random(lines.length);
      const [theirs = "", parent = ""] = (lines[near] ?? "").split(" ");
      const [ours = ""] = (lines[(near + random(400)) % lines.length] ?? "").split(" ");
      return { base: trees.get(parent) ?? objects.emptyTree, ours, theirs };
    });
    const merges = importPicks(git, picks);
    const byGit = mergesByGit(git, merges);
    for (const [number, { base, ours, theirs }] of picks.entries()) {
      const labels = { ours: `ours-${number}`, theirs: `theirs-${number}` };
      const result = await mergeTrees(objects, { base, ours, theirs }, { labels });
      objects.forget();
      expect.soft({ number, merge: shown(result) }).toEqual({ number, merge: byGit[number] });
    }
    process.stderr.write(`${directory}: ${picks.length} picks\n`);
    objects.close();
    git.dispose();
  });
});
