/**
 * The truth of a mirror on a SQL database: its settings, its schedule, and the one step in which a sync becomes
 * visible.
 *
 * @packageDocumentation
 */
import { assert } from "../../bytes/assert.ts";
import { SILENCE_TIME, SYNC_LEASE_TIME, nextSync } from "../../refs/mirror-schedule.ts";
import type {
  BeginSyncAnswer,
  ConfigureAnswer,
  EndSyncAnswer,
  EndSyncRequest,
  Mirror,
  MirrorChange,
  MirrorHook,
  SealedSecret,
} from "../../refs/mirror-store.ts";
import { isInTail } from "../../catalog/tail.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { RefsAhead } from "./look-ahead.ts";
import type { FoundPush } from "./commit-push.ts";
import { findSync, landSync } from "./land-sync.ts";
import { areFew } from "./plan-push.ts";
import type { OpenPage } from "./open-page.ts";
import type { PointerTable } from "./pointer-keeper.ts";
import { firstRow, type SqlDatabase } from "../sql/sql-database.ts";
import { inTransaction } from "../sql/transaction-in-turns.ts";
import { appendHeadLog } from "./tables/head-log.ts";
import { deleteLease, insertLease } from "./tables/leases.ts";
import { deleteMirror, type MirrorRow, readMirror, readMirrorHook, writeMirror } from "./tables/mirror.ts";
import { deletePointer, readPointer, writePointer } from "./tables/mirror-pointer.ts";
import { refLogEnds } from "./tables/ref-log.ts";
import { markMirror, moveHead, readRepository } from "./tables/repository.ts";
import { bytesBesidePacks } from "./used-bytes.ts";

/** A job that has not begun after this time is taken for lost, whoever asked for it. Milliseconds. */
const JOB_TIME = 5 * 60_000;
/** A job that has not begun after this time may be sent again. Milliseconds. */
const RESEND_TIME = 30_000;
/** A sync for which its tenant has no place is tried again after this time, and at most twice as much. Milliseconds. */
const POSTPONE_TIME = 5_000;
assert(RESEND_TIME < JOB_TIME, "a job is sent again before it is taken for lost");
/** Changes that no sync made are published to readers after this time. Milliseconds. */
const PUBLISH_DELAY = 60_000;
const MOST_PROGRESS = 1000;
const MOST_ERROR = 1000;

/** The part of the repository's other tables that the mirror needs. */
export interface MirroredRepository {
  /** Whether the tables exist. */
  hasTables(): boolean;
  describe(): RepositoryRecord | undefined;
  /** Returns the catalog and all refs, or their first page; `ahead`: refs that were read before. */
  openAll(ahead?: RefsAhead): OpenPage;
  /** Returns the repository's record and the value of HEAD. */
  openHead(): OpenPage;
}

/** The time in milliseconds since the epoch, and a random number from 0 to 1. */
export type Moment = { readonly now: number; readonly jitter: number };

/** The answer to the beginning of a sync, with the first page of its snapshot: see {@link OpenPage}. */
export type BeginSyncPage =
  | Exclude<BeginSyncAnswer, { kind: "begun" }>
  | (Omit<Extract<BeginSyncAnswer, { kind: "begun" }>, "snapshot"> & {
      readonly snapshot: Extract<OpenPage, { kind: "found" }>;
    });

function originOf(url: string): string {
  // Text that is no URL has no origin. "" never equals the origin of a stored upstream.
  return URL.parse(url)?.origin ?? "";
}

function shown(row: MirrorRow): Mirror {
  const { settings, login, failures, bytes, objects } = row;
  return {
    settings,
    hasLogin: login !== undefined,
    ...(login === undefined ? {} : { login }),
    hasHook: row.hook !== undefined,
    status: {
      failures,
      bytes,
      objects,
      syncing: row.asked || row.running !== undefined || (row.slice !== undefined && row.lastError === undefined),
      ...(row.lastAttempt === undefined ? {} : { lastAttempt: row.lastAttempt }),
      ...(row.lastSync === undefined ? {} : { lastSync: row.lastSync }),
      ...(row.lastChange === undefined ? {} : { lastChange: row.lastChange }),
      ...(row.lastError === undefined ? {} : { lastError: row.lastError }),
      ...(row.nextSync === undefined ? {} : { nextSync: row.nextSync }),
      ...(row.progress === undefined ? {} : { progress: row.progress }),
      ...(row.leftOut === undefined ? {} : { leftOut: row.leftOut }),
      ...(row.lfs === undefined ? {} : { lfs: row.lfs }),
    },
  };
}

const NEW_ROW = {
  lastAttempt: undefined,
  lastSync: undefined,
  lastChange: undefined,
  lastError: undefined,
  failures: 0,
  slice: undefined,
  running: undefined,
  runningUntil: undefined,
  bytes: 0,
  objects: 0,
  progress: undefined,
  leftOut: undefined,
  lfs: undefined,
} as const;

function loginOf({ login, settings }: MirrorChange, old: MirrorRow | undefined): SealedSecret | undefined {
  if (typeof login !== "string") return login;
  if (login === "none" || old === undefined) return undefined;
  // A login for one host is not sent to another.
  return originOf(old.settings.upstream) === originOf(settings.upstream) ? old.login : undefined;
}

/** The tables of one Durable Object, as far as mirroring uses them. Every caller has made sure that they exist. */
export class MirrorDatabase {
  readonly #db: SqlDatabase;
  readonly #repository: MirroredRepository;

  constructor(db: SqlDatabase, repository: MirroredRepository) {
    this.#db = db;
    this.#repository = repository;
  }

  read(): Mirror | undefined {
    const row = this.#repository.describe() === undefined ? undefined : readMirror(this.#db);
    return row === undefined ? undefined : shown(row);
  }

  configure(change: MirrorChange, now: number): ConfigureAnswer {
    return this.#db.transaction(() => {
      const record = this.#repository.describe();
      if (record === undefined) return { kind: "missing" };
      const old = readMirror(this.#db);
      const hasRefs = firstRow(this.#db.rows("SELECT 1 FROM refs")) !== undefined;
      // A mirror keeps all of its packs, and a fork has to give back what it borrows.
      if (old === undefined && (hasRefs || record.forkOf !== undefined)) return { kind: "occupied" };
      const isSame = old?.settings.upstream === change.settings.upstream;
      if (!isSame) markMirror(this.#db, { seq: refLogEnds(this.#db).newest, at: now });
      const isSameRefs = isSame && old.settings.refspecs.join(" ") === change.settings.refspecs.join(" ");
      const row: MirrorRow = {
        ...(old ?? NEW_ROW),
        // The failures of another upstream say nothing about this one.
        ...(isSame ? {} : { lastError: undefined, failures: 0, slice: undefined, leftOut: undefined }),
        // A sync under way brings the refs of the old settings, which are no longer wanted: it will find that its run
        // has ended.
        ...(isSameRefs ? {} : { running: undefined, runningUntil: undefined }),
        settings: change.settings,
        // What was missing is asked for again.
        lfs: undefined,
        login: loginOf(change, old),
        hook: change.hook === "keep" ? old?.hook : change.hook === "none" ? undefined : change.hook,
        nextSync: now,
        asked: false,
      };
      writeMirror(this.#db, row);
      return { kind: "configured", mirror: shown(row) };
    });
  }

  hook(): MirrorHook | undefined {
    return this.#repository.hasTables() ? readMirrorHook(this.#db) : undefined;
  }

  promote(): boolean {
    return this.#db.transaction(() => {
      if (this.read() === undefined) return false;
      deleteMirror(this.#db);
      return true;
    });
  }

  /**
   * Notes that a sync was asked for. Returns whether a job has to be sent: "noted" if one is sent already, or if the
   * sync under way is followed by another.
   */
  request(now: number): "missing" | "send" | "noted" {
    const row = this.#repository.describe() === undefined ? undefined : readMirror(this.#db);
    if (row === undefined) return "missing";
    const isRunning = row.runningUntil !== undefined && row.runningUntil > now;
    // A burst of webhooks causes one sync; a job that seems lost is sent again.
    const isSent = !isRunning && row.asked && row.nextSync !== undefined && row.nextSync > now + JOB_TIME - RESEND_TIME;
    if (isSent) return "noted";
    writeMirror(this.#db, { ...row, asked: true, nextSync: isRunning ? row.runningUntil : now + JOB_TIME });
    return isRunning ? "noted" : "send";
  }

  begin(packName: string, now: number, ahead?: RefsAhead): BeginSyncPage {
    return this.#db.transaction(() => {
      const page = this.#repository.openAll(ahead);
      const row = page.kind === "missing" ? undefined : readMirror(this.#db);
      if (page.kind === "missing" || row === undefined) return { kind: "gone" };
      if (row.runningUntil !== undefined && row.runningUntil > now) return { kind: "busy" };
      // Readers of a mirror find its packs in the bucket.
      if (page.packs.some((pack) => isInTail(pack))) return { kind: "unpublished" };
      writeMirror(this.#db, {
        ...row,
        asked: false,
        running: packName,
        runningUntil: now + SILENCE_TIME,
        lastAttempt: now,
        // If it dies, another sync takes its place then.
        nextSync: now + SILENCE_TIME,
      });
      insertLease(this.#db, packName, now + SYNC_LEASE_TIME);
      const { settings, login, hook, slice, lfs } = row;
      return {
        kind: "begun",
        settings,
        ...(slice === undefined ? {} : { slice }),
        ...(lfs === undefined ? {} : { lfs }),
        ...(login === undefined ? {} : { login }),
        ...(hook === undefined ? {} : { hook }),
        besideBytes: bytesBesidePacks(this.#db),
        snapshot: page,
      };
    });
  }

  /** Notes that a sync is alive. Returns whether it is the one under way. */
  renew(packName: string, now: number): boolean {
    const row = this.#repository.describe() === undefined ? undefined : readMirror(this.#db);
    if (row?.running !== packName) return false;
    writeMirror(this.#db, { ...row, runningUntil: now + SILENCE_TIME, nextSync: now + SILENCE_TIME });
    return true;
  }

  /** Ends a sync in one transaction, which pauses if very many refs have moved. */
  async end(request: EndSyncRequest, moment: Moment): Promise<EndSyncAnswer> {
    const found = await findSync(this.#db, request);
    return await inTransaction(this.#db, areFew(request.updates), () => this.#ending(request, moment, found));
  }

  *#ending(request: EndSyncRequest, moment: Moment, found: FoundPush): Generator<number, EndSyncAnswer, undefined> {
    const repository = readRepository(this.#db);
    const row = repository?.record.id === request.id ? readMirror(this.#db) : undefined;
    // Another sync has begun since, because this one was taken for dead; or the mirror is gone.
    if (repository === undefined || row?.running !== request.packName) return { kind: "gone" };
    const landed = yield* landSync(this.#db, repository, { request, found, now: moment.now });
    if (landed.kind !== "landed") return landed;
    if (!landed.packKept && request.isClean) deleteLease(this.#db, request.packName);
    const { head } = request;
    const headMoves = head !== undefined && head !== repository.record.head;
    if (headMoves) {
      appendHeadLog(this.#db, moment.now, repository.record.head);
      moveHead(this.#db, head);
    }
    writeMirror(this.#db, ended(row, { ...request, changed: headMoves || request.updates.length > 0 }, moment));
    const record = this.#repository.describe();
    if (record === undefined) return { kind: "gone" };
    return { kind: "done", packKept: landed.packKept, record, isPublished: this.#isPublished() };
  }

  #isPublished(): boolean {
    const pointer = readPointer(this.#db);
    return pointer?.doomed === false && pointer.version === readRepository(this.#db)?.version;
  }

  /** Returns the access to the pointer's row, and to what the pointer has to hold. */
  get pointer(): PointerTable {
    return {
      read: () => (this.#repository.hasTables() ? readPointer(this.#db) : undefined),
      write: (row) => writePointer(this.#db, row),
      clear: () => deletePointer(this.#db),
      describe: ({ id, version, pieces }) => {
        const page = this.#repository.openHead();
        const isIt = page.kind === "found" && page.record.id === id && page.version === version;
        if (!isIt || page.record.mirror === undefined) return undefined;
        const { record, headOid } = page;
        return { record, version, pieces, ...(headOid === undefined ? {} : { headOid }) };
      },
    };
  }

  /** Returns when the alarm has something to do for the mirror; `undefined` if never. */
  nextDue(): number | undefined {
    const row = readMirror(this.#db);
    if (row?.nextSync === undefined && row?.lastSync === undefined) return undefined;
    // A sync publishes what changed since, such as a repack or a setting. A failing upstream is not asked any sooner
    // for that.
    const isIdle = row.running === undefined && !row.asked && row.failures === 0;
    const isBehind = isIdle && row.lastSync !== undefined && !this.#isPublished();
    // Without an attempt so far, it is due at once.
    const soon = isBehind ? (row.lastAttempt ?? 0) + PUBLISH_DELAY : Number.POSITIVE_INFINITY;
    const due = Math.min(row.nextSync ?? Number.POSITIVE_INFINITY, soon);
    return due === Number.POSITIVE_INFINITY ? undefined : due;
  }

  /** Notes that the tenant has no place for a sync now, and puts it off for a little. */
  postpone(now: number, jitter: number): void {
    const row = readMirror(this.#db);
    const isRunning = row?.runningUntil !== undefined && row.runningUntil > now;
    if (row === undefined || isRunning) return;
    writeMirror(this.#db, { ...row, asked: true, nextSync: now + Math.round(POSTPONE_TIME * (1 + jitter)) });
  }

  /** Notes that a job is about to be sent. The mirror is due again if no consumer takes it. */
  jobSent(now: number): void {
    const row = readMirror(this.#db);
    if (row === undefined) return;
    const isRunning = row.runningUntil !== undefined && row.runningUntil > now;
    writeMirror(this.#db, { ...row, asked: true, nextSync: isRunning ? row.runningUntil : now + JOB_TIME });
  }
}

/**
 * Returns the secret to keep. The resealed one replaces it only if another key sealed the kept one: meanwhile a new one
 * may have been set, under the newest key already, or none.
 */
function renewed(kept: SealedSecret | undefined, resealed: SealedSecret | undefined): SealedSecret | undefined {
  return kept === undefined || resealed === undefined || kept.key === resealed.key ? kept : resealed;
}

function ended(row: MirrorRow, request: EndSyncRequest & { changed: boolean }, moment: Moment): MirrorRow {
  const { end, bytes, objects, changed } = request;
  const { now, jitter } = moment;
  const failures = end.kind === "failed" ? row.failures + 1 : 0;
  const { interval } = row.settings;
  const retryAfter = end.kind === "failed" ? end.retryAfter : undefined;
  return {
    ...row,
    login: renewed(row.login, request.login),
    hook: renewed(row.hook, request.hook),
    running: undefined,
    runningUntil: undefined,
    failures,
    lastError: end.kind === "failed" ? end.why.slice(0, MOST_ERROR) : undefined,
    // After a sync that ended well, refs name everything: there are no anchors left to keep.
    ...(end.kind === "synced" ? { lastSync: now, slice: undefined, leftOut: end.leftOut } : {}),
    ...(end.kind === "partial" ? { slice: end.slice } : {}),
    ...(changed && end.kind === "synced" ? { lastChange: now } : {}),
    ...(changed && row.lfs !== undefined ? { lfs: { ...row.lfs, complete: false } } : {}),
    nextSync: row.asked || end.kind === "partial" ? now : nextSync({ now, jitter, interval, failures, retryAfter }),
    bytes: row.bytes + bytes,
    objects: row.objects + objects,
    // What the upstream said counts while the next slice has to follow.
    progress: end.kind === "partial" && request.progress !== "" ? request.progress?.slice(-MOST_PROGRESS) : undefined,
  };
}
