/**
 * Takes back a push: sets the refs that it moved to what they were, while the objects of those values are kept. Objects that
 * have gone into cruft packs come back for it.
 *
 * @packageDocumentation
 * @see git-reflog(1)
 */
import { MissingObject } from "../bytes/failure.ts";
import { concat } from "../bytes/chunk.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { SELECTED } from "../kernel/object-flags.ts";
import { walkCommits } from "../graph/commit-walk.ts";
import { GraphSession } from "../graph/graph-session.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { selectGivenTrees, selectTreesOf } from "../graph/object-walk.ts";
import { objectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { MaintenanceControl } from "../refs/maintenance-store.ts";
import type { LoggedMove } from "../refs/ref-log.ts";
import { isZeroOid } from "../refs/ref-plan.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { CommitPushRequest, OpenSnapshot } from "../refs/ref-store.ts";
import type { RefOutcome, RefUpdate } from "../refs/ref-update.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";

/** Who takes the push back. */
export type Restorer = Pick<CommitPushRequest, "actor" | "actorName" | "pusher">;

/**
 * The answer. `lost`: objects of the old values are not kept any more; `missing`: there is no such repository. Nothing has
 * changed then. Of the outcomes, all are good or none is.
 */
export type RestoreAnswer =
  | { readonly kind: "missing" }
  | { readonly kind: "lost" }
  | { readonly kind: "done"; readonly outcomes: readonly RefOutcome[]; readonly updates: readonly RefUpdate[] };

/** Raw names of the objects that refs are to be set to. */
function valuesOf(moves: readonly LoggedMove[]): Uint8Array[] {
  return moves.flatMap(({ oldOid }) => {
    const oid = isZeroOid(oldOid) ? undefined : fromHex(oldOid);
    return oid === undefined ? [] : [oid];
  });
}

/** Selects what these values reach and the present refs don't; the values' peeled names are found on the way. */
async function selectLost(
  graph: GraphSession,
  snapshot: OpenSnapshot,
  values: readonly Uint8Array[],
): Promise<Map<string, string>> {
  const peeled = new Map<string, string>();
  const commits: number[] = [];
  const trees: number[] = [];
  for (const value of values) {
    const node = graph.node(value);
    const object = await graph.peel(node, SELECTED);
    if (object !== node) peeled.set(toHex(value), toHex(graph.nameOf(object)));
    const type = await graph.typeOf(object);
    if (type === TYPE_NUMBER.commit) commits.push(object);
    else if (type === TYPE_NUMBER.tree) trees.push(object);
    else graph.mark(object, SELECTED);
  }
  const present = new Set<number>();
  for (const { oid, peeled: target = oid } of decodeRefRows(snapshot.refs, graph.format.rawSize)) {
    const node = graph.node(target);
    if ((await graph.typeOf(node)) === TYPE_NUMBER.commit) present.add(node);
  }
  const walk = { filter: NO_FILTER, count: () => graph.database.context.pacer.pace() };
  const walked = await walkCommits(graph, commits, present);
  for (const node of walked.interesting) graph.mark(node, SELECTED);
  await selectTreesOf(graph, walked, walk);
  await selectGivenTrees(graph, trees, walk);
  return peeled;
}

/** Returns what the values peel to, by their names, if everything that they reach is here; else `undefined`. */
async function findWhole(
  repository: Repository,
  snapshot: OpenSnapshot,
  values: readonly Uint8Array[],
): Promise<Map<string, string> | undefined> {
  const database = openObjects(repository, snapshot.record, snapshot.packs);
  const kernel = await repository.kernels.lend(objectFormat(snapshot.record.objectFormat).rawSize);
  const graph = new GraphSession(database, kernel);
  try {
    const peeled = await selectLost(graph, snapshot, values);
    const names: Uint8Array[] = [];
    for (let node = 0; node < kernel.oidCount; node++) if (graph.has(node, SELECTED)) names.push(graph.nameOf(node));
    const { packs } = await database.locate(concat(names));
    return packs.every((pack) => pack >= 0) ? peeled : undefined;
  } catch (error) {
    if (error instanceof MissingObject) return undefined;
    throw error;
  } finally {
    graph.close();
    repository.kernels.giveBack(graph.inflating.kernel);
  }
}

/** Takes back what a push moved, in one step. */
export async function restorePush(
  repository: Repository,
  maintenance: Pick<MaintenanceControl, "reviveUnreachable">,
  moves: readonly LoggedMove[],
  { actor, actorName, pusher }: Restorer,
): Promise<RestoreAnswer> {
  const values = valuesOf(moves);
  let peeled: Map<string, string> | undefined;
  let snapshot: OpenSnapshot | undefined;
  for (const revives of [false, true]) {
    if (revives && !(await maintenance.reviveUnreachable())) return { kind: "lost" };
    const opened = await repository.refs.open({ packs: true, refPrefixes: [] });
    if (opened.kind === "missing") return { kind: "missing" };
    snapshot = opened;
    peeled = await findWhole(repository, opened, values);
    if (peeled !== undefined) break;
  }
  if (snapshot === undefined || peeled === undefined) return { kind: "lost" };
  const found = peeled;
  const updates = moves.map(({ name, oldOid, newOid }): RefUpdate => {
    const target = found.get(oldOid);
    return {
      name,
      oldOid: newOid,
      newOid: oldOid,
      forward: false,
      ...(target === undefined ? {} : { peeled: target }),
    };
  });
  const answer = await repository.refs.commitPush({
    id: snapshot.record.id,
    version: snapshot.version,
    updates,
    atomic: true,
    actor,
    ...(actorName === undefined ? {} : { actorName }),
    pusher,
    signed: false,
    pushOptions: [],
  });
  return answer.kind === "gone" ? { kind: "missing" } : { kind: "done", outcomes: answer.outcomes, updates };
}
