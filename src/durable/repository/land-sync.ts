/**
 * Lands what a mirror's sync brings: the refs of its upstream with their pack, or the pack of a slice. As with a push, what its refs
 * come to is found out before the transaction if they are many.
 *
 * @packageDocumentation
 */
import { Pacer } from "../../bytes/pacer.ts";
import type { PackRecord } from "../../catalog/pack-record.ts";
import { type EndSyncAnswer, type EndSyncRequest, MIRROR_ACTOR } from "../../refs/mirror-store.ts";
import { findInParts, isZeroOid } from "../../refs/ref-plan.ts";
import type { RefOutcome } from "../../refs/ref-update.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { turnOfEvents } from "../turn-of-events.ts";
import { type FoundPush, landUpdates } from "./commit-push.ts";
import { type FoundPolicy, planMoves, planPush, stillPlanned } from "./plan-push.ts";
import { deleteLease, hasLease } from "./tables/leases.ts";
import { insertPack, markPacks } from "./tables/packs.ts";
import { bumpVersion, type RepositoryRow } from "./tables/repository.ts";

/** A sync that landed, or why it did not. */
export type LandedSync =
  | Exclude<EndSyncAnswer, { kind: "done" }>
  | { readonly kind: "landed"; readonly packKept: boolean };

/** Returns the policy for a sync. Any branch may be deleted, even the current one: HEAD follows the upstream's. */
function policyOf(found: FoundPush): FoundPolicy {
  return { head: "", readOnly: false, atomic: true, pusher: {}, forwardKnown: true, ...found };
}

/** Finds out what the refs of a sync come to if they are many, in turns with other requests. */
export async function findSync(db: SqlDatabase, request: EndSyncRequest): Promise<FoundPush> {
  const pacer = new Pacer(turnOfEvents);
  const found = await pacer.finish(findInParts(request.updates, { rules: [], pusher: {} }));
  return { ...found, planned: await pacer.finish(planPush(db, request, () => policyOf(found))) };
}

/** Lands a sync, as a part of the caller's transaction. `now` is in milliseconds since the epoch. Yields the steps of it. */
export function* landSync(
  db: SqlDatabase,
  repository: RepositoryRow,
  { request, found, now }: { readonly request: EndSyncRequest; readonly found: FoundPush; readonly now: number },
): Generator<number, LandedSync, undefined> {
  const { end, pack, tipPack, updates } = request;
  if (pack !== undefined && end.kind === "partial") return landSlice(db, pack, now);
  if (updates.length === 0 || end.kind !== "synced") return { kind: "landed", packKept: false };
  for (const stored of [pack, tipPack]) {
    if (stored !== undefined && !hasLease(db, stored.name, now)) return { kind: "gone" };
  }
  const planned = yield* stillPlanned(db, found.planned, updates, repository);
  const moves = planned ?? (yield* planMoves(db, updates, policyOf(found)));
  const landing = {
    ...(pack === undefined ? {} : { pack }),
    ...(tipPack === undefined ? {} : { tipPack }),
    entry: { actor: MIRROR_ACTOR, at: now, options: [] },
  };
  const { outcomes, packKept } = yield* landUpdates(db, landing, moves);
  const refused = outcomes.find((outcome) => outcome.kind === "rejected" && outcome.why.kind !== "atomic");
  if (refused !== undefined) return { kind: "refused", why: explain(refused) };
  const tips = updates.filter(({ newOid }) => !isZeroOid(newOid));
  markPacks(
    db,
    end.reached ?? [],
    tips.map(({ name }) => name),
  );
  return { kind: "landed", packKept };
}

/** Adds the pack of a slice. No ref needs it yet, so it has no mark. */
function landSlice(db: SqlDatabase, pack: PackRecord, now: number): LandedSync {
  if (!hasLease(db, pack.name, now)) return { kind: "gone" };
  insertPack(db, { ...pack, marked: false });
  deleteLease(db, pack.name);
  bumpVersion(db, now);
  return { kind: "landed", packKept: true };
}

function explain(outcome: RefOutcome): string {
  const why = outcome.kind === "rejected" ? outcome.why.kind : "ok";
  if (why === "directory-conflict")
    return `${outcome.name} can't be there beside a ref whose name it is a directory of.`;
  if (why === "too-many-directories") return "The names of the upstream's refs have too many directories.";
  return `${outcome.name} could not be moved: ${why}.`;
}
