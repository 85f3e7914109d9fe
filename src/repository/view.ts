/**
 * Decides which parts of a repository a caller may see. Every way to refs, objects or the log asks here, so one rule
 * holds for all of them: an object that no ref reaches counts as missing, whatever else is known of it.
 *
 * @packageDocumentation
 */
import { i32At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { learnNamed, nodesOf } from "../graph/named-objects.ts";
import { ReachedCommits, type ReachLimit, whichReached } from "../graph/reachability.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { pastBeginning } from "../refs/grace-period.ts";
import { RECENT_TIME } from "../refs/recent-values.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { OpenSnapshot, RepositoryRecord } from "../refs/ref-store.ts";
import { logBeginning } from "../refs/visible-log.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { inOwnSession } from "./own-session.ts";
import type { Repository } from "./repository.ts";

/** A request's snapshot of a repository, with the catalog, and the objects of that catalog. */
export type SnapshotObjects = {
  readonly answer: Pick<OpenSnapshot, "record" | "version" | "packs">;
  readonly database: ObjectDatabase;
};

/** The same, with the walks of the request, which a search shares. */
export type SearchedObjects = SnapshotObjects & {
  readonly graph: GraphSession;
  /** What refs are known to reach. */
  readonly reached: ReachedCommits;
};

/** Whether refs reach everything that is stored, so that no search for reachability is needed. */
export function allReachable({ packs }: Pick<OpenSnapshot, "packs">): boolean {
  return packs.every((pack) => pack.marked);
}

/**
 * Returns the packs whose files may be handed out as they lie in the bucket. All their objects must be reachable.
 * Either everything stored is, or the pack carries the mark and completion appended no objects to it, which the mark
 * does not cover. The mark does not cover a tip pack either, whose objects are in other packs.
 */
export function wholePacks(answer: Pick<OpenSnapshot, "packs">): readonly PackRecord[] {
  if (allReachable(answer)) return answer.packs;
  return answer.packs.filter(
    ({ marked, source, ownObjects, objects }) => marked && source !== "copy" && ownObjects === objects,
  );
}

/**
 * Returns whether some ref reaches each of `names` (raw), all of objects in the snapshot. If some pack lacks the mark,
 * this reads all refs and walks: through commits for commits, and through everything for trees and blobs.
 */
export async function reachedByRefs(
  repository: Repository,
  searched: SearchedObjects,
  names: readonly Uint8Array[],
): Promise<boolean[]> {
  const { answer, database, reached } = searched;
  if (names.length === 0 || allReachable(answer)) return names.map(() => true);
  const { rawSize } = database.context.format;
  const now = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (now.kind === "missing") return names.map(() => false);
  const asked = { names, tips: [...tipsOf(now.refs, rawSize)] };
  if (now.record.id !== answer.record.id || now.version !== answer.version) {
    return await reachedFrom(repository, { answer, database }, now, asked);
  }
  reached.hasAllTips = true;
  return await search(repository, searched, asked);
}

/**
 * Returns whether a value that some ref had within the last minute reaches each of `names` (raw), all of objects in the
 * snapshot. The store is asked only if there are names, because such wants are refused otherwise.
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
  // an object that left the catalog meanwhile is not there for anybody
  const { packs } = await database.withPacks(now.packs).locate(all);
  const tips: Uint8Array[] = [];
  for (const [i, pack] of packs.entries()) if (pack >= 0) tips.push(all.subarray(i * rawSize, (i + 1) * rawSize));
  return await reachedFrom(repository, { answer, database }, now, { names, tips });
}

/**
 * Returns whether a tip reaches each name, in the catalog of the snapshot `now`, which is as new as `answer` or newer.
 */
async function reachedFrom(
  repository: Repository,
  { answer, database }: SnapshotObjects,
  now: OpenSnapshot,
  asked: AskedObjects,
): Promise<boolean[]> {
  // deleted meanwhile, or made anew
  if (now.record.id !== answer.record.id) return asked.names.map(() => false);
  // a ref that moved meanwhile may name an object that only a newer pack has
  const objects = now.version === answer.version ? database : database.withPacks(now.packs);
  const first = await inOwnSession(repository, objects, async (graph) => {
    return await amongCommits({ graph, reached: new ReachedCommits(graph) }, asked);
  });
  return await withTrees(repository, objects, asked, first);
}

/** Raw names, and the values that are searched for what reaches them. */
type AskedObjects = { readonly names: readonly Uint8Array[]; readonly tips: readonly Uint8Array[] };

/** What is known of names when their commits were searched: `undefined` of a tree or a blob. */
type Searched = readonly (boolean | undefined)[];

/** Returns whether a tip reaches each name, those of trees and blobs aside. */
async function amongCommits(
  { graph, reached }: Pick<SearchedObjects, "graph" | "reached">,
  { names, tips }: AskedObjects,
): Promise<Searched> {
  const nodes = await nodesOf(graph, concat(names));
  await reached.addTips(await nodesOf(graph, concat(tips)));
  await reached.findAmong(nodes, FOR_CUTS);
  const found: (boolean | undefined)[] = [];
  for (const node of nodes) {
    const isReached = reached.has(node);
    const type = isReached ? undefined : await graph.typeOf(node);
    found.push(type === TYPE_NUMBER.tree || type === TYPE_NUMBER.blob ? undefined : isReached);
  }
  return found;
}

/**
 * Returns what {@link amongCommits} has left open, too: by a walk whose flags would disturb others. No other session may be
 * open for this question, since a request has two kernels at most: memory is kept for one more than its first.
 */
async function withTrees(
  repository: Repository,
  database: ObjectDatabase,
  { names, tips }: AskedObjects,
  searched: Searched,
): Promise<boolean[]> {
  const rest = names.filter((_, i) => searched[i] === undefined);
  if (rest.length === 0) return searched.map((isReached) => isReached === true);
  const found = await inOwnSession(repository, database, async (session) => await whichReached(session, rest, tips));
  let at = 0;
  return searched.map((isReached) => isReached ?? found[at++] === true);
}

/** Returns whether a tip reaches each name, with the caller's own search among commits. */
async function search(
  repository: Repository,
  { database, graph, reached }: Omit<SearchedObjects, "answer">,
  asked: AskedObjects,
): Promise<boolean[]> {
  return await withTrees(repository, database, asked, await amongCommits({ graph, reached }, asked));
}

/** Yields the values of refs. */
function* tipsOf(rows: readonly Uint8Array[], rawSize: number): Generator<Uint8Array> {
  for (const { oid } of decodeRefRows(rows, rawSize)) yield oid;
}

/** The answer for a repository that does not show its past, and for an instant that the caller may not see. */
export const NO_SUCH_MOMENT =
  "Only a mirror, and a repository whose owner has its past shown, can be read as it was: from when that began, and from when you may read it.";

/** The caller, and the present. */
export type MomentReader = {
  /** Whether the caller may read the repository only because it is public. */
  readonly needsPublic: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/**
 * Whether a caller may read a repository as it was at an instant (milliseconds since the epoch). A mirror shows its past.
 * Another repository shows it within its grace period, if its owner has chosen that: otherwise history that a forced push
 * removed is not shown again.
 */
export function showsMoment(record: RepositoryRecord, at: number, { needsPublic, now }: MomentReader): boolean {
  if (at < logBeginning(record, needsPublic).at) return false;
  if (record.mirror !== undefined) return true;
  const beginning = pastBeginning(record, now);
  return beginning !== undefined && at >= beginning;
}

/** The snapshot and the state of the search in which the commits that a client named are looked up. */
export type NamedCommits = Omit<SearchedObjects, "database" | "answer"> & {
  readonly answer: OpenSnapshot;
  readonly repository: Repository;
  /** Nodes that are known to be reachable: the client's wants, which it is allowed. */
  readonly seeds: readonly number[];
};

/** The most commits that are looked at to find a client's haves. */
const MOST_WALKED = 250_000;

/** The bounds of a search for haves. A have that is overlooked makes the pack larger, and nothing else. */
export const FOR_HAVES: ReachLimit = { byTime: true, mostCommits: MOST_WALKED };
/**
 * The bounds of a search for the commits at which a client's history is cut: none. The client lacks the history behind
 * them, so if one were overlooked, the client would be sent too little.
 */
export const FOR_CUTS: ReachLimit = { byTime: false, mostCommits: Number.POSITIVE_INFINITY };

/**
 * Returns those of `nodes`, all of stored objects, that the client may be known to have: commits that a ref reaches. If
 * every pack carries the mark, these are all nodes. If not, trees and blobs are left out too. A search for them would
 * walk through everything, and clients negotiate by commits.
 */
export async function visibleCommits(
  { repository, answer, graph, reached, seeds }: NamedCommits,
  nodes: readonly number[],
  limit: ReachLimit,
): Promise<number[]> {
  if (nodes.length === 0 || allReachable(answer)) return [...nodes];
  // The client's haves are read next in any case.
  await learnNamed(graph, nodes);
  await reached.addTips([...seeds, ...tipsAmong(nodes, graph, answer.tipHaves)]);
  const left = await reached.findAmong(nodes, limit);
  if (left.length > 0 && !reached.hasAllTips) {
    await reached.addTips(await currentTips(repository, answer, graph));
    await reached.find(left, limit);
  }
  return nodes.filter((node) => reached.has(node));
}

/** Returns those of the nodes that the snapshot reported as tips. They need no search. */
function tipsAmong(nodes: readonly number[], graph: GraphSession, tips: readonly Uint8Array[] = []): number[] {
  const known = new Set(tips.map((name) => graph.findNode(name)));
  return nodes.filter((node) => known.has(node));
}

/**
 * Returns the nodes of the refs' present values. A value that came after the snapshot is ignored if its object also
 * came after it.
 */
async function currentTips(repository: Repository, answer: OpenSnapshot, graph: GraphSession): Promise<number[]> {
  const now = await repository.refs.open({ refPrefixes: [] });
  // deleted meanwhile, or made anew
  if (now.kind === "missing" || now.record.id !== answer.record.id) return [];
  const { rawSize } = graph.format;
  const names = [...decodeRefRows(now.refs, rawSize)].map(({ oid, peeled = oid }) => peeled);
  const nodes = [...new Set(await nodesOf(graph, concat(names)))];
  if (now.version === answer.version) return nodes;
  const { packs } = await graph.database.locate(graph.namesOf(nodes));
  return nodes.filter((_, i) => i32At(packs, i) >= 0);
}
