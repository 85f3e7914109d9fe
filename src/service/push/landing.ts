/**
 * The part of a push that is the same whoever speaks: a pack is stored and checked, the new values of refs are checked,
 * and one transaction moves the refs and makes the pack visible. `receive-pack.ts` does it for a client of git, and
 * `../commit/write-session.ts` for a caller that sends no pack but says what is to change.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../bytes/assert.ts";
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { fromHex } from "../../bytes/hex.ts";
import { defaultBranchOf } from "../../refs/default-branch.ts";
import { leniencyFor } from "../../refs/fsck-settings.ts";
import { isZeroOid, newValueOf } from "../../refs/ref-plan.ts";
import type { StoredCertificate } from "../../refs/ref-log.ts";
import type { AnsweredOnce, CommitPushAnswer, CommitPushRequest, RequestOnce } from "../../refs/ref-store.ts";
import type { RefUpdate } from "../../refs/ref-update.ts";
import { openObjects } from "../../repository/open-objects.ts";
import { checkPackHeader } from "../../repository/allowance.ts";
import { takeIn } from "../../repository/take-in.ts";
import type { PackRecord } from "../../catalog/pack-record.ts";
import type { PackStorage } from "../../catalog/pack-storage.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import type { StagedPack } from "../../packing/staged-pack.ts";
import { type TipPack, makeTipPack } from "../../packing/tip-pack.ts";
import type { PushExchange } from "../exchange.ts";
import type { Begun } from "./begin-admitted.ts";
import { type HeldPack, withTail } from "./held-pack.ts";
import { checkNewValues } from "./new-values.ts";
import type { LfsWatch } from "../../repository/lfs-watch.ts";
import { refuseLocked } from "./locked-files.ts";
import { PackEnd } from "./pack-end.ts";
import type { PushMemory } from "./push-memory.ts";
import type { PushRequest } from "./push-request.ts";
import type { PushVerdict } from "./push-verdict.ts";
import { isGood } from "./signed-push.ts";
import type { LandingProgress } from "./unpack-progress.ts";

/**
 * The most commits that are read to see whether a ref moves forward. In a pack in memory each is little work; in a
 * stored pack each is a storage operation, so the second bound is lower.
 */
const MOST_COMMITS = 10_000;
const MOST_STORED_COMMITS = 50;

/** Who lands something, and by which bounds. */
export type LandingExchange = Pick<
  PushExchange,
  "repository" | "actor" | "actorName" | "pusher" | "allowance" | "missingLfs"
>;

/** A push that may go on: its repository is open and its requester admitted. */
export type Landing = {
  readonly exchange: LandingExchange;
  readonly request: Pick<PushRequest, "format" | "atomic" | "pushOptions"> & {
    readonly shallows: Iterable<Uint8Array>;
  };
  readonly begun: Begun;
  readonly verdict: PushVerdict;
  /** The pack being written; `undefined` if the push brings no objects. */
  readonly staged: StagedPack | undefined;
  /** What is held back of that pack, if it may go into the tail: see {@link holdPack}. */
  readonly held?: HeldPack | undefined;
  /** The checked certificate; `undefined` if the push is not signed. */
  readonly certificate: StoredCertificate | undefined;
  readonly memory: PushMemory;
  /** Sees the blobs of the pack. */
  readonly watch: LfsWatch;
};

/** A pack that comes with a push. */
type LandingPack = {
  /** The bytes that were read already. */
  readonly head: Uint8Array;
  /** The rest. */
  readonly source: ByteSource;
  /** Whether the source may stay open behind the pack. */
  readonly staysOpen?: boolean;
  readonly staged: StagedPack;
  readonly progress: LandingProgress;
};

/** Returns the updates that nothing has refused yet. */
function runningUpdates({ running, updates }: PushVerdict): RefUpdate[] {
  return running.flatMap((index) => updates[index] ?? []);
}

/**
 * Returns the branch that HEAD will point to when the push has landed. A branch in a repository without packs is yet to
 * be born.
 */
function futureHead({ begun, verdict }: Landing): string {
  const { record, packs } = begun;
  const isSettled = record.headChosen === true || packs.length > 0;
  return isSettled ? record.head : defaultBranchOf(runningUpdates(verdict), record.head);
}

/** Makes a tip pack if the push brings a large pack and sets the default branch. */
export async function tipPackOf(
  landing: Landing,
  pack: IngestedPack | undefined,
  onProgress?: () => Promise<void>,
): Promise<TipPack | undefined> {
  const { exchange, begun, verdict, memory } = landing;
  const { repository } = exchange;
  const tip = newValueOf(runningUpdates(verdict), futureHead(landing));
  // a smaller pack is read in few pieces anyway
  const { tipPackFromBytes } = repository.limits;
  if (tip === undefined || pack === undefined || pack.record.packBytes < tipPackFromBytes) return undefined;
  // the tip pack needs the room and the kernel of the ingested pack, which is not used any more
  pack.release();
  memory.release();
  const packs = [...begun.packs, pack.record];
  return await makeTipPack({
    repository,
    record: begun.record,
    packs,
    tip,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Stores and checks the pack. */
export async function ingest(landing: Landing, coming: LandingPack): Promise<IngestedPack> {
  const { exchange, request, begun, verdict, memory, watch } = landing;
  const { repository } = exchange;
  const { head, staged, progress, staysOpen = false } = coming;
  const allowance = (await exchange.allowance?.()) ?? {};
  const { record, packs, uploadBytes } = begun;
  const usedBytes = record.sizeBytes + uploadBytes;
  // A pack that is too much waits for nothing more of it, and for no kernel.
  checkPackHeader(allowance, { sizeBytes: usedBytes, packs }, head);
  const source = await memory.start(coming.source, staysOpen ? packEnd(landing, head) : undefined);
  const kernel = await memory.kernel();
  const storage = (id: string): PackStorage => landing.held ?? repository.storage(id);
  const taken = await takeIn(
    { repository: { ...repository, storage }, record, packs, usedBytes, database: databaseOf(landing), kernel },
    {
      source,
      staysOpen,
      head,
      allowance,
      packName: staged.name,
      packSource: "receive",
      tips: verdict.running.flatMap((index) => newTip(landing, index) ?? []),
      shallows: request.shallows,
      leniency: leniencyFor(record.fsck),
      watch,
      progress,
    },
  );
  const pack = landing.held === undefined ? taken : withTail(taken, landing.held);
  try {
    await progress.end?.();
    await watch.settle(async (oids) => (await exchange.missingLfs?.(oids)) ?? []);
    return pack;
  } catch (error) {
    pack.release();
    throw error;
  }
}

/** Returns the end of the pack that begins with `head`. */
function packEnd({ exchange, request }: Landing, head: Uint8Array): PackEnd {
  const end = new PackEnd(request.format, exchange.repository.hash);
  end.add(head);
  return end;
}

function newTip({ verdict }: Landing, index: number): Uint8Array | undefined {
  const newOid = itemAt(verdict.updates, index).newOid;
  return isZeroOid(newOid) ? undefined : fromHex(newOid);
}

/** Opens the objects that were there before, together with those of `more` packs. */
export function databaseOf(
  { exchange, begun }: Pick<Landing, "begun" | "exchange">,
  ...more: PackRecord[]
): ObjectDatabase {
  const database = openObjects(exchange.repository, begun.record, [...begun.packs, ...more], begun.graphs);
  // What lands is mostly made on what the newest commit of the default branch has.
  database.useSmallCopies();
  return database;
}

/** Checks the new values of refs. `isCut`: the pack was dropped, because the client's history is cut. */
export async function checkValues(landing: Landing, pack: IngestedPack | undefined, isCut: boolean): Promise<void> {
  const { exchange, request, verdict, memory, begun } = landing;
  // A push without a pack counts as zero bytes.
  const inMemory = (pack?.record.packBytes ?? 0) <= exchange.repository.limits.memoryPackBytes;
  const sources = {
    format: request.format,
    database: databaseOf(landing),
    openAll: () => databaseOf(landing, ...(pack === undefined ? [] : [pack.record])),
    kernel: memory.kernel,
  };
  await checkNewValues(verdict, {
    ...sources,
    pack,
    absent: { kind: isCut ? "shallow" : "missing-objects" },
    rules: begun.record.rules,
    mostCommits: inMemory ? MOST_COMMITS : MOST_STORED_COMMITS,
  });
  const { locks } = begun;
  // A push without objects has no new commits.
  if (locks === undefined || pack === undefined) return;
  await refuseLocked(verdict, { ...sources, database: databaseOf(landing) }, locks);
}

/** The result of ingesting a push; `tips` are the indexes of the updates for which the pack was marked. */
type Landed = {
  readonly pack: IngestedPack | undefined;
  readonly tips: readonly number[];
  readonly tipPack: TipPack | undefined;
  /** See `CommitPushRequest`. */
  readonly once?: RequestOnce;
  readonly isTrial?: boolean;
};

/** Returns what is to be committed, but for the packs. */
function requestOf({ exchange, request, begun, verdict, certificate, watch }: Landing): CommitPushRequest {
  return {
    id: begun.record.id,
    version: begun.version,
    updates: runningUpdates(verdict),
    atomic: request.atomic,
    actor: exchange.actor,
    ...(exchange.actorName === undefined ? {} : { actorName: exchange.actorName }),
    pusher: exchange.pusher,
    signed: isGood(certificate),
    ...(certificate === undefined ? {} : { certificate }),
    pushOptions: request.pushOptions,
    lfsNamed: watch.named,
  };
}

/** Commits the push. If others have filled the tail meanwhile, its pack is written to the bucket after all. */
async function commitHeld({ exchange, held }: Landing, request: CommitPushRequest): Promise<CommitPushAnswer> {
  const { refs } = exchange.repository;
  const answer = await refs.commitPush(request);
  if (answer.kind !== "full" || held === undefined || request.pack === undefined) return answer;
  await held.flush();
  const { tail: _, ...pack } = request.pack;
  return await refs.commitPush({ ...request, pack });
}

/** Returns the answer to keep, if all is done: it says so. */
function keptOnce(once: RequestOnce | undefined, { running, updates }: PushVerdict): Pick<CommitPushRequest, "once"> {
  return once === undefined || running.length < updates.length ? {} : { once };
}

/** Makes the push visible. Returns the answer that the same request was given before, if it was. */
export async function commit(
  landing: Landing,
  { pack, tips, tipPack, once, ...how }: Landed,
): Promise<AnsweredOnce | undefined> {
  const { verdict, staged } = landing;
  const { running } = verdict;
  if (running.length === 0) {
    await staged?.discard();
    return undefined;
  }
  // A tip that was refused after the mark was set keeps nothing reachable.
  const marked = pack?.record.marked === true && running.length === tips.length;
  // If this throws, nobody knows whether the commit happened. The lease decides, see `StagedPack.discard`.
  const answer = await commitHeld(landing, {
    ...requestOf(landing),
    ...(pack === undefined ? {} : { pack: { ...pack.record, marked } }),
    ...(tipPack === undefined ? {} : { tipPack: tipPack.record }),
    ...how,
    ...keptOnce(once, verdict),
  });
  if (answer.kind !== "done") {
    // The repository was deleted meanwhile, and its refs with it.
    for (const index of running) verdict.reject(index, { kind: "missing-ref" });
  } else {
    verdict.settle(running, answer.outcomes);
  }
  if (answer.kind !== "done" || !answer.packKept) {
    await staged?.discard();
    await tipPack?.staged.discard();
  }
  return answer.kind === "done" ? answer.answered : undefined;
}
