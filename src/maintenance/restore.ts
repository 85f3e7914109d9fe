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
import type { GraphSession } from "../graph/graph-session.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { ReachableObjects } from "../packing/reachable-objects.ts";
import type { MaintenanceControl } from "../refs/maintenance-store.ts";
import type { LoggedMove } from "../refs/ref-log.ts";
import type { LfsRules } from "../refs/lfs-rules.ts";
import { isZeroOid } from "../refs/ref-plan.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { CommitPushRequest, OpenSnapshot } from "../refs/ref-store.ts";
import type { RefOutcome, RefUpdate } from "../refs/ref-update.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { LfsWatch } from "../repository/lfs-watch.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { watchBlobs } from "./watched-blobs.ts";

/** Who takes the push back. */
export type Restorer = Pick<CommitPushRequest, "actor" | "actorName" | "pusher">;

/**
 * The answer. `lost`: objects of the old values are not kept any more; `missing`: there is no such repository. Nothing has
 * changed then. Of the outcomes, all are good or none is.
 */
export type RestoreAnswer =
  | { readonly kind: "missing" | "lost" }
  | { readonly kind: "done"; readonly outcomes: readonly RefOutcome[]; readonly updates: readonly RefUpdate[] };

/** Raw names of the objects that refs are to be set to. */
function valuesOf(moves: readonly LoggedMove[]): Uint8Array[] {
  return moves.flatMap(({ oldOid }) => {
    const oid = isZeroOid(oldOid) ? undefined : fromHex(oldOid);
    return oid === undefined ? [] : [oid];
  });
}

/** The raw names of what refs are to be set to, and the watch over the blobs that they bring back. */
type Restored = { readonly values: readonly Uint8Array[]; readonly watch: LfsWatch };

/** A snapshot in which everything is here that the values reach, and what tags among the values finally name, in hex. */
type Whole = { readonly snapshot: OpenSnapshot; readonly peeled: ReadonlyMap<string, string> };

/** The commits that refs name, by way of tags or not. */
async function commitsOf(graph: GraphSession, { refs }: OpenSnapshot): Promise<number[]> {
  const commits = new Set<number>();
  for (const { oid, peeled = oid } of decodeRefRows(refs, graph.format.rawSize)) {
    const node = graph.node(peeled);
    if ((await graph.typeOf(node)) === TYPE_NUMBER.commit) commits.add(node);
  }
  return [...commits];
}

/** Finds out what the values peel to; `undefined` if something that they reach is not here. */
async function peelWhole(
  graph: GraphSession,
  snapshot: OpenSnapshot,
  { values, watch }: Restored,
): Promise<Map<string, string> | undefined> {
  const reachable = new ReachableObjects(graph);
  await reachable.add(concat(values), await commitsOf(graph, snapshot));
  const names = [...reachable.names()];
  const { packs } = await graph.database.locate(concat(names));
  if (packs.some((pack) => pack < 0)) return undefined;
  if (watch.hasRules) await watchBlobs(graph, names, watch);
  const peeled = new Map<string, string>();
  for (const value of values) {
    const node = graph.node(value);
    const object = await graph.peel(node);
    if (object !== node) peeled.set(toHex(value), toHex(graph.nameOf(object)));
  }
  return peeled;
}

/** Looks for everything that the values reach. `missing`: there is no repository; `lost`: something is not here. */
async function findWhole(repository: Repository, restored: Restored): Promise<Whole | "missing" | "lost"> {
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (snapshot.kind === "missing") return "missing";
  const database = openObjects(repository, snapshot.record, snapshot.packs, snapshot.graphs);
  try {
    const peeled = await inOwnSession(repository, database, (graph) => peelWhole(graph, snapshot, restored));
    return peeled === undefined ? "lost" : { snapshot, peeled };
  } catch (error) {
    if (error instanceof MissingObject) return "lost";
    throw error;
  }
}

/** The rules about Git LFS that bind what comes back. */
export type RestoreRules = {
  readonly lfs: LfsRules;
  /** Returns those of some Git LFS objects that the repository lacks. */
  readonly missingLfs: (oids: readonly string[]) => Promise<readonly string[]>;
};

/**
 * Takes back what a push moved, in one step.
 *
 * @throws ObjectRejected if rules about Git LFS refuse what would come back.
 */
export async function restorePush(
  repository: Repository,
  maintenance: Pick<MaintenanceControl, "reviveUnreachable">,
  moves: readonly LoggedMove[],
  { actor, actorName, pusher, lfs, missingLfs }: Restorer & RestoreRules,
): Promise<RestoreAnswer> {
  const restored = { values: valuesOf(moves), watch: new LfsWatch(lfs) };
  let found = await findWhole(repository, restored);
  if (found === "lost" && (await maintenance.reviveUnreachable())) found = await findWhole(repository, restored);
  if (typeof found === "string") return { kind: found };
  await restored.watch.settle(missingLfs);
  const { snapshot, peeled } = found;
  const updates = moves.map(({ name, oldOid, newOid }): RefUpdate => {
    const target = peeled.get(oldOid);
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
  return answer.kind !== "done" ? { kind: "missing" } : { kind: "done", outcomes: answer.outcomes, updates };
}
