/**
 * Applies a push: compares every old value, moves refs, adds the pack, drops its lease, writes the ref log. It is one
 * transaction, which is done in full or not at all. What it does for each ref yields its steps, so that the transaction of very many
 * refs can pause.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../../catalog/pack-record.ts";
import { isInTail, tailRoom } from "../../catalog/tail.ts";
import type { CommitPushAnswer, CommitPushRequest } from "../../refs/ref-store.ts";
import { defaultBranchOf } from "../../refs/default-branch.ts";
import { isZeroOid, type RuleFindings } from "../../refs/ref-plan.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "../../refs/ref-update.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { planMoves, type PlannedMoves, type PlannedPush, policyOf, stillPlanned } from "./plan-push.ts";
import { insertAnswer, readAnswer } from "./tables/answered-requests.ts";
import { deleteLease, hasLease } from "./tables/leases.ts";
import { nameLfsObjects } from "./tables/lfs-objects.ts";
import { noteDoubt, readMaintenance } from "./tables/maintenance.ts";
import {
  clearMarks,
  insertDependencies,
  insertPack,
  insertTailPack,
  reviveCruft,
  spreadMarks,
} from "./tables/packs.ts";
import { sumTail } from "./tables/tail-packs.ts";
import { appendRefLog, type PushEntry } from "./tables/ref-log.ts";
import { hasLanded, insertCertificate } from "./tables/push-certificates.ts";
import { listRules } from "./tables/ref-rules.ts";
import { deleteRefs, type RefValue, writeRefs } from "./tables/ref-writes.ts";
import { readRef } from "./tables/refs.ts";
import { bumpVersion, moveHead, readRepository, type RepositoryRow } from "./tables/repository.ts";

function* valuesOf(moves: readonly RefUpdate[]): Generator<RefValue> {
  for (const { name, newOid, peeled } of moves) {
    if (!isZeroOid(newOid)) yield peeled === undefined ? { name, oid: newOid } : { name, oid: newOid, peeled };
  }
}

/** Steps of a move in a list that is gone through. */
const LISTED_STEPS = 20;

function* moveRefs(db: SqlDatabase, moves: readonly RefUpdate[]): Generator<number, void, undefined> {
  const gone = moves.filter((move) => isZeroOid(move.newOid)).map((move) => move.name);
  yield moves.length * LISTED_STEPS;
  yield* deleteRefs(db, gone);
  yield* writeRefs(db, valuesOf(moves));
}

/**
 * Clears the marks that rested on the old values of refs. `isMarked` tells whether the pack is reachable from
 * everything that the moves set.
 */
function* moveMarks(
  db: SqlDatabase,
  moves: readonly RefUpdate[],
  isMarked: boolean,
  now: number,
): Generator<number, void, undefined> {
  const doubtful = moves.filter((move) => !move.forward || isZeroOid(move.newOid));
  const isKept = ({ reached }: RefUpdate): boolean => isMarked && reached === true;
  const kept = doubtful.filter(isKept).map(({ name }) => name);
  const lost = doubtful.filter((move) => !isKept(move)).map(({ name }) => name);
  yield moves.length * LISTED_STEPS;
  yield* clearMarks(db, lost);
  if (lost.length > 0) noteDoubt(db, now);
  yield* spreadMarks(db, kept, tipNames(moves));
  yield moves.length * LISTED_STEPS;
}

function tipNames(moves: readonly RefUpdate[]): string[] {
  return moves.filter((move) => !isZeroOid(move.newOid)).map((move) => move.name);
}

/** The pack of a push that landed, with the push's number. */
type LandedPack = { readonly pack: PackRecord; readonly push: number };

/** Adds the pack. Its mark holds only if every tip that it was pushed with is in place. */
function keepPack(db: SqlDatabase, { pack, push }: LandedPack, moves: readonly RefUpdate[], allMoved: boolean): void {
  const kept = { ...pack, marked: pack.marked && allMoved };
  if (isInTail(kept)) insertTailPack(db, push, kept, tipNames(moves));
  else insertPack(db, kept);
  if (kept.marked && !isInTail(kept)) insertDependencies(db, kept.name, tipNames(moves));
  deleteLease(db, pack.name);
}

/** Adds a tip pack. Its mark rests on no ref: its objects are in packs that have marks of their own. */
function keepTipPack(db: SqlDatabase, tipPack: PackRecord): void {
  insertPack(db, tipPack);
  deleteLease(db, tipPack.name);
}

/** Refuses all updates of a push for the same reason. */
export function refuseAll(
  updates: readonly RefUpdate[],
  why: RefRejection,
): Extract<CommitPushAnswer, { readonly kind: "done" }> {
  const outcomes = updates.map(({ name }): RefOutcome => ({ name, kind: "rejected", why }));
  return { kind: "done", outcomes, packKept: false };
}

/** The packs of a push, with its entry for the ref log. */
export type Landing = {
  readonly pack?: PackRecord;
  /** See `CommitPushRequest`. */
  readonly tipPack?: PackRecord;
  readonly entry: PushEntry;
};

/** The result. `push` is the push's number in the ref log, present if any ref moved. */
export type Landed = {
  readonly outcomes: readonly RefOutcome[];
  /** The updates that were applied, in the order of the commands. */
  readonly moves: readonly RefUpdate[];
  readonly packKept: boolean;
  readonly push?: number;
};

/**
 * Moves the refs that may move, as `planned` says, which has to be of the present refs, and adds the pack if any did. A part of the
 * caller's transaction. Yields the steps of it.
 */
export function* landUpdates(
  db: SqlDatabase,
  { pack, tipPack, entry }: Landing,
  { outcomes, moves }: PlannedMoves,
): Generator<number, Landed, undefined> {
  if (moves.length === 0) return { outcomes, moves, packKept: false };
  yield* moveRefs(db, moves);
  const allMoved = outcomes.every((outcome) => outcome.kind === "ok");
  // This comes before the new pack's own dependencies are recorded: its tips are where they should be.
  yield* moveMarks(db, moves, allMoved && pack?.marked === true, entry.at);
  const push = yield* appendRefLog(db, entry, moves);
  if (pack !== undefined) keepPack(db, { pack, push }, moves, allMoved);
  if (pack !== undefined && !(pack.marked && allMoved)) noteDoubt(db, entry.at);
  if (pack !== undefined && tipPack !== undefined) keepTipPack(db, tipPack);
  bumpVersion(db, entry.at);
  return { outcomes, moves, packKept: pack !== undefined, push };
}

/**
 * Points an unborn HEAD to one of the pushed branches, unless somebody chose where it points. C git leaves HEAD where
 * `git init` put it, and so a clone of a repository with another first branch has nothing checked out.
 */
function settleHead(db: SqlDatabase, head: string, moves: readonly RefUpdate[]): void {
  const settled = defaultBranchOf(moves, head);
  if (settled !== head && readRef(db, head) === undefined) moveHead(db, settled);
}

/**
 * Takes objects back out of cruft packs if the push may refer to them: it was checked before they went there. A push that
 * does not say when it was checked may always.
 */
function reviveReferred(db: SqlDatabase, { version }: CommitPushRequest, moves: readonly RefUpdate[]): void {
  if (moves.length === 0) return;
  if (version === undefined || version < readMaintenance(db).cruftVersion) reviveCruft(db);
}

/**
 * Whether the push may refer to objects that the catalog has lost for good since it was checked. A push that does not say
 * when it was checked may always.
 */
function mayReferToDropped(db: SqlDatabase, { version }: CommitPushRequest): boolean {
  const { droppedVersion } = readMaintenance(db);
  return droppedVersion > 0 && (version === undefined || version < droppedVersion);
}

/** Returns the answer to a push that nothing of is done, whatever its refs are; `undefined` if it may go on. */
function refuseWhole(db: SqlDatabase, request: CommitPushRequest, now: number): CommitPushAnswer | undefined {
  const { pack, tipPack, updates, certificate, once } = request;
  const answered = once === undefined ? undefined : readAnswer(db, once.key, now);
  if (answered !== undefined) return { ...refuseAll(updates, { kind: "atomic" }), answered };
  // A certificate is good for one push: otherwise, anybody who saw it could move the refs back to where it put them.
  if (certificate !== undefined && hasLanded(db, certificate)) return refuseAll(updates, { kind: "used-certificate" });
  // The files of an upload that outlived its lease may be gone or about to go: they can't be relied on. Nor can objects
  // that the catalog had when the push was checked, and has no more.
  const inBucket = [pack, tipPack].filter((each) => each !== undefined && !isInTail(each));
  const isUnleased = inBucket.some((stored) => stored !== undefined && !hasLease(db, stored.name, now));
  const mayLack = updates.some(({ newOid }) => !isZeroOid(newOid)) && mayReferToDropped(db, request);
  if (isUnleased || mayLack) return refuseAll(updates, { kind: "unpacker-error" });
  const isFull = pack !== undefined && isInTail(pack) && tailRoom(sumTail(db)) < pack.tail.length;
  return isFull ? { kind: "full" } : undefined;
}

/** Notes which Git LFS objects a push has named. Without the mark a pointer may be in its pack that no ref reaches. */
function nameObjects(db: SqlDatabase, { pack, lfsNamed = [] }: CommitPushRequest, hasAllLanded: boolean): void {
  if (hasAllLanded && pack?.marked === true && lfsNamed.length > 0) nameLfsObjects(db, lfsNamed);
}

/** What was found out of a push before its transaction: what the rules say, and what its refs come to, if that was found out, too. */
export type FoundPush = RuleFindings & { readonly planned?: PlannedPush | undefined };

/** Returns what the refs come to: as it was found out before, if that still holds. Yields the steps of it. */
function* presentPlan(
  db: SqlDatabase,
  repository: RepositoryRow,
  request: CommitPushRequest,
  found: FoundPush,
): Generator<number, PlannedMoves, undefined> {
  const { updates } = request;
  const planned = yield* stillPlanned(db, found.planned, updates, repository);
  if (planned !== undefined) return planned;
  return yield* planMoves(db, updates, policyOf(db, repository, request, found));
}

/**
 * Applies a push, as a part of the caller's transaction. Nothing is done where the rules have changed since `found`. What the refs come to is found out anew where
 * something has changed since that it depends on. `now` is in milliseconds since the epoch. Yields the steps of it.
 */
export function* commitPush(
  db: SqlDatabase,
  request: CommitPushRequest,
  now: number,
  found: FoundPush,
): Generator<number, CommitPushAnswer | { readonly kind: "rules-moved" }, undefined> {
  const repository = readRepository(db);
  if (repository === undefined || repository.record.id !== request.id) return { kind: "gone" };
  const refused = refuseWhole(db, request, now);
  if (refused !== undefined) return refused;
  const { pack, tipPack, certificate, once } = request;
  const { head, headChosen } = repository.record;
  if (JSON.stringify(found.rules) !== JSON.stringify(listRules(db))) return { kind: "rules-moved" };
  const planned = yield* presentPlan(db, repository, request, found);
  if (request.isTrial === true) return { kind: "done", outcomes: planned.outcomes, packKept: false };
  const { outcomes, moves, packKept, push } = yield* landUpdates(
    db,
    {
      ...(pack === undefined ? {} : { pack }),
      ...(tipPack === undefined ? {} : { tipPack }),
      entry: {
        actor: request.actor,
        ...(request.actorName === undefined ? {} : { actorName: request.actorName }),
        at: now,
        options: request.pushOptions,
      },
    },
    planned,
  );
  reviveReferred(db, request, moves);
  nameObjects(db, request, packKept && moves.length === request.updates.length);
  if (headChosen !== true) settleHead(db, head, moves);
  if (push !== undefined && certificate !== undefined) insertCertificate(db, push, certificate);
  if (once !== undefined && moves.length === request.updates.length) insertAnswer(db, once, now);
  return { kind: "done", outcomes, packKept };
}
