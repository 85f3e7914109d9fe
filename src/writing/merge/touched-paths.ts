/**
 * Which paths commits may change, as their filters of changed paths tell, where a repository has them.
 *
 * @packageDocumentation
 */
import { type BloomKey, mayHaveChanged } from "../../format/bloom-filter.ts";
import type { GraphSession } from "../../graph/graph-session.ts";

/** The filters of a repository's commits. */
export class TouchedPaths {
  readonly #graph: GraphSession;
  #hasFilters: boolean | undefined;

  constructor(graph: GraphSession) {
    this.#graph = graph;
  }

  /** Whether a commit may change one of some paths, as far as its filter tells. */
  async mayTouch(commit: number, paths: readonly BloomKey[]): Promise<boolean> {
    const { database, commits } = this.#graph;
    const { graph } = database;
    if (graph === undefined) return true;
    this.#hasFilters ??= await graph.loadFilters();
    if (!this.#hasFilters) return true;
    const known = commits.positionOf(commit);
    const position = known >= 0 ? known : graph.find(this.#graph.nameOf(commit));
    if (position < 0) return true;
    const filter = graph.filterAt(position);
    return paths.some((key) => mayHaveChanged(filter, [key]));
  }
}
