/**
 * Merges two trees with a common ancestor, as git's strategy `ort` does.
 *
 * @packageDocumentation
 * @see git-merge-tree(1), git-merge(1), "MERGE STRATEGIES"
 */
import { applyRenames } from "./apply-renames.ts";
import { collectPaths } from "./collect.ts";
import { type ConflictNote, type MergeOptions, MergeState } from "./merge-state.ts";
import type { MergeSource } from "./merge-source.ts";
import { settlePaths } from "./settle-paths.ts";
import { bitOf, NOTHING, STAGES, type Stage, type Version } from "./version.ts";

/** The names of three trees, in hexadecimal. */
export type MergedTrees = { readonly base: string; readonly ours: string; readonly theirs: string };

/** A version that takes part in a conflict. */
export type ConflictStage = Version & { readonly stage: Stage };

/** A path in conflict, what the resulting tree has there, and the versions as in git's index. */
export type ConflictedPath = {
  readonly path: string;
  readonly result: Version;
  readonly stages: readonly ConflictStage[];
};

/** A merge: the tree, with conflict markers where there are conflicts, and those. */
export type MergeResult = {
  readonly tree: string;
  readonly isClean: boolean;
  /** In the order of their paths. */
  readonly conflicted: readonly ConflictedPath[];
  readonly notes: readonly ConflictNote[];
};

/**
 * Merges two trees. `depth` is above 0 where ancestors are merged, whose conflicts nobody is asked about.
 *
 * @throws LimitExceeded
 */
export async function mergeTrees(
  source: MergeSource,
  { base, ours, theirs }: MergedTrees,
  options: MergeOptions,
  depth = 0,
): Promise<MergeResult> {
  const state = new MergeState(source, options, depth);
  await collectPaths(state, [base, ours, theirs]);
  await applyRenames(state);
  const tree = await settlePaths(state, ours);
  const conflicted = [...state.conflicted]
    .map(([path, { files, stages, result, isRemoved }]): ConflictedPath => ({
      path,
      result: isRemoved ? NOTHING : plain(result),
      stages: STAGES.filter((stage) => (files & bitOf(stage)) !== 0).map((stage) => ({
        stage,
        ...plain(stages[stage]),
      })),
    }))
    .sort((one, two) => (one.path < two.path ? -1 : 1));
  const isClean = state.isClean && conflicted.length === 0;
  // What is told of conflicts is held until it was told. Of ancestors nothing is.
  if (isClean || depth > 0) state.release();
  return { tree, isClean, conflicted, notes: state.notes };
}

/** Returns a version without the name that an entry of a tree has. */
function plain({ mode, oid }: Version): Version {
  return { mode, oid };
}
