/**
 * The truth of a repository on a SQL database, without the Durable Object. A method that gives no promise is done in one turn.
 *
 * @packageDocumentation
 */
import { present } from "../../bytes/assert.ts";
import { atOnce } from "../../bytes/pacer.ts";
import type { TenantHook } from "../../access/tenant-hook.ts";
import { encodeRefRows } from "../../refs/ref-rows.ts";
import type {
  BeginPushRequest,
  CommitPushAnswer,
  CommitPushRequest,
  CreateRequest,
  DescribedRepository,
  OpenRequest,
  RepositoryRecord,
} from "../../refs/ref-store.ts";
import type { RefLogPage, RefLogQuery } from "../../refs/ref-log.ts";
import { type CreateAnswer, type SettingsChange, settingsTag } from "../../refs/repository-settings.ts";
import type { UploadAnswer, UploadRequest } from "../../refs/upload-store.ts";
import { changeSettings } from "./change-settings.ts";
import { copyTenantHooks } from "./copied-hooks.ts";
import type { DueWork } from "./due-work.ts";
import type { EventSource } from "./event-sockets.ts";
import { eventSource } from "./event-source.ts";
import { ForkDatabase } from "./fork-database.ts";
import { RepositoryHooks } from "./hook-database.ts";
import { landPush } from "./land-push.ts";
import { KeptBlobDatabase } from "./kept-blob-database.ts";
import { LfsDatabase } from "./lfs-database.ts";
import { MaintenanceDatabase } from "./maintenance-database.ts";
import { MirrorDatabase } from "./mirror-database.ts";
import { forwardOf, MoveDatabase } from "./move-database.ts";
import { type BegunPage, isAsKnown, type OpenPage } from "./open-page.ts";
import { Tables } from "../sql/migrations.ts";
import { emptyTables, REPOSITORY_SCHEMA } from "./schema.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { inTransaction } from "../sql/transaction-in-turns.ts";
import { answeredBefore } from "./tables/answered-requests.ts";
import { doomPrefix, duePrefixes, nextPrefixDue, notePrefixEmpty, postponePrefix } from "./tables/doomed-prefixes.ts";
import { deleteLease, expiredLeases, LEASE_TIME, leaseEnd } from "./tables/leases.ts";
import { readOrigin } from "./tables/forks.ts";
import { headAt } from "./tables/head-log.ts";
import { readMirrorSummary } from "./tables/mirror.ts";
import { knownPacks, listAskedPacks, listPacksBeyond, sumPackBytes } from "./tables/packs.ts";
import { recentValuesOf } from "./tables/recent-values.ts";
import { readCertificate } from "./tables/push-certificates.ts";
import { readRefLogPage } from "./tables/ref-log-pages.ts";
import { changePushChecks, readPushChecks } from "./push-checks.ts";
import { isUnused } from "./unused.ts";
import { readPushSeed } from "./tables/push-seed.ts";
import { listRules } from "./tables/ref-rules.ts";
import { listNamedRefs, readRef, readRefs } from "./tables/refs.ts";
import {
  insertRepository,
  hiddenOf,
  isHidden,
  noteDerivedJob,
  noteDerivedVersion,
  noteUploadChange,
  noteUsageVersion,
  readRepository,
  type RepositoryRow,
} from "./tables/repository.ts";
import { deleteUpload } from "./tables/uploads.ts";
import { bytesBesidePacks } from "./used-bytes.ts";
import { TipIndex } from "./tip-index.ts";
import { answerUpload } from "./upload-database.ts";
import { TailDatabase } from "./tail-database.ts";
import { usageTable } from "./usage-database.ts";
import type { UsageTable } from "./usage-report.ts";
import { LookAhead, pageOfRefs, presentValues, type RefsAhead, type ValuesAhead } from "./look-ahead.ts";

/** A job to delete a prefix that has not reported after this time is taken for lost. Milliseconds. */
const PREFIX_JOB_TIME = 60 * 60 * 1000;

/** Returns a fresh repository id: 128 random bits in hex. */
export type NewId = () => string;

/** The tables of one Durable Object, with at most one repository at a time. */
export class RepositoryDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;
  readonly #newId: NewId;
  readonly #hasTables = (): boolean => this.#tables.exist;
  readonly #tips: TipIndex;
  readonly ahead: LookAhead;
  readonly mirror: MirrorDatabase;
  readonly maintenance: MaintenanceDatabase;
  readonly usage: UsageTable;
  readonly forks: ForkDatabase;
  readonly moves: MoveDatabase;
  readonly lfs: LfsDatabase;
  readonly tail: TailDatabase;
  readonly kept: KeptBlobDatabase;

  constructor(db: SqlDatabase, newId: NewId, publishAfter = 0) {
    this.#db = db;
    this.#tables = new Tables(db, REPOSITORY_SCHEMA);
    this.#newId = newId;
    this.#tips = new TipIndex(db);
    this.ahead = new LookAhead(db, this.#tips, this.#hasTables);
    this.tail = new TailDatabase(db, this.#hasTables, publishAfter);
    this.kept = new KeptBlobDatabase(db, () => this.isEmpty);
    const hasTables = this.#hasTables;
    this.maintenance = new MaintenanceDatabase(db, { read: () => this.#read(), describe: () => this.describe() });
    const moves = (this.moves = new MoveDatabase(db, this.#tables));
    this.lfs = new LfsDatabase(db, { hasTables, moves, read: () => this.#read(), record: (row) => this.#record(row) });
    this.usage = usageTable(db, () => this.#read(), this.lfs, this.tail);
    this.forks = new ForkDatabase(db, this.#tables, moves);
    this.mirror = new MirrorDatabase(db, {
      hasTables,
      describe: () => this.describe(),
      openHead: () => this.open({}),
      openAll: (ahead) => this.open({ packs: true, refPrefixes: [] }, "", [], ahead),
    });
  }

  /** Whether the database is as it was made, so that there is nothing to ask it for. */
  get isEmpty(): boolean {
    return !this.#tables.exist;
  }

  #read(): RepositoryRow | undefined {
    return this.#tables.exist ? readRepository(this.#db) : undefined;
  }

  #record(row: RepositoryRow): RepositoryRecord {
    const mirror = readMirrorSummary(this.#db);
    const forkOf = readOrigin(this.#db);
    return {
      ...row.record,
      ...(forkOf === undefined ? {} : { forkOf }),
      ...(mirror === undefined ? {} : { mirror }),
      rules: listRules(this.#db),
      sizeBytes: sumPackBytes(this.#db),
    };
  }

  /** Adds what only those see that may push or administer. */
  #described(row: RepositoryRow): DescribedRepository {
    return { ...this.#record(row), ...readPushChecks(this.#db) };
  }

  /** Makes the repository, unless its id was doomed before. */
  #insert(request: CreateRequest, now: number): RepositoryRow | undefined {
    this.#tables.make();
    const { id } = request;
    if (id !== undefined && this.moves.isSpent(id)) return undefined;
    this.moves.nameTaken();
    insertRepository(this.#db, request.id ?? this.#newId(), request, now);
    changePushChecks(this.#db, request);
    copyTenantHooks(this.#db, request.tenantHooks ?? []);
    return present(this.#read(), "a row that was inserted");
  }

  #pushSeed({ pushSeed }: OpenRequest | BeginPushRequest): { pushSeed?: string } {
    return pushSeed === true ? { pushSeed: readPushSeed(this.#db, this.#newId) } : {};
  }

  #head({ record }: RepositoryRow, { at }: OpenRequest): string {
    return (at === undefined ? undefined : headAt(this.#db, at)) ?? record.head;
  }

  /** Whether the caller has the present snapshot at hand. It costs one row, however many refs there are. */
  isAsKnown(request: OpenRequest, known: Parameters<typeof isAsKnown>[2]): boolean {
    return isAsKnown(this.#read(), request, known) && readMirrorSummary(this.#db) === undefined;
  }

  /**
   * Returns a consistent snapshot, or one page of it. `knows` are packs whose records the caller has; `ahead`, refs that were read
   * before.
   */
  open(request: OpenRequest, after = "", knows: readonly string[] = [], ahead?: RefsAhead): OpenPage {
    const row = this.#read();
    if (row === undefined) return { kind: "missing", ...forwardOf(this.moves) };
    if (isHidden(row, request.publicOnly)) {
      return { kind: "missing", hidden: hiddenOf(row) };
    }
    if (request.lends === true) this.forks.lend();
    const headOid = readRef(this.#db, row.record.head);
    const { refNames, wants, wantRefs = [] } = request;
    const values = readRefs(this.#db, wantRefs);
    const recent = recentValuesOf(this.#db, request, row);
    const valueOf = (name: string): string | undefined => (name === "HEAD" ? headOid : values.get(name));
    const wantedRefs = wantRefs.map((name) => valueOf(name) ?? recent?.byName.get(name) ?? ""); // "": there is none.
    const page = pageOfRefs(this.#db, { request, row, after }, ahead);
    const listed = listAskedPacks(this.#db, request.packs === true && after === "", knows);
    const named = refNames === undefined || after !== "" ? [] : encodeRefRows(listNamedRefs(this.#db, refNames));
    return {
      kind: "found",
      record: { ...this.#record(row), head: this.#head(row, request) },
      version: row.version,
      ...this.#pushSeed(request),
      ...(headOid === undefined ? {} : { headOid }),
      ...knownPacks(listed),
      ...this.maintenance.catalogParts(request, true),
      ...page,
      refs: [...page.refs, ...named],
      wantedRefs,
      ...this.#tips.look(wants, wantedRefs, row),
      ...(recent === undefined ? {} : { recentValues: recent.oids }),
      ...this.#tips.lookAtHaves(request, listed.areMarked, row.record.objectFormat),
    };
  }

  /** Leases the keys of a push. Makes the repository if it is missing and the request asks for that. */
  beginPush(request: BeginPushRequest, now: number, knows: readonly string[] = [], ahead?: ValuesAhead): BegunPage {
    return this.#tables.transaction(() => {
      const found = this.#read();
      const row = found ?? (request.create === undefined ? undefined : this.#insert(request.create, now));
      if (row === undefined) return { kind: "missing", ...forwardOf(this.moves) };
      const granted = this.tail.grant(request, now);
      return {
        kind: "begun",
        record: this.#described(row),
        version: row.version,
        ...(found === undefined ? { made: true } : {}),
        ...knownPacks(listPacksBeyond(this.#db, knows)),
        ...this.maintenance.catalogParts({ packs: true }),
        ...this.#pushSeed(request),
        ...granted,
        uploadBytes: bytesBesidePacks(this.#db, request.upload),
        ...this.lfs.foreignLocks(request.lockOwner),
        current: presentValues(this.#db, request.names, row, ahead),
        ...answeredBefore(this.#db, request.once, now),
      };
    });
  }

  async commitPush(request: CommitPushRequest, now: () => number): Promise<CommitPushAnswer> {
    return this.#tables.exist ? await landPush(this.#db, request, now) : { kind: "gone" };
  }

  abandonPush(packName: string): void {
    if (!this.#tables.exist) return;
    deleteLease(this.#db, packName);
    if (deleteUpload(this.#db, packName)) noteUploadChange(this.#db);
  }

  /** See `UploadStore.upload`. */
  upload(request: UploadRequest, now: number): UploadAnswer {
    if (this.#read() === undefined) return { kind: "missing" };
    return this.#tables.transaction(() => answerUpload(this.#db, request, now));
  }

  /** Makes a repository. A fork may have very many refs: see {@link createInTurns}. */
  create(request: CreateRequest, now: number): CreateAnswer {
    return this.#tables.transaction(() => atOnce(this.#creating(request, now)));
  }

  /** Makes a repository in one transaction, which pauses if it is a fork. */
  async createInTurns(request: CreateRequest, now: number): Promise<CreateAnswer> {
    return await inTransaction(this.#tables, request.fork === undefined, () => this.#creating(request, now));
  }

  *#creating(request: CreateRequest, now: number): Generator<number, CreateAnswer, undefined> {
    const existing = this.#read();
    if (existing !== undefined) return { kind: "exists", record: this.#described(existing) };
    if (request.id !== undefined && this.moves.isSpent(request.id)) return { kind: "gone" };
    if (request.fork !== undefined && !this.forks.isReady(request, now)) return { kind: "stale" };
    const made = this.#insert(request, now);
    if (made === undefined) return { kind: "gone" };
    if (request.fork !== undefined) yield* this.forks.fill(made, request.fork);
    return { kind: "created", record: this.#described(this.#read() ?? made) };
  }

  describe(publicOnly?: boolean): DescribedRepository | undefined {
    const row = this.#read();
    return row === undefined || isHidden(row, publicOnly) ? undefined : this.#described(row);
  }

  change(change: SettingsChange, now: number, tags?: readonly string[]): DescribedRepository | "stale" | undefined {
    return this.#tables.transaction(() => {
      const before = this.describe();
      if (before === undefined) return undefined;
      if (tags?.includes(settingsTag(before)) === false) return "stale";
      changeSettings(this.#db, before, change, now);
      return this.describe();
    });
  }

  refLog(query: RefLogQuery): RefLogPage | undefined {
    return this.#read() === undefined ? undefined : readRefLogPage(this.#db, query);
  }

  pushCertificate(push: number): Uint8Array | undefined {
    return this.#read() === undefined ? undefined : readCertificate(this.#db, push);
  }

  /** Empties the tables and dooms the prefix and, if given, `id`. Returns whether there was a repository. */
  remove(now: number, id?: string, wasUsed = true): boolean {
    return this.#tables.transaction(() => {
      const row = this.#read();
      if (id !== undefined && row?.record.id !== id) this.#prevent(id, now);
      if (row === undefined) return false;
      this.moves.nameLeft(wasUsed);
      const leasedUntil = leaseEnd(this.#db, "last") ?? now;
      this.lfs.removeAll(row.record.id);
      const lent = this.forks.end(row.record.id, now);
      emptyTables(this.#db);
      doomPrefix(this.#db, { id: row.record.id, lent }, now, leasedUntil);
      return true;
    });
  }

  /** Removes repository `id` if nothing was ever put into it. Returns whether there is none with that id now. */
  retract(id: string, now: number): boolean {
    return this.#read()?.record.id !== id || (isUnused(this.#db) && this.remove(now, undefined, false));
  }

  /**
   * Returns the repository's id, takes over its tenant's webhooks, and makes a report to its tenant due. If there is no
   * repository, none with this `id` is ever made.
   */
  confirm(id: string | undefined, now: number, tenantHooks?: readonly TenantHook[]): string | undefined {
    return this.#tables.transaction(() => {
      const row = this.#read();
      if (row === undefined && id !== undefined) this.#prevent(id, now);
      if (row !== undefined) {
        noteUsageVersion(this.#db, -1);
        if (tenantHooks !== undefined) copyTenantHooks(this.#db, tenantHooks);
      }
      return row?.record.id;
    });
  }

  /** Keeps a repository from being made with this id, for as long as a request that was given the id may last. */
  #prevent(id: string, now: number): void {
    this.#tables.make();
    if (this.moves.isElsewhere(id)) return;
    doomPrefix(this.#db, { id, lent: false }, now + LEASE_TIME, now + LEASE_TIME);
  }

  /** Returns the webhooks of the repository, if it is the one asked for; `undefined` if there is none. */
  hooks(id?: string): RepositoryHooks | undefined {
    const row = this.#read();
    if (row === undefined || (id !== undefined && row.record.id !== id)) return undefined;
    return new RepositoryHooks(this.#db, this.#newId);
  }

  events(): EventSource {
    return eventSource(this.#db, () => this.#read()?.record, this.#hasTables);
  }

  derivedFilesWritten(id: string, version: number): void {
    if (this.#read()?.record.id === id) noteDerivedVersion(this.#db, version);
  }

  prefixDeleted(id: string, now: number): void {
    if (this.#tables.exist) notePrefixEmpty(this.#db, id, now);
  }

  /** Returns the work that is due now. Deliveries of webhooks are made for it. */
  dueWork(now: number): DueWork {
    const row = this.#read();
    if (row !== undefined) this.maintenance.expire(now, row);
    this.forks.expire(now, row?.record.id);
    this.kept.expire(now);
    return {
      ...(row === undefined ? {} : { id: row.record.id }),
      derivedFiles: row !== undefined && this.tail.derivedDue(row, now) <= now,
      expiredPacks: row === undefined ? [] : expiredLeases(this.#db, now),
      doomedPrefixes: this.#tables.exist ? duePrefixes(this.#db, now) : [],
      hooks: this.hooks()?.due(now) ?? [],
      staleSnapshot: this.mirror.pointer.read()?.doomed === true,
      mirrorSync: row !== undefined && (this.mirror.nextDue() ?? Number.POSITIVE_INFINITY) <= now,
      maintenance: row !== undefined && (this.maintenance.jobDue(now, row) ?? Number.POSITIVE_INFINITY) <= now,
      lfsSweep: (this.lfs.jobDue(now) ?? Number.POSITIVE_INFINITY) <= now,
    };
  }

  /** Returns when the next work is due, in milliseconds since the epoch; `undefined` if none is. */
  nextDue(now: number): number | undefined {
    if (!this.#tables.exist) return undefined;
    const row = this.#read();
    const due = [
      row === undefined ? undefined : this.tail.derivedDue(row, now),
      leaseEnd(this.#db, "next"),
      nextPrefixDue(this.#db),
      this.hooks()?.nextDue(now),
      this.mirror.nextDue(),
      this.maintenance.nextDue(now, row),
      this.lfs.jobDue(now),
      this.forks.nextDue(),
      this.kept.nextDue(),
      this.mirror.pointer.read()?.doomed === true ? now : undefined,
    ].flatMap((at) => (at === undefined || at === Number.POSITIVE_INFINITY ? [] : [at]));
    return due.length === 0 ? undefined : Math.min(...due);
  }

  derivedJobSent(now: number): void {
    noteDerivedJob(this.#db, now);
  }

  prefixJobSent(id: string, now: number): void {
    postponePrefix(this.#db, id, now + PREFIX_JOB_TIME);
  }
}
