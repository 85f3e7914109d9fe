/**
 * The webhooks of a repository on a SQL database. Deliveries are made from the ref log, in which each webhook keeps its
 * place. So a push costs nothing more for them, a process that dies loses nothing, and a backlog of any length is a
 * number.
 *
 * @packageDocumentation
 */
import { assert } from "../../bytes/assert.ts";
import { ANSWER_TIME, BATCH_TIME } from "../../events/deliver.ts";
import { retryDelay } from "../../events/backoff.ts";
import type {
  AttemptResult,
  Delivery,
  DeliveryEvent,
  DueDeliveries,
  DueDelivery,
  Hook,
  HookChange,
  HookEvent,
  HookSettings,
  RedeliverAnswer,
} from "../../events/hook.ts";
import type { LockChange } from "../../events/lock-change.ts";
import { isNone, refKind } from "../../events/payload.ts";
import type { StatusAnswer, StatusRequest } from "../../refs/commit-statuses.ts";
import { MIRROR_ACTOR } from "../../refs/mirror-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { answerStatuses } from "./status-database.ts";
import {
  deleteDeliveries,
  dueDeliveries,
  giveUpDeliveries,
  insertDelivery,
  listDeliveries,
  noteAttempt,
  pendingDeliveries,
  pruneDeliveries,
  readDelivery,
} from "./tables/deliveries.ts";
import {
  deleteHook,
  disableHook,
  type HookRow,
  insertHook,
  listHooks,
  noteFailing,
  noteHookJob,
  noteSeen,
  readHook,
  updateHook,
} from "./tables/hooks.ts";
import { type LoggedMove, readLoggedPush, readRefLog, refLogEnds } from "./tables/ref-log.ts";
import { readRepository } from "./tables/repository.ts";

/** Webhooks that a repository may have. */
export const MOST_HOOKS = 20;
/** Deliveries of a webhook that are kept after they ended. */
export const KEPT_DELIVERIES = 50;
/** Deliveries of a webhook that wait at once. The rest of a backlog stays in the ref log. */
export const MOST_PENDING = 200;
/**
 * Redeliveries of a webhook that wait at once. They take places of {@link MOST_PENDING}, and leave most of them to new
 * events.
 */
export const MOST_REDELIVERIES = 50;
/** Characters of the reason why a sync failed. */
const MOST_REASON = 1000;
/** The most events of one moved ref. */
const EVENTS_A_MOVE = 3;
/** Rows of the ref log that are read for a webhook in one go. */
const FILL_ROWS = 1000;
/** Deliveries that one job takes. */
const TAKEN = 50;
/** A job that has not reported after this time is taken for lost. Milliseconds. */
const JOB_TIME = 5 * 60 * 1000;
assert(BATCH_TIME + ANSWER_TIME < JOB_TIME, "deliveries that are still under way are not taken for lost");
/** A webhook that has failed for this long, though tried, is turned off. Milliseconds. */
const DISABLE_AFTER = 3 * 24 * 60 * 60 * 1000;

/** Returns the events of a moved ref that a webhook wants. */
function eventsOf(move: LoggedMove, wanted: readonly HookEvent[]): HookEvent[] {
  const isNamed = refKind(move.name) !== undefined;
  const happened: Record<HookEvent, boolean> = {
    push: true,
    create: isNamed && isNone(move.oldOid),
    delete: isNamed && isNone(move.newOid),
    // One event for all refs that the sync moved.
    sync: move.first && move.actor === MIRROR_ACTOR,
    // These move no ref: see `happened`.
    sync_failed: false,
    status: false,
    lock: false,
  };
  return wanted.filter((event) => happened[event]);
}

function shown({ id, url, hasSecret, events, active, disabledWhy, createdAt, updatedAt }: HookRow): Hook {
  const hook = { id, url, hasSecret, events, active, createdAt, updatedAt };
  return disabledWhy === undefined ? hook : { ...hook, disabledWhy };
}

/** Formats 128 random bits of hex as a UUID, which receivers expect. */
function asUuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** What is delivered again. */
type SentAgain = Pick<Delivery, "guid" | "event" | "seq" | "ref" | "detail">;

/** The webhooks of the repository that the tables hold. */
export class RepositoryHooks {
  readonly #db: SqlDatabase;
  readonly #newId: () => string;

  /** `newId` returns 128 random bits in hex. */
  constructor(db: SqlDatabase, newId: () => string) {
    this.#db = db;
    this.#newId = newId;
  }

  list(): Hook[] {
    return this.#own().map(shown);
  }

  /** Adds a webhook, which gets what happens from now on, and queues a `ping` to it. */
  add(settings: HookSettings, origin: string, now: number): Hook | "too-many" | undefined {
    return this.#db.transaction(() => {
      if (this.#own().length >= MOST_HOOKS) return "too-many";
      const id = this.#newId();
      insertHook(this.#db, { id, settings, origin, seen: refLogEnds(this.#db).newest, now });
      if (settings.active) this.#enqueue(id, "ping", now);
      return this.#shown(id);
    });
  }

  /** Changes a webhook. One that was off begins anew: it does not get what happened meanwhile. */
  change(id: string, change: HookChange, place: { readonly origin: string; readonly now: number }): Hook | undefined {
    return this.#db.transaction(() => {
      const row = readHook(this.#db, id);
      if (row === undefined || row.isTenants) return undefined;
      const { secret: oldSecret, url, events, active } = row;
      // A webhook without a secret is not signed.
      const secret = change.secret ?? oldSecret ?? "";
      const settings = { url, events, active, ...change };
      const isOn = row.active && settings.active;
      updateHook(this.#db, {
        id,
        settings: {
          url: settings.url,
          events: settings.events,
          active: settings.active,
          ...(secret === "" ? {} : { secret }),
        },
        origin: place.origin,
        seen: isOn ? row.seen : refLogEnds(this.#db).newest,
        now: place.now,
      });
      if (!settings.active) giveUpDeliveries(this.#db, id);
      return this.#shown(id);
    });
  }

  /** Removes a webhook. Returns whether it existed. */
  remove(id: string): boolean {
    return this.#db.transaction(() => {
      if (readHook(this.#db, id)?.isTenants !== false) return false;
      deleteHook(this.#db, id);
      deleteDeliveries(this.#db, id);
      return true;
    });
  }

  deliveries(hook: string): Delivery[] | undefined {
    if (readHook(this.#db, hook) === undefined) return undefined;
    return listDeliveries(this.#db, hook, KEPT_DELIVERIES + MOST_PENDING);
  }

  /**
   * Queues an event to be delivered once more, or a `ping`, unless too many deliveries wait: a receiver is not sent
   * more than it answers.
   */
  redeliver(hook: string, id: number | "ping", now: number): RedeliverAnswer {
    return this.#db.transaction(() => {
      const row = readHook(this.#db, hook);
      const ping = { guid: asUuid(this.#newId()), event: "ping" } as const;
      const delivery: SentAgain | undefined = id === "ping" ? ping : readDelivery(this.#db, hook, id);
      if (row === undefined || delivery === undefined) return undefined;
      if (!row.active) return "inactive";
      const { count, redeliveries } = pendingDeliveries(this.#db, hook);
      if (count >= MOST_PENDING || redeliveries >= MOST_REDELIVERIES) return "too-many";
      const { guid, event, seq, ref, detail } = delivery;
      const of = {
        ...(seq === undefined ? {} : { seq }),
        ...(ref === undefined ? {} : { ref }),
        ...(detail === undefined ? {} : { detail }),
      };
      insertDelivery(this.#db, { hook, guid, event, ...of, redelivery: true }, now);
      return listDeliveries(this.#db, hook, 1)[0];
    });
  }

  /** Queues the event that a sync failed, for the webhooks that want it and have room. */
  syncFailed(detail: string, now: number): void {
    this.#db.transaction(() => {
      this.#happened("sync_failed", detail.slice(0, MOST_REASON), now);
    });
  }

  /** Queues the event that a lock was made or given back. */
  lockChanged(change: LockChange): void {
    this.#db.transaction(() => {
      this.#happened("lock", JSON.stringify(change), change.at);
    });
  }

  /** Answers a request about statuses of commits. Webhooks are told of one that is set. */
  statuses(request: StatusRequest): StatusAnswer {
    const tell = (detail: string, at: number): void => this.#happened("status", detail, at);
    return this.#db.transaction(() => answerStatuses(this.#db, request, tell));
  }

  /**
   * Queues an event that moves no ref, with its detail, for the webhooks that want it and have room. A part of the
   * caller's transaction.
   */
  #happened(event: "sync_failed" | "status" | "lock", detail: string, now: number): void {
    for (const { id, active, events } of listHooks(this.#db)) {
      if (!active || !events.includes(event)) continue;
      if (pendingDeliveries(this.#db, id).count >= MOST_PENDING) continue;
      const of = { hook: id, guid: asUuid(this.#newId()), event, detail } as const;
      insertDelivery(this.#db, { ...of, redelivery: false }, now);
    }
  }

  /**
   * Makes deliveries of what happened since, as many as may wait at once. Returns the webhooks for which a job is due.
   */
  due(now: number): string[] {
    return this.#db.transaction(() => {
      const { newest } = refLogEnds(this.#db);
      const hooks = listHooks(this.#db).filter(({ active }) => active);
      for (const hook of hooks) if (hook.seen < newest) this.#fill(hook, now);
      return hooks
        .filter((hook) => hook.jobAt === undefined || hook.jobAt + JOB_TIME <= now)
        .filter(({ id }) => (pendingDeliveries(this.#db, id).due ?? Number.POSITIVE_INFINITY) <= now)
        .map(({ id }) => id);
    });
  }

  jobSent(hook: string, now: number): void {
    noteHookJob(this.#db, hook, now, null);
  }

  /** Returns when something is due, in milliseconds since the epoch; `undefined` if nothing is. */
  nextDue(now: number): number | undefined {
    const { newest } = refLogEnds(this.#db);
    const due = listHooks(this.#db)
      .filter(({ active }) => active)
      .map((hook) => {
        const pending = pendingDeliveries(this.#db, hook.id);
        const hasRoom = pending.count <= MOST_PENDING - EVENTS_A_MOVE;
        const next = hook.seen < newest && hasRoom ? now : pending.due;
        if (next === undefined || hook.jobAt === undefined) return next;
        return Math.max(next, hook.jobAt + JOB_TIME);
      })
      .filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Hands a job the deliveries of a webhook that are due; none if another job has just taken them. */
  take(hook: string, now: number): DueDeliveries | undefined {
    return this.#db.transaction(() => {
      const row = readHook(this.#db, hook);
      const repository = readRepository(this.#db);
      if (row === undefined || repository === undefined || !row.active) return undefined;
      if (row.takenAt !== undefined && row.takenAt + JOB_TIME > now) return undefined;
      noteHookJob(this.#db, hook, row.jobAt ?? now, now);
      const secret = row.secret === undefined ? {} : { secret: row.secret };
      return {
        hook: { ...shown(row), ...secret },
        origin: row.origin,
        repository: repository.record,
        deliveries: dueDeliveries(this.#db, hook, now, TAKEN).map((delivery) => this.#withHappening(delivery)),
      };
    });
  }

  /** Records the results of deliveries that a job took, and lets the next job be sent. */
  done(hook: string, results: readonly AttemptResult[], now: number): void {
    this.#db.transaction(() => {
      const row = readHook(this.#db, hook);
      if (row === undefined) return;
      noteHookJob(this.#db, hook, null, null);
      let failingSince = row.failingSince ?? null;
      for (const result of results) {
        this.#noteResult(hook, result, now);
        failingSince = result.outcome === "delivered" ? null : (failingSince ?? now);
      }
      noteFailing(this.#db, hook, failingSince);
      const isGone = results.some(({ outcome }) => outcome === "gone");
      if (row.active && isGone) this.#disable(hook, "The receiver answered 410 Gone.", now);
      else if (row.active && failingSince !== null && failingSince + DISABLE_AFTER <= now) {
        this.#disable(hook, "No delivery succeeded for three days.", now);
      }
      pruneDeliveries(this.#db, hook, KEPT_DELIVERIES);
    });
  }

  /** Returns the webhooks of the repository itself. */
  #own(): HookRow[] {
    return listHooks(this.#db).filter(({ isTenants }) => !isTenants);
  }

  #shown(id: string): Hook | undefined {
    const row = readHook(this.#db, id);
    return row === undefined ? undefined : shown(row);
  }

  #enqueue(hook: string, event: DeliveryEvent, now: number, move?: LoggedMove): void {
    const ref = move === undefined || event === "sync" ? {} : { ref: move.name };
    const of = move === undefined ? {} : { seq: move.seq, ...ref };
    insertDelivery(this.#db, { hook, guid: asUuid(this.#newId()), event, ...of, redelivery: false }, now);
  }

  #fill({ id, seen, events }: HookRow, now: number): void {
    let room = MOST_PENDING - pendingDeliveries(this.#db, id).count;
    let last = seen;
    for (const move of readRefLog(this.#db, seen, FILL_ROWS)) {
      const wanted = eventsOf(move, events);
      if (room < EVENTS_A_MOVE) break;
      for (const event of wanted) this.#enqueue(id, event, now, move);
      room -= wanted.length;
      last = move.seq;
    }
    if (last !== seen) noteSeen(this.#db, id, last);
  }

  #withHappening({ id, guid, event, attempts, seq, detail }: Delivery): DueDelivery {
    const push = seq === undefined ? undefined : readLoggedPush(this.#db, seq);
    const delivery = { id, guid, event, attempts, ...(detail === undefined ? {} : { detail }) };
    return push === undefined ? delivery : { ...delivery, happening: { ...push, ref: push.name } };
  }

  #noteResult(hook: string, result: AttemptResult, now: number): void {
    const delivery = readDelivery(this.#db, hook, result.id);
    // It was given up meanwhile, and stays so.
    if (delivery?.state !== "pending") return;
    if (result.outcome === "delivered") {
      noteAttempt(this.#db, { hook, result, state: "delivered", now });
      return;
    }
    const delay = retryDelay(delivery.attempts + 1);
    if (delay === undefined || result.outcome === "gone") noteAttempt(this.#db, { hook, result, state: "failed", now });
    else noteAttempt(this.#db, { hook, result, state: "pending", due: now + delay, now });
  }

  #disable(hook: string, why: string, now: number): void {
    disableHook(this.#db, hook, why, now);
    giveUpDeliveries(this.#db, hook);
  }
}
