/**
 * What of a repository a caller may see. Every door that leads to refs, objects or the log asks here, so that one rule holds at all of
 * them: what no ref reaches any more is as good as missing, whatever else is known of it.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import type { ReachedCommits, ReachLimit } from "../graph/reachability.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { allReachable } from "./reached-by-refs.ts";
import type { Repository } from "./repository.ts";

/** Where commits that a client named are looked for. */
export type NamedCommits = {
  readonly repository: Repository;
  readonly answer: OpenSnapshot;
  readonly graph: GraphSession;
  readonly reached: ReachedCommits;
  /** Nodes that are known to be reached: what the client wants, and was let have. */
  readonly seeds: readonly number[];
};

/** Commits that are looked at to find what clients say they have. */
const MOST_WALKED = 250_000;

/** How far is looked for haves: one that is overlooked makes the pack larger, and nothing else. */
export const FOR_HAVES: ReachLimit = { byTime: true, mostCommits: MOST_WALKED };
/**
 * How far is looked for the commits at which a client's history is cut: to the end. The client lacks what lies behind them, so that
 * one which is overlooked would have it be sent too little.
 */
export const FOR_CUTS: ReachLimit = { byTime: false, mostCommits: Number.POSITIVE_INFINITY };

/**
 * Gives those of `nodes`, which are of objects that are here, that the client may be known to have: commits that a ref reaches. Where
 * every pack carries the mark that is all of them. Else trees and blobs are left out, too: to look for them would take a walk through
 * everything, and clients negotiate by commits.
 */
export async function visibleCommits(
  { repository, answer, graph, reached, seeds }: NamedCommits,
  nodes: readonly number[],
  limit: ReachLimit,
): Promise<number[]> {
  if (nodes.length === 0 || allReachable(answer)) return [...nodes];
  await reached.addTips(seeds);
  const unknown = nodes.filter((node) => !reached.has(node));
  await graph.prefetch(unknown);
  const commits: number[] = [];
  for (const node of unknown) {
    // a blob may be too large to be read
    if ((await graph.kindOf(node)) === KIND_NUMBER.commit && (await graph.loadCommit(node))) commits.push(node);
  }
  const left = await reached.find(commits, limit);
  if (left.length > 0) {
    await reached.addTips(await currentTips(repository, answer, graph));
    await reached.find(left, limit);
  }
  return nodes.filter((node) => reached.has(node));
}

/** Gives nodes of what refs have now; those that came after the snapshot are passed over where their objects did, too. */
async function currentTips(repository: Repository, answer: OpenSnapshot, graph: GraphSession): Promise<number[]> {
  const now = await repository.refs.open({ refPrefixes: [] });
  // deleted meanwhile, or made anew
  if (now.kind === "missing" || now.record.id !== answer.record.id) return [];
  const { rawSize } = graph.format;
  const names = [...decodeRefRows(now.refs, rawSize)].map(({ oid, peeled = oid }) => peeled);
  const nodes = [...new Set(names.map((name) => graph.node(name)))];
  if (now.version === answer.version) return nodes;
  const { packs } = await graph.database.locate(concat(nodes.map((node) => graph.nameOf(node))));
  return nodes.filter((_, i) => (packs[i] ?? -1) >= 0);
}
