/**
 * What C git makes of merges, many in one process.
 *
 * @packageDocumentation
 */
import type { MergeHistory } from "../../src/merge/merge-commits.ts";
import type { MergeResult } from "../../src/merge/merge-trees.ts";
import { modeText } from "../../src/object/tree.ts";
import type { GitRepository } from "./git-repository.ts";

/** Two revisions that are merged; their names are the labels of both sides. */
export type MergedRevisions = { readonly ours: string; readonly theirs: string };

/** Returns the history of a repository of C git's. */
export function historyOf(git: GitRepository): MergeHistory {
  // One process tells the trees of all commits that there are.
  const trees = new Map(
    git.lines(["log", "--all", "--format=%H %T"]).map((line) => {
      const [commit = "", tree = ""] = line.split(" ");
      return [commit, tree];
    }),
  );
  const bases = new Map<string, readonly string[]>();
  return {
    treeOf: async (commit) => {
      const tree = trees.get(commit) ?? git.oid(`${commit}^{tree}`);
      trees.set(commit, tree);
      return tree;
    },
    basesOf: async (commit, others) => {
      const asked = [commit, ...others].join(" ");
      const known = bases.get(asked) ?? basesIn(git, [commit, ...others]);
      bases.set(asked, known);
      return known;
    },
  };
}

/** Returns the best common ancestors of a commit and what any of the others reaches. */
export function basesIn(git: GitRepository, commits: readonly string[]): readonly string[] {
  const { ok, stdout } = git.run(["merge-base", "--all", ...commits]);
  return ok ? stdout.toString().split("\n").filter(Boolean) : [];
}

/** Returns a result as `git merge-tree -z --no-messages` prints it. */
export function shown({ tree, isClean, conflicted }: MergeResult): string[] {
  const stages = conflicted.flatMap(({ path, stages: versions }) =>
    versions.map(({ stage, mode, oid }) => `${modeText(mode)} ${oid} ${stage + 1}\t${path}`),
  );
  return [isClean ? "1" : "0", tree, ...stages];
}

/** Has git merge pairs of revisions, and returns what it prints of each. */
export function mergesByGit(git: GitRepository, merges: readonly MergedRevisions[]): string[][] {
  const input = merges.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join("");
  const printed = git.git(["merge-tree", "--write-tree", "-z", "--no-messages", "--stdin"], input).toString("latin1");
  return printed
    .split("\0\0")
    .slice(0, -1)
    .map((one) => one.split("\0"));
}
