/**
 * The paths that commits change, with the filters of changed paths in front where a repository has them.
 *
 * @packageDocumentation
 */
import { type BloomKey, mayHaveChanged } from "../../format/bloom-filter.ts";
import { ChangedPaths } from "../../graph/changed-paths.ts";
import type { GraphSession } from "../../graph/graph-session.ts";

/** The paths that commits change, each against its only parent. */
export class TouchedPaths {
  readonly #graph: GraphSession;
  readonly #changed: ChangedPaths;
  #hasFilters: boolean | undefined;

  /** `most`: the files that a commit may change. */
  constructor(graph: GraphSession, most: number) {
    this.#graph = graph;
    this.#changed = new ChangedPaths(graph, most);
  }

  /** Returns the paths, in order; `undefined` for a merge, and for a commit that changes too much. */
  async of(commit: number): Promise<readonly string[] | undefined> {
    await this.#graph.loadCommit(commit);
    if ([...this.#graph.commits.parentsOf(commit)].length > 1) return undefined;
    return (await this.#changed.of(commit))?.toSorted();
  }

  /** Whether a commit may change one of some paths, as far as its filter tells. */
  async mayTouch(commit: number, paths: readonly (readonly BloomKey[])[]): Promise<boolean> {
    const { database, commits } = this.#graph;
    const { graph } = database;
    if (graph === undefined) return true;
    this.#hasFilters ??= await graph.loadFilters();
    if (!this.#hasFilters) return true;
    const known = commits.positionOf(commit);
    const position = known >= 0 ? known : graph.find(this.#graph.nameOf(commit));
    if (position < 0) return true;
    const filter = graph.filterAt(position);
    return paths.some((keys) => mayHaveChanged(filter, keys));
  }
}
