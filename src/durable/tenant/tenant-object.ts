/**
 * The Durable Object of a tenant, addressed by the tenant's name: its settings, its repositories by name, its tokens.
 *
 * @packageDocumentation
 */
import type {
  Belongings,
  CreateTenantAnswer,
  RegisterAnswer,
  RegisterRequest,
  TenantRecord,
  TenantSettings,
} from "../../access/directory.ts";
import type { AuditEntry, AuditQuery, AuditRecord } from "../../access/audit.ts";
import type { LinkAnswer, UnlinkAnswer } from "../../access/lfs-links.ts";
import type { ListedMirror, MirrorQuery, MirrorReport } from "../../access/mirror-list.ts";
import type { AddSshKeyAnswer, AddSshKeyRequest, SshKeyPlace, SshKeyRecord } from "../../access/ssh-key-store.ts";
import type { TenantHook, TenantHookChange } from "../../access/tenant-hook.ts";
import type { Allowance, UsageReport } from "../../access/quotas.ts";
import type { CountedUsage, UsageAnswer, UsageRequest } from "../../access/usage.ts";
import type { IssueAnswer, IssueRequest, Page, TokenCheck, TokenRecord } from "../../access/token-store.ts";
import type { AddKeyAnswer, HostKey, SigningKey } from "../../signing/signing-key.ts";
import { CopiedObject } from "../sql/copied-object.ts";
import { durableSql } from "../sql/durable-sql.ts";
import { nameOf } from "../placement.ts";
import { randomId } from "../random-id.ts";
import { TENANT_SCHEMA } from "./schema.ts";
import { OUTLIVING_TABLES, settleRestoredTenant } from "./tables/restored.ts";
import { SyncPlaces } from "./sync-places.ts";
import { TenantDatabase } from "./tenant-database.ts";
import { surroundings, type TenantObjectEnv } from "./tenant-surroundings.ts";
import { TenantUpkeep } from "./tenant-upkeep.ts";

/**
 * How much later failed work is tried again, without end: the platform itself gives up after six tries. Milliseconds.
 */
const RETRY_DELAY = 30_000;

/** One tenant, or none if it is not made yet or was deleted. */
export class TenantObject extends CopiedObject<TenantObjectEnv> {
  readonly #database: TenantDatabase;
  readonly #upkeep: TenantUpkeep;
  readonly #syncs = new SyncPlaces();
  /** When the alarm goes off; `undefined` if it is not set. */
  #alarmAt: number | undefined;

  constructor(state: DurableObjectState, env: TenantObjectEnv) {
    super(state, env, {
      kind: "tenant",
      schema: TENANT_SCHEMA,
      settle: settleRestoredTenant,
      outliving: OUTLIVING_TABLES,
    });
    const name = nameOf(state.id);
    this.#database = new TenantDatabase(durableSql(state.storage), name, randomId);
    this.#upkeep = new TenantUpkeep(this.#database, {
      ...surroundings(env, name),
      remember: () => this.#wakeForNext(RETRY_DELAY),
    });
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await state.storage.getAlarm()) ?? undefined;
      // A migration may have brought work with it.
      this.#wakeForNext(0);
    });
  }

  /** See `TokenStore.check`. */
  check(hash: Uint8Array, repo?: string): TokenCheck | undefined {
    return this.#database.check(hash, repo, Date.now());
  }

  /** See `TokenStore.facts`. */
  facts(repo?: string): Omit<TokenCheck, "token"> | undefined {
    return this.#database.facts(repo);
  }

  /** Returns those of the tokens that are in force: a repository asks before it sends their owners something. */
  inForce(ids: readonly string[]): string[] {
    return this.#database.inForce(ids, Date.now());
  }

  /** See `TokenStore.issue`. */
  issue(request: IssueRequest): IssueAnswer {
    return this.#database.issue(request, Date.now());
  }

  /** See `TokenStore.tokens`. */
  tokens(after: string, limit: number): Page<TokenRecord> | undefined {
    return this.#database.tokens(after, limit);
  }

  /** See `TokenStore.revoke`. */
  revoke(id: string, withChildren = false): number {
    return this.#database.revoke(id, withChildren);
  }

  /** See `SigningKeyStore.signingKeys`. */
  signingKeys(): SigningKey[] | undefined {
    return this.#database.keys.list();
  }

  /** See `SigningKeyStore.addSigningKey`. */
  addSigningKey(key: Omit<SigningKey, "createdAt">): AddKeyAnswer {
    return this.#database.keys.add(key, Date.now());
  }

  /** See `SigningKeyStore.removeSigningKey`. */
  removeSigningKey(fingerprint: string): boolean {
    return this.#database.keys.remove(fingerprint);
  }

  /** See `SigningKeyStore.hostKey`. */
  hostKey(): HostKey | undefined {
    return this.#database.keys.hostKey();
  }

  /** See `SigningKeyStore.changeHostKey`. */
  changeHostKey(key: HostKey | undefined): boolean {
    return this.#database.keys.changeHostKey(key);
  }

  /** See `SigningKeyStore.resealHostKey`. */
  resealHostKey(old: HostKey["sealed"], fresh: HostKey["sealed"]): void {
    this.#database.keys.resealHostKey(old, fresh);
  }

  /** See `SshKeyStore.checkSshKey`. */
  checkSshKey(fingerprint: string, repo?: string): TokenCheck | undefined {
    return this.#database.checkSshKey(fingerprint, repo, Date.now());
  }

  /** See `SshKeyStore.addSshKey`. */
  addSshKey(request: AddSshKeyRequest): AddSshKeyAnswer {
    return this.#database.sshKeys.add(request, Date.now());
  }

  /** See `SshKeyStore.sshKeys`. */
  sshKeys(place: SshKeyPlace, after: string, limit: number): Page<SshKeyRecord> | undefined {
    return this.#database.sshKeys.list(place, after, limit);
  }

  /** See `SshKeyStore.removeSshKey`. */
  removeSshKey(place: SshKeyPlace, id: string): boolean {
    return this.#database.sshKeys.remove(place, id);
  }

  /** See `TenantRegistry.describe`. */
  describe(): TenantRecord | undefined {
    return this.#database.describe();
  }

  /** See `TenantRegistry.create`. */
  create(settings: TenantSettings, spelled?: string): Promise<CreateTenantAnswer> {
    return this.#working(async () => {
      const answer = this.#database.create(settings, Date.now(), spelled);
      if (answer.kind === "created") await this.#upkeep.settleDirectory();
      return answer;
    });
  }

  /** See `TenantRegistry.belongings`. */
  belongings(): Belongings | undefined {
    return this.#database.belongings.list();
  }

  /** See `TenantRegistry.takeOver`. */
  takeOver(belongings: Belongings): Promise<boolean> {
    return this.#working(async () => {
      const isMade = this.#database.belongings.takeOver(belongings);
      if (isMade) await this.#upkeep.settleDirectory();
      return isMade;
    });
  }

  /** See `TenantRegistry.change`. */
  change(change: Partial<TenantSettings>): TenantRecord | undefined {
    return this.#database.change(change);
  }

  /** See `TenantRegistry.remove`. */
  remove(): Promise<boolean> {
    return this.#working(() => this.#upkeep.remove());
  }

  /** See `TenantRegistry.register`. */
  register(request: RegisterRequest): RegisterAnswer {
    const answer = this.#database.register(request, Date.now());
    this.#wakeForNext(0);
    return answer;
  }

  /** See `TenantRegistry.removeRepo`. */
  removeRepo(repo: string): Promise<boolean> {
    return this.#working(() => this.#upkeep.removeRepo(repo));
  }

  /** See `TenantRegistry.retractRepo`. */
  retractRepo(repo: string, id: string): Promise<void> {
    return this.#working(() => this.#upkeep.retractRepo(repo, id));
  }

  /** See `TenantRegistry.doubtRepo`. */
  doubtRepo(repo: string): void {
    this.#database.doubtRepo(repo, Date.now());
    this.#wakeForNext(0);
  }

  /** See `TenantRegistry.repoArrived`. */
  repoArrived(repo: string, arrived: { readonly id: string; readonly from?: string }): void {
    this.#waking(this.#database.repoArrived(repo, arrived));
  }

  /** See `TenantRegistry.repoDeparted`. */
  repoDeparted(repo: string, id: string): void {
    this.#waking(this.#database.endRemoval({ name: repo, id }));
  }

  /** See `TenantRegistry.noteOffload`. */
  noteOffload(repo: string, offloadFrom: number | null): void {
    this.#database.noteOffload(repo, offloadFrom);
  }

  /** See `TenantRegistry.noteVisibility`. */
  noteVisibility(repo: string, visibility: "private" | "public"): void {
    this.#waking(this.#database.listing.noteVisibility(repo, visibility));
  }

  /**
   * Notes what a repository holds. Its object reports it after each change, and again if it is unsure that the report
   * arrived.
   */
  noteUsage(report: UsageReport): void {
    this.#database.noteUsage(report);
  }

  /** Whether a sync of this repository may be asked for now. If so, it takes one of the tenant's places. */
  admitSync(repo: string): boolean {
    return this.#syncs.admit(repo, Date.now());
  }

  /** Notes that a sync of this repository is still alive. */
  syncGoesOn(repo: string): void {
    this.#syncs.goesOn(repo, Date.now());
  }

  /** Notes that a sync of this repository has ended, and how. */
  syncEnded(repo: string, report?: MirrorReport): void {
    this.#syncs.ended(repo);
    if (report !== undefined) this.#database.noteMirror(repo, report);
  }

  /** Returns the tenant's minimum of seconds between two syncs; 0 if the deployment's applies. */
  leastMirrorInterval(): number {
    // A tenant that sets none, or that does not exist, has the deployment's.
    return this.#database.describe()?.settings.leastMirrorInterval ?? 0;
  }

  /** Adds what an isolate has counted. */
  countUsage(counted: readonly CountedUsage[]): void {
    this.#database.countUsage(counted, Date.now());
  }

  /** See `UsageStore.usage`. */
  usage(request: UsageRequest): UsageAnswer | undefined {
    return this.#database.usage(request);
  }

  /** See `TenantRegistry.allowance`. */
  allowance(repo: string): Allowance | undefined {
    return this.#database.allowance(repo);
  }

  /** Notes how a mirror goes; without a report, that the repository is none. */
  noteMirror(repo: string, report?: MirrorReport): void {
    this.#database.noteMirror(repo, report);
  }

  /** See `TenantRegistry.audit`. */
  audit(entry: AuditEntry): void {
    this.#database.audit(entry, Date.now());
  }

  /** See `TenantRegistry.auditLog`. */
  auditLog(query: AuditQuery): Page<AuditRecord> | undefined {
    return this.#database.auditLog(query);
  }

  /** See `TenantRegistry.mirrors`. */
  mirrors(query: MirrorQuery): Page<ListedMirror> | undefined {
    return this.#database.mirrors(query);
  }

  /** See `TenantRegistry.hooks`. */
  hooks(): readonly TenantHook[] | undefined {
    return this.#database.hooks.list();
  }

  /** See `TenantRegistry.addHook`. */
  addHook(hook: Omit<TenantHook, "id" | "createdAt" | "updatedAt">): Promise<TenantHook | "too-many" | undefined> {
    return this.#giving(this.#database.hooks.add(hook, Date.now()));
  }

  /** See `TenantRegistry.changeHook`. */
  changeHook(id: string, change: TenantHookChange): Promise<TenantHook | undefined> {
    return this.#giving(this.#database.hooks.change(id, change, Date.now()));
  }

  /** See `TenantRegistry.removeHook`. */
  removeHook(id: string): Promise<boolean> {
    return this.#giving(this.#database.hooks.remove(id));
  }

  /** See `LfsLinks.linkLfs`. */
  linkLfs(oid: string, repositoryId: string): LinkAnswer {
    return this.#database.lfs.link(oid, repositoryId);
  }

  /** See `LfsLinks.linkAllLfs`. */
  linkAllLfs(oids: readonly string[], repositoryId: string): string[] {
    return this.#database.lfs.linkAll(oids, repositoryId);
  }

  /** See `LfsLinks.unlinkLfs`. */
  unlinkLfs(oids: readonly string[], repositoryId: string): UnlinkAnswer {
    return this.#database.lfs.unlink(oids, repositoryId, Date.now());
  }

  /** See `LfsLinks.lfsDeleted`. */
  lfsDeleted(oids: readonly string[]): void {
    this.#database.lfs.deleted(oids);
  }

  /** See `TenantRegistry.repos`. */
  repos(after: string, limit: number): Page<string> | undefined {
    return this.#database.repos(after, limit);
  }

  /** Continues the work that is due. */
  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    let delay = 0;
    try {
      await this.#upkeep.work(Date.now());
    } catch {
      // The object that failed logs the reason.
      delay = RETRY_DELAY;
    }
    this.#wakeForNext(delay);
  }

  /** Returns the result of a change, and sets the alarm for the work that is then due. */
  #waking<Answer>(answer: Answer): Answer {
    this.#wakeForNext(0);
    return answer;
  }

  /** Returns the result of a change of webhooks, once they were given to the repositories that the alarm does not ask. */
  async #giving<Answer>(answer: Answer): Promise<Answer> {
    await this.#upkeep.giveHooks();
    return this.#waking(answer);
  }

  /** Runs work that may leave more work behind, whether it succeeds or fails. */
  async #working<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#wakeForNext(0);
    }
  }

  /**
   * Sets the alarm for the next work, at the earliest `delay` milliseconds from now. It is not awaited: the write joins
   * the change before it, and the answer waits for both.
   */
  #wakeForNext(delay: number): void {
    const due = this.#database.nextDue();
    if (due === undefined) return;
    const at = Math.max(due, Date.now() + delay);
    if (this.#alarmAt !== undefined && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}
