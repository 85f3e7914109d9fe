/**
 * Whether objects that a client named can be reached from refs: an object's name is no capability, and what was deleted stays in
 * the packs until it is collected.
 *
 * @packageDocumentation
 */
import { GraphSession } from "../graph/graph-session.ts";
import { whichReached } from "../graph/reachability.ts";
import { RECENT_TIME } from "../refs/recent-values.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { Repository } from "./repository.ts";

/** A request's snapshot of a repository, with its catalog, and the objects of that. */
export type SnapshotObjects = { readonly answer: OpenSnapshot; readonly database: ObjectDatabase };

/** Whether all that is stored can be reached from refs, so that nobody has to look whether something can. */
export function allReachable({ packs }: Pick<OpenSnapshot, "packs">): boolean {
  return packs.every((pack) => pack.marked);
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

function* tipsOf(rows: readonly Uint8Array[], rawSize: number): Generator<Uint8Array> {
  for (const { oid } of decodeRefRows(rows, rawSize)) yield oid;
}
