/**
 * Merges two commits. Where they have several common ancestors, those are merged first, and the result is the ancestor.
 *
 * @packageDocumentation
 * @see git-merge(1), "MERGE STRATEGIES", ort; git-merge-base(1)
 */
import { LimitExceeded } from "../bytes/failure.ts";
import type { MergeOptions } from "./merge-state.ts";
import type { MergeSource } from "./merge-source.ts";
import { mergeTrees, type MergeResult } from "./merge-trees.ts";

/** The commits of a history. All names are hexadecimal. */
export type MergeHistory = {
  readonly treeOf: (commit: string) => Promise<string>;
  /** Returns the best common ancestors of a commit and what any of `others` reaches, the youngest first. */
  readonly basesOf: (commit: string, others: readonly string[]) => Promise<readonly string[]>;
};

/** Ancestors that one merge may bring together. */
const MOST_BASES = 1000;

/** A commit, or what came of merging several, which has no name: then `commits` are those. */
type Merged = { readonly commits: readonly string[]; readonly tree: string };

/** Merges two commits, of which the first is ours. */
export async function mergeCommits(
  source: MergeSource,
  history: MergeHistory,
  [ours, theirs]: readonly [string, string],
  options: MergeOptions,
): Promise<MergeResult> {
  return await new RecursiveMerge(source, history).merge([await commitOf(history, ours), theirs], options, 0);
}

async function commitOf(history: MergeHistory, commit: string): Promise<Merged> {
  return { commits: [commit], tree: await history.treeOf(commit) };
}

class RecursiveMerge {
  readonly #source: MergeSource;
  readonly #history: MergeHistory;
  #bases = 0;

  constructor(source: MergeSource, history: MergeHistory) {
    this.#source = source;
    this.#history = history;
  }

  async merge([ours, theirs]: readonly [Merged, string], options: MergeOptions, depth: number): Promise<MergeResult> {
    const bases = await this.#history.basesOf(theirs, ours.commits);
    this.#bases += bases.length;
    if (this.#bases > MOST_BASES) {
      throw new LimitExceeded("merge-bases", MOST_BASES, `the histories have more than ${MOST_BASES} common ancestors`);
    }
    const base = await this.#joined(bases.toReversed(), depth);
    const trees = { base, ours: ours.tree, theirs: await this.#history.treeOf(theirs) };
    return await mergeTrees(this.#source, trees, options, depth);
  }

  /** Merges the ancestors, one after the other. Returns the tree of the result. */
  async #joined([first, ...others]: readonly string[], depth: number): Promise<string> {
    if (first === undefined) return this.#source.emptyTree;
    let joined = await commitOf(this.#history, first);
    const labels = { ours: "Temporary merge branch 1", theirs: "Temporary merge branch 2" };
    for (const next of others) {
      const { tree } = await this.merge([joined, next], { labels }, depth + 1);
      joined = { commits: [...joined.commits, next], tree };
    }
    return joined.tree;
  }
}
