/**
 * Finds the objects that refs reach, for the maintenance of a repository. Each object is opened once, whatever number of
 * tips are added.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--objects`
 */
import { SELECTED } from "../kernel/object-flags.ts";
import { walkCommits } from "../graph/commit-walk.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { selectNamed } from "../graph/named-objects.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { selectGivenTrees, selectTreesOf } from "../graph/object-walk.ts";

/** The objects that some tips reach. */
export class ReachableObjects {
  readonly #graph: GraphSession;

  constructor(graph: GraphSession) {
    this.#graph = graph;
  }

  /**
   * Adds what these objects reach, given by their raw names, one after the other. What `known` commits reach may be left
   * out.
   *
   * @throws MissingObject, CorruptStore
   */
  async add(names: Uint8Array, known: readonly number[] = []): Promise<void> {
    const graph = this.#graph;
    const { rawSize } = graph.format;
    const tips: number[] = [];
    for (let at = 0; at < names.length; at += rawSize) tips.push(graph.node(names.subarray(at, at + rawSize)));
    await graph.learnTypes(tips);
    const { commits, trees } = await selectNamed(graph, tips);
    const walk = { filter: NO_FILTER, count: () => graph.database.context.pacer.pace() };
    const walked = await walkCommits(graph, commits, known);
    for (const node of walked.interesting) graph.mark(node, SELECTED);
    await selectTreesOf(graph, walked, walk);
    await selectGivenTrees(graph, trees, walk);
  }

  /** Whether the object with this raw name was added. */
  has(name: Uint8Array): boolean {
    const node = this.#graph.findNode(name);
    return node >= 0 && this.#graph.has(node, SELECTED);
  }

  /** Yields the raw names of all objects that were added. */
  *names(): Generator<Uint8Array> {
    const graph = this.#graph;
    for (let node = 0; node < graph.kernel.oidCount; node++) if (graph.has(node, SELECTED)) yield graph.nameOf(node);
  }
}
