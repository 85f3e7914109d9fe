/**
 * What of a repository a caller may see. Every door that leads to refs, objects or the log asks here, so that one rule holds at all of
 * them: what no ref reaches any more is as good as missing, whatever else is known of it.
 *
 * @packageDocumentation
 */
import { i32At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { GraphSession } from "../graph/graph-session.ts";
import { type ReachedCommits, type ReachLimit, whichReached } from "../graph/reachability.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { RECENT_TIME } from "../refs/recent-values.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { OpenSnapshot, RepositoryRecord } from "../refs/ref-store.ts";
import { logBeginning } from "../refs/visible-log.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { Repository } from "./repository.ts";

/** A request's snapshot of a repository, with its catalog, and the objects of that. */
export type SnapshotObjects = { readonly answer: OpenSnapshot; readonly database: ObjectDatabase };

/** Whether all that is stored can be reached from refs, so that nobody has to look whether something can. */
export function allReachable({ packs }: Pick<OpenSnapshot, "packs">): boolean {
  return packs.every((pack) => pack.marked);
}

/**
 * Gives the packs whose files may be handed out as they lie in the bucket. All in them has to be reachable: either everything that is
 * stored is, or the pack carries the mark and has no objects that completion appended, which the mark does not speak of. Nor does it
 * speak of a tip pack, whose objects are in other packs.
 */
export function wholePacks(answer: Pick<OpenSnapshot, "packs">): readonly PackRecord[] {
  if (allReachable(answer)) return answer.packs;
  return answer.packs.filter(
    ({ marked, source, ownObjects, objects }) => marked && source !== "copy" && ownObjects === objects,
  );
}

/**
 * Says of each of `names` (raw), all of objects that are in the snapshot, whether some ref reaches it. Where not every pack carries
 * the mark, that takes all refs, and a walk in a session and a kernel of its own: the marks it leaves would be in the way of others.
 */
export async function reachedByRefs(
  repository: Repository,
  { answer, database }: SnapshotObjects,
  names: readonly Uint8Array[],
): Promise<boolean[]> {
  if (names.length === 0 || allReachable(answer)) return names.map(() => true);
  const { rawSize } = database.context.format;
  const now = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (now.kind === "missing") return names.map(() => false);
  return await reachedFrom(repository, { answer, database }, now, { names, tips: tipsOf(now.refs, rawSize) });
}

/**
 * Says of each of `names` (raw), all of objects that are in the snapshot, whether a value reaches it that some ref had within the last
 * minute. The store is asked only where there are names: such wants are refused otherwise.
 */
export async function reachedByRecentValues(
  repository: Repository,
  { answer, database }: SnapshotObjects,
  names: readonly Uint8Array[],
): Promise<boolean[]> {
  if (names.length === 0) return [];
  const { rawSize } = database.context.format;
  const now = await repository.refs.open({ packs: true, recentSince: repository.now() - RECENT_TIME });
  const none = names.map(() => false);
  if (now.kind === "missing" || now.recentValues === undefined || now.recentValues.length === 0) return none;
  const all = now.recentValues;
  // what has been removed from the catalog since is not there for anybody
  const { packs } = await database.withPacks(now.packs).locate(all);
  const tips: Uint8Array[] = [];
  for (const [i, pack] of packs.entries()) if (pack >= 0) tips.push(all.subarray(i * rawSize, (i + 1) * rawSize));
  return await reachedFrom(repository, { answer, database }, now, { names, tips });
}

/** Says of each name whether a tip reaches it, in the catalog of the snapshot `now`, which is as new as `answer` or newer. */
async function reachedFrom(
  repository: Repository,
  { answer, database }: SnapshotObjects,
  now: OpenSnapshot,
  { names, tips }: { readonly names: readonly Uint8Array[]; readonly tips: Iterable<Uint8Array> },
): Promise<boolean[]> {
  // deleted meanwhile, or made anew
  if (now.record.id !== answer.record.id) return names.map(() => false);
  // a ref that moved meanwhile may name what only a newer pack has
  const objects = now.version === answer.version ? database : database.withPacks(now.packs);
  const { rawSize } = database.context.format;
  const kernel = await repository.kernels.lend(rawSize);
  const session = new GraphSession(objects, kernel);
  try {
    return await whichReached(session, names, tips);
  } finally {
    session.close();
    repository.kernels.giveBack(kernel);
  }
}

/** Gives the values that refs have. */
function* tipsOf(rows: readonly Uint8Array[], rawSize: number): Generator<Uint8Array> {
  for (const { oid } of decodeRefRows(rows, rawSize)) yield oid;
}

/** What a repository that is no mirror, and a moment that may not be seen, are answered with. */
export const NO_SUCH_MOMENT =
  "Only a mirror can be read as it was, and only from when it became one that you may read.";

/**
 * Whether a caller may read a repository as it was at a moment (milliseconds since the epoch). Only mirrors show their past: elsewhere,
 * history that was pushed away is not shown again. `needsPublic` is a caller who may read it only because it is public.
 */
export function showsMoment(record: RepositoryRecord, at: number, needsPublic: boolean): boolean {
  return record.mirror !== undefined && at >= logBeginning(record, needsPublic).at;
}

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
  // What the client has is read next in any case.
  await graph.prefetch(nodes);
  await reached.addTips([...seeds, ...tipsAmong(nodes, graph, answer.tipHaves)]);
  const unknown = nodes.filter((node) => !reached.has(node));
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

/** Gives those of the nodes that the snapshot said to be tips: they cost no search. */
function tipsAmong(nodes: readonly number[], graph: GraphSession, tips: readonly Uint8Array[] = []): number[] {
  const known = new Set(tips.map((name) => graph.findNode(name)));
  return nodes.filter((node) => known.has(node));
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
  return nodes.filter((_, i) => i32At(packs, i) >= 0);
}
