/**
 * The Durable Object of a tenant, addressed by its name: its settings, its repositories by name, its tokens.
 *
 * @packageDocumentation
 */
import { DurableObject } from "cloudflare:workers";
import type {
  CreateTenantAnswer,
  RegisterAnswer,
  RegisterRequest,
  TenantRecord,
  TenantSettings,
} from "../../access/directory.ts";
import { repositoryKey } from "../../access/names.ts";
import type { Allowance, UsageReport } from "../../access/quotas.ts";
import type { IssueAnswer, IssueRequest, Page, TokenCheck, TokenRecord } from "../../access/token-store.ts";
import { toHex } from "../../bytes/hex.ts";
import type { AddKeyAnswer, SigningKey } from "../../signing/signing-key.ts";
import { DIRECTORY_NAME, type DirectoryObject } from "./directory-object.ts";
import { durableSql } from "../sql/durable-sql.ts";
import { objectNamed, type PlacementSettings } from "../placement.ts";
import type { RepositoryObject } from "../repository/repository-object.ts";
import { SyncPlaces } from "./sync-places.ts";
import { TenantDatabase } from "./tenant-database.ts";
import { type TenantSurroundings, TenantUpkeep } from "./tenant-upkeep.ts";

/** What the object uses of the Worker's bindings. */
export type TenantObjectEnv = PlacementSettings & {
  readonly REPOSITORIES: DurableObjectNamespace<RepositoryObject>;
  readonly DIRECTORY: DurableObjectNamespace<DirectoryObject>;
};

const ID_BYTES = 16;
/** Work that failed is tried again this much later, for ever: the platform itself gives up after six times. Milliseconds. */
const RETRY_DELAY = 30_000;

function surroundings(env: TenantObjectEnv, tenant: string): Omit<TenantSurroundings, "remember"> {
  const repository = (repo: string): DurableObjectStub<RepositoryObject> =>
    objectNamed(env.REPOSITORIES, repositoryKey({ tenant, repo }), env);
  const directory = objectNamed(env.DIRECTORY, DIRECTORY_NAME, env);
  return {
    removeRepository: async (repo, id) => repository(repo).remove(id),
    confirmRepository: async (repo, id) => repository(repo).confirm(id),
    enterDirectory: async (createdAt) => directory.enter({ name: tenant, createdAt }),
    leaveDirectory: async () => directory.leave(tenant),
  };
}

/** One tenant, or none yet, or none any more. */
export class TenantObject extends DurableObject<TenantObjectEnv> {
  readonly #database: TenantDatabase;
  readonly #upkeep: TenantUpkeep;
  readonly #syncs = new SyncPlaces();
  /** When the alarm goes off; `undefined` where it is not set. */
  #alarmAt: number | undefined;

  constructor(state: DurableObjectState, env: TenantObjectEnv) {
    super(state, env);
    const { name } = state.id;
    if (name === undefined) throw new Error("addressed by id, not by name");
    this.#database = new TenantDatabase(durableSql(state.storage), name, () =>
      toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
    );
    this.#upkeep = new TenantUpkeep(this.#database, {
      ...surroundings(env, name),
      remember: () => this.#wakeForNext(RETRY_DELAY),
    });
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await state.storage.getAlarm()) ?? undefined;
      // What an earlier build left may have brought work with it.
      this.#wakeForNext(0);
    });
  }

  /** See `TokenStore.check`. */
  check(hash: Uint8Array, repo?: string): TokenCheck | undefined {
    return this.#database.check(hash, repo, Date.now());
  }

  /** Gives those of the tokens that may still be used, for a repository's object that is about to tell their owners something. */
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
    return this.#database.signingKeys();
  }

  /** See `SigningKeyStore.addSigningKey`. */
  addSigningKey(key: Omit<SigningKey, "createdAt">): AddKeyAnswer {
    return this.#database.addSigningKey(key, Date.now());
  }

  /** See `SigningKeyStore.removeSigningKey`. */
  removeSigningKey(fingerprint: string): boolean {
    return this.#database.removeSigningKey(fingerprint);
  }

  /** See `TenantRegistry.describe`. */
  describe(): TenantRecord | undefined {
    return this.#database.describe();
  }

  /** See `TenantRegistry.create`. */
  create(settings: TenantSettings): Promise<CreateTenantAnswer> {
    return this.#working(async () => {
      const answer = this.#database.create(settings, Date.now());
      if (answer.kind === "created") await this.#upkeep.settleDirectory();
      return answer;
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

  /** See `TenantRegistry.noteVisibility`. */
  noteVisibility(repo: string, visibility: "private" | "public"): void {
    this.#database.noteVisibility(repo, visibility);
  }

  /** Notes what a repository has. Told by its object, after each change and again where that is not certain. */
  noteUsage(report: UsageReport): void {
    this.#database.noteUsage(report);
  }

  /** Whether a sync of this repository may be asked for now; it takes one of the tenant's places then. */
  admitSync(repo: string): boolean {
    return this.#syncs.admit(repo, Date.now());
  }

  /** Notes that a sync of this repository goes on. */
  syncGoesOn(repo: string): void {
    this.#syncs.goesOn(repo, Date.now());
  }

  /** Notes that a sync of this repository has ended. */
  syncEnded(repo: string): void {
    this.#syncs.ended(repo);
  }

  /** Returns the least seconds between two syncs that the tenant has; 0 where the deployment's hold. */
  leastMirrorInterval(): number {
    // A tenant without one, or none at all, has the deployment's.
    return this.#database.describe()?.settings.leastMirrorInterval ?? 0;
  }

  /** See `TenantRegistry.allowance`. */
  allowance(repo: string): Allowance | undefined {
    return this.#database.allowance(repo);
  }

  /** See `TenantRegistry.repos`. */
  repos(after: string, limit: number): Page<string> | undefined {
    return this.#database.repos(after, limit);
  }

  /** Goes on with what is due. */
  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    let delay = 0;
    try {
      await this.#upkeep.work(Date.now());
    } catch {
      // Its reason is in the log of the object that failed.
      delay = RETRY_DELAY;
    }
    this.#wakeForNext(delay);
  }

  /** Does something that may leave work behind, whether it ends well or not. */
  async #working<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#wakeForNext(0);
    }
  }

  /**
   * Sets the alarm for the next work, `delay` from now at the earliest. Not awaited: the write joins the change it follows, and the
   * answer waits for both.
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
