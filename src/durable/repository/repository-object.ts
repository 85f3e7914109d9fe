/**
 * The Durable Object of a repository, addressed by `{tenant}/{repo}`: its refs, catalog, leases and settings. It never
 * touches the bytes of a pack. In the bucket it only deletes what uploads left behind, and keeps the pointer to a
 * mirror's snapshot.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../bytes/assert.ts";
import type {
  ConfigureAnswer,
  EndSyncAnswer,
  EndSyncRequest,
  Mirror,
  MirrorChange,
  MirrorHook,
} from "../../refs/mirror-store.ts";
import type {
  BeginPushRequest,
  CommitPushAnswer,
  CommitPushRequest,
  CreateRequest,
  DescribedRepository,
  KnownSnapshot,
  OpenRequest,
  Unchanged,
} from "../../refs/ref-store.ts";
import type { KeptBlobAnswer, KeptBlobRequest } from "../../refs/kept-blobs.ts";
import type { LoanNotice, LoanNoticeAnswer, PackHome } from "../../refs/fork-store.ts";
import type { RefLogPage, RefLogQuery } from "../../refs/ref-log.ts";
import type { LfsCall, LfsReply } from "./lfs-database.ts";
import type { MaintenanceAnswer, MaintenanceCall } from "./maintenance-call.ts";
import type { CreateAnswer, SettingsChange } from "../../refs/repository-settings.ts";
import type { UploadAnswer, UploadRequest } from "../../refs/upload-store.ts";
import { durableSql } from "../sql/durable-sql.ts";
import type { TenantHook } from "../../access/tenant-hook.ts";
import type { PublishAnswer, WrittenSnapshot } from "../../refs/mirror-pointer.ts";
import type { BeginSyncPage } from "./mirror-database.ts";
import type { ArrivalAnswer, ArrivalStep, Forward, MoveAnswer } from "../../refs/forward.ts";
import { nameOf, objectNamed } from "../placement.ts";
import { randomId } from "../random-id.ts";
import { HookedObject } from "./hooked-object.ts";
import type { RepositoryHooks } from "./hook-database.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { RepositoryMover } from "./repository-mover.ts";
import { publishAfterOf, type RepositoryObjectEnv, type TenantTold } from "./repository-env.ts";
import { PointerKeeper } from "./pointer-keeper.ts";
import type { BegunPage, OpenPage } from "./open-page.ts";
import { JobSender } from "./job-sender.ts";
import { UsageReporter } from "./usage-report.ts";
import type { LockChange } from "../../events/lock-change.ts";
import { RepositoryDatabase } from "./repository-database.ts";
import { Subscribers } from "./subscribers.ts";
import { SyncSender } from "./sync-sender.ts";
import { LoanKeeper } from "./loan-keeper.ts";

/** One repository, or none if it is not made yet or was deleted. */
export class RepositoryObject extends HookedObject {
  readonly #database: RepositoryDatabase;
  readonly #subscribers: Subscribers;
  readonly #pointer: PointerKeeper;
  readonly #usage: UsageReporter;
  readonly #syncs: SyncSender;
  readonly #jobs: JobSender;
  readonly #alarm: AlarmClock;
  readonly #mover: RepositoryMover;
  readonly #loans: LoanKeeper;

  constructor(state: DurableObjectState, env: RepositoryObjectEnv) {
    super(state, env);
    this.#database = new RepositoryDatabase(durableSql(state.storage), randomId, publishAfterOf(env));
    this.#subscribers = new Subscribers(state, this.#database.events());
    this.#pointer = new PointerKeeper(env.BUCKET, () => this.#name, this.#database.mirror.pointer);
    this.#jobs = new JobSender(env, this.#database);
    this.#syncs = new SyncSender(env, this.#database, () => ({ name: this.#name, tenant: this.#tenant() }));
    this.#usage = new UsageReporter(this.#database.usage, (report) =>
      this.#tenant().noteUsage({ repo: itemAt(this.#name.split("/"), 1), ...report }),
    );
    this.#alarm = new AlarmClock(state.storage, (now) =>
      this.#subscribers.isUntold
        ? now
        : Math.min(this.#database.nextDue(now) ?? this.#usage.nextDue, this.#usage.nextDue),
    );
    this.#loans = new LoanKeeper(this.#database.forks, (id) => objectNamed(env.LENDERS, id, env));
    this.#mover = new RepositoryMover(this.#database.moves, (key) => objectNamed(env.REPOSITORIES, key, env));
    void state.blockConcurrencyWhile(async () => {
      await this.#alarm.load();
      // A move that the object died in is ended, or called off, before anybody is answered.
      await this.#mover.settle();
    });
  }

  /**
   * See `RefStore.open`. A caller asks for each further page with the last ref of the page before it. It says which packs
   * it knows: see `OpenPage`.
   */
  async open(request: OpenRequest, after?: string, knows?: readonly string[]): Promise<OpenPage> {
    const page = this.#database.open(request, after, knows, await this.#database.ahead.forOpen(request, after));
    if (request.clone === true && this.#database.maintenance.noteClone(page, Date.now())) this.#alarm.set();
    return page;
  }

  /** Opens a snapshot for a caller that has one at hand, and tells it if that is still the present one. */
  async openUnlessSame(request: OpenRequest, known: KnownSnapshot): Promise<OpenPage | Unchanged> {
    return this.#database.isAsKnown(request, known) ? { kind: "unchanged" } : await this.open(request);
  }

  /** See `RefStore.beginPush`. */
  async beginPush(request: BeginPushRequest, knows?: readonly string[]): Promise<BegunPage> {
    const ahead = await this.#database.ahead.valuesFor(request);
    return this.waking(this.#database.beginPush(request, Date.now(), knows, ahead));
  }

  /** See `KeptBlobStore`. */
  keptBlobs(request: KeptBlobRequest): KeptBlobAnswer {
    return this.waking(this.#database.kept.answer(request, Date.now()));
  }

  /** See `RefStore.commitPush`. */
  async commitPush(request: CommitPushRequest): Promise<CommitPushAnswer> {
    const answer = await this.#database.commitPush(request, () => Date.now());
    this.#refsMoved();
    return answer;
  }

  /**
   * See `MaintenanceStore` and `PackCatalog`, whose methods these calls stand for. A mirror's snapshot that names what was replaced is
   * itself replaced before that goes.
   */
  async maintenance(call: MaintenanceCall): Promise<MaintenanceAnswer> {
    const answer = this.waking(this.#database.maintenance.answer(call, Date.now()));
    if (answer.replaced?.kind === "done") await this.#belie();
    return answer;
  }

  /** See `RefStore.leasePacks`. */
  leasePacks(id: string, packNames: readonly string[]): boolean {
    return this.waking(this.#database.tail.lease(id, packNames, Date.now()));
  }

  /** See `RefStore.abandonPush`. */
  abandonPush(packName: string): void {
    this.#database.abandonPush(packName);
  }

  /** See `UploadStore.upload`. */
  upload(request: UploadRequest): UploadAnswer {
    return this.waking(this.#database.upload(request, Date.now()));
  }

  /** See `RepositorySettings.describe`. */
  describe(publicOnly?: boolean): DescribedRepository | undefined {
    return this.#database.describe(publicOnly);
  }

  /** See `RepositorySettings.create`. */
  async create(request: CreateRequest): Promise<CreateAnswer> {
    return this.waking(await this.#database.createInTurns(request, Date.now()));
  }

  /** See `RepositorySettings.change`. */
  async change(change: SettingsChange, tags?: readonly string[]): Promise<DescribedRepository | "stale" | undefined> {
    const record = this.#database.change(change, Date.now(), tags);
    this.#subscribers.sweep();
    await this.#belie();
    return record;
  }

  /** See `RepositorySettings.refLog`. */
  refLog(query: RefLogQuery): RefLogPage | undefined {
    return this.#database.refLog(query);
  }

  /** See `RepositorySettings.pushCertificate`. */
  pushCertificate(push: number): Uint8Array | undefined {
    return this.#database.pushCertificate(push);
  }

  /** See `RepositorySettings.remove`. */
  async remove(id?: string): Promise<boolean> {
    const removed = this.#database.remove(Date.now(), id);
    this.#subscribers.sweep();
    await this.#belie();
    return removed;
  }

  /** See `RepositorySettings.move`. It answers nobody else meanwhile. */
  async move(to: string): Promise<MoveAnswer> {
    // Readers of a mirror are not to be led to the old name any more.
    await this.#pointer.revoke();
    const moved = await this.ctx.blockConcurrencyWhile(async () => {
      // An exception would reset the object.
      return await this.#mover.move(to, this.#name).catch((error: unknown) => ({ kind: "failed" as const, error }));
    });
    if (moved.kind === "failed") throw moved.error;
    this.#subscribers.sweep();
    return moved;
  }

  /** Takes a step of the arrival of a repository that is renamed. */
  arrive(step: ArrivalStep): ArrivalAnswer {
    return this.waking(this.#database.moves.arrive(step));
  }

  /** See `RepositorySettings.forward`. */
  forward(): Forward | undefined {
    return this.#database.moves.forward();
  }

  /** Removes repository `id` if nothing was ever put into it. Returns whether there is none with that id now. */
  retract(id: string): boolean {
    return this.waking(this.#database.retract(id, Date.now()));
  }

  /** Returns the id of the repository that is here. If there is none, makes sure that none with this id is made. */
  confirm(id: string | undefined, tenantHooks?: readonly TenantHook[]): string | undefined {
    if (this.#database.mirror.read() !== undefined) this.ctx.waitUntil(this.#syncs.report());
    return this.waking(this.#database.confirm(id, Date.now(), tenantHooks));
  }

  /** See `RepositorySettings.derivedFilesWritten`. */
  derivedFilesWritten(id: string, version: number): void {
    this.waking(this.#database.derivedFilesWritten(id, version));
  }

  /** See `RepositorySettings.prefixDeleted`. */
  prefixDeleted(id: string): void {
    this.waking(this.#database.prefixDeleted(id, Date.now()));
  }

  /** See `ForkStore.prepareFork`. */
  prepareFork(id: string, packs: readonly PackHome[]): boolean {
    return this.waking(this.#database.forks.prepare(id, packs, Date.now()));
  }

  /** Notes what a lender says of packs. */
  noteLoans(notice: LoanNotice): LoanNoticeAnswer {
    return this.waking(this.#database.forks.notice(notice, Date.now()));
  }

  /** See `MirrorStore.readMirror`. */
  readMirror(): Mirror | undefined {
    return this.#database.mirror.read();
  }

  /** See `MirrorStore.readMirrorHook`. */
  readMirrorHook(): MirrorHook | Forward | undefined {
    return this.#database.mirror.hook() ?? this.#database.moves.forward();
  }

  /** See `MirrorStore.configureMirror`. */
  async configureMirror(change: MirrorChange): Promise<ConfigureAnswer> {
    const answer = this.#database.mirror.configure(change, Date.now());
    if (answer.kind !== "configured") return answer;
    await this.#belie();
    await this.requestSync();
    await this.#syncs.report();
    return answer;
  }

  /** See `MirrorStore.promoteMirror`. */
  async promoteMirror(): Promise<boolean> {
    const promoted = this.#database.mirror.promote();
    await this.#belie();
    if (promoted) await this.#syncs.report();
    return promoted;
  }

  /** See `MirrorStore.publishSnapshot`. */
  publishSnapshot(snapshot: WrittenSnapshot): Promise<PublishAnswer> {
    return this.#pointer.publish(snapshot);
  }

  /** See `MirrorStore.requestSync`. The job is sent at once, not by the alarm. */
  async requestSync(): Promise<boolean> {
    const asked = this.#database.mirror.request(Date.now());
    if (asked === "send") await this.#syncs.send();
    this.#alarm.set();
    return asked !== "missing";
  }

  /** See `MirrorStore.requestSyncForReader`. */
  async requestSyncForReader(): Promise<boolean> {
    return (await this.#syncs.mayReaderAsk()) && (await this.requestSync());
  }

  /** See `MirrorStore.beginSync`. Further pages are asked for as in {@link open}. */
  async beginSync(packName: string): Promise<BeginSyncPage> {
    const ahead = await this.#database.ahead.refsFor({ refPrefixes: [] });
    const answer = this.waking(this.#database.mirror.begin(packName, Date.now(), ahead));
    if (answer.kind === "begun") this.ctx.waitUntil(this.#syncs.goesOn());
    return answer;
  }

  /** See `MirrorStore.renewSync`. */
  renewSync(packName: string): void {
    if (this.#database.mirror.renew(packName, Date.now())) this.ctx.waitUntil(this.#syncs.goesOn());
    this.#alarm.set();
  }

  /** See `MirrorStore.endSync`. */
  async endSync(request: EndSyncRequest): Promise<EndSyncAnswer> {
    const answer = await this.#database.mirror.end(request, { now: Date.now(), jitter: Math.random() });
    if (answer.kind === "done") this.ctx.waitUntil(this.#syncs.ended(request.end));
    this.#refsMoved();
    return answer;
  }

  /** Begins a subscription. It is a fetch because a WebSocket can't be handed over in another way. */
  override async fetch(request: Request): Promise<Response> {
    return this.waking(await this.#subscribers.begin(request, this.#inForce));
  }

  override webSocketMessage(socket: WebSocket): void {
    this.#subscribers.refuse(socket);
  }

  /** Answers the end of a subscription: a client waits for that. */
  override webSocketClose(socket: WebSocket): void {
    this.#subscribers.leave(socket);
    socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    this.#subscribers.leave(socket);
  }

  /** Sends due jobs, and sweeps uploads whose leases have ended. It runs again if it throws. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#alarm.run(info, () => this.#work());
  }

  async #work(): Promise<void> {
    const now = Date.now();
    const due = this.#database.dueWork(now);
    await this.#loans.sweep(this.env.BUCKET, due, (pack) => this.#database.abandonPush(pack));
    await this.#jobs.send(this.#name, due, now);
    await this.#loans.work(due.id, Date.now());
    if (due.staleSnapshot) await this.#pointer.revoke();
    if (due.id !== undefined && due.mirrorSync) await this.#syncs.send();
    await this.#usage.work(now);
    this.#alarm.set();
    await this.#tell();
  }

  /** Schedules everything that follows a ref update, off the response path. */
  #refsMoved(): void {
    if (this.#subscribers.areAny) {
      this.#subscribers.isUntold = true;
      this.ctx.waitUntil(this.#tell());
    }
    this.#alarm.set();
  }

  /** Sends subscribers the moves that they lack. If that fails, or one go is not enough, the alarm continues it. */
  async #tell(): Promise<void> {
    if (!this.#subscribers.areAny) return;
    await this.#subscribers.tell(this.#inForce);
    this.#alarm.set();
  }

  readonly #inForce = async (tokens: readonly string[]): Promise<string[]> => await this.#tenant().inForce(tokens);

  #tenant(): TenantTold {
    return objectNamed(this.env.TENANTS, itemAt(this.#name.split("/"), 0), this.env);
  }

  /**
   * Deletes a pointer that has become false, and has a sync write another. The caller that asked for the change gets
   * its answer after that, or the failure; the alarm then tries again.
   */
  async #belie(): Promise<void> {
    this.#alarm.set();
    if (this.#database.isEmpty) return;
    if (await this.#pointer.revoke()) await this.requestSync();
  }

  /** `{tenant}/{repo}`. */
  get #name(): string {
    return nameOf(this.ctx.id);
  }

  /** Returns the result of a change, and sets the alarm for the work that is then due. */
  protected override waking<Answer>(answer: Answer): Answer {
    this.#alarm.set();
    return answer;
  }

  protected override answerLfs(call: LfsCall, now: number): LfsReply {
    return this.#database.lfs.reply(call, now);
  }

  protected override lockChanged(change: LockChange): void {
    this.#subscribers.add(change);
    this.#refsMoved();
  }

  protected override hooks(id?: string): RepositoryHooks | undefined {
    return this.#database.hooks(id);
  }
}
