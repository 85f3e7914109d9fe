/**
 * Finds every object that refs reach, for the maintenance of a repository. Each object is opened once, whatever number
 * of tips are added.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--objects`
 */
import { SELECTED } from "../kernel/object-flags.ts";
import { walkCommits } from "../graph/commit-walk.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { selectGivenTrees, selectTreesOf } from "../graph/object-walk.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";

/** The objects that some tips reach. */
export class ReachableObjects {
  readonly #graph: GraphSession;

  constructor(graph: GraphSession) {
    this.#graph = graph;
  }

  /**
   * Adds what these objects reach, given by their raw names, one after the other, and calls `onProgress` now and then.
   *
   * @throws MissingObject, CorruptStore
   */
  async add(names: Uint8Array, onProgress: () => Promise<void>): Promise<void> {
    const graph = this.#graph;
    const { rawSize } = graph.format;
    const tips: number[] = [];
    for (let at = 0; at < names.length; at += rawSize) tips.push(graph.node(names.subarray(at, at + rawSize)));
    await graph.learnTypes(tips);
    const commits: number[] = [];
    const trees: number[] = [];
    for (const tip of tips) {
      const object = await graph.peel(tip, SELECTED);
      const type = await graph.typeOf(object);
      if (type === TYPE_NUMBER.commit) commits.push(object);
      else if (type === TYPE_NUMBER.tree) trees.push(object);
      else graph.mark(object, SELECTED);
    }
    const walk = { filter: NO_FILTER, count: onProgress };
    const { interesting } = await walkCommits(graph, commits, []);
    for (const node of interesting) graph.mark(node, SELECTED);
    await selectTreesOf(graph, { interesting, edges: [] }, walk);
    await selectGivenTrees(graph, trees, walk);
  }

  /** Whether the object with this raw name is reached. */
  has(name: Uint8Array): boolean {
    const node = this.#graph.findNode(name);
    return node >= 0 && this.#graph.has(node, SELECTED);
  }
}
