/**
 * The truth of a tenant on a SQL database: everything that the Durable Object does to its tables. It is synchronous, so
 * that no other request comes in between within a method.
 *
 * @packageDocumentation
 */
import {
  type CreateTenantAnswer,
  DEFAULT_TENANT,
  type RegisterAnswer,
  type RegisterRequest,
  type TenantRecord,
  type TenantSettings,
} from "../../access/directory.ts";
import { type AuditEntry, type AuditQuery, type AuditRecord, NOBODY } from "../../access/audit.ts";
import type { ListedMirror, MirrorQuery, MirrorReport } from "../../access/mirror-list.ts";
import type { Allowance, UsageReport } from "../../access/quotas.ts";
import type { CountedUsage, UsageAnswer, UsageRequest } from "../../access/usage.ts";
import {
  type IssueAnswer,
  type IssueRequest,
  type Page,
  pageOf,
  type TokenCheck,
  type TokenRecord,
  USE_INTERVAL,
} from "../../access/token-store.ts";
import type { NewId } from "../repository/repository-database.ts";
import { Tables } from "../sql/migrations.ts";
import { issueToken } from "./issue-token.ts";
import { SshKeyDatabase } from "./ssh-key-database.ts";
import { ListingDatabase } from "./listing-database.ts";
import { LfsLinkDatabase } from "./lfs-link-database.ts";
import { SigningKeyDatabase } from "./signing-key-database.ts";
import { TenantHookDatabase } from "./tenant-hook-database.ts";
import { RefusedLogins } from "./refused-logins.ts";
import { TENANT_SCHEMA } from "./schema.ts";
import { TenantBelongings } from "./tenant-belongings.ts";
import { allowanceOf, grownBy, NO_USAGE, refusalOf, saidOf } from "./tenant-bounds.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteDeployKeys, deleteSshKeys, renameDeployKeys } from "./tables/ssh-keys.ts";
import { deleteAllListings } from "./tables/listing-changes.ts";
import { deleteAudit, insertAudit, listAudit } from "./tables/audit.ts";
import { deleteTenantHooks } from "./tables/tenant-hooks.ts";
import { deleteMirrorReport, listMirrors, writeMirrorReport } from "./tables/mirrors.ts";
import {
  addRepoCount,
  addUsage,
  deleteTenant,
  insertTenant,
  readTenant,
  setInDirectory,
  setLeaving,
  type TenantRow,
  updateTenant,
} from "./tables/tenant.ts";
import {
  deleteRepo,
  insertRepo,
  listRemoving,
  listRepoNames,
  listUnchecked,
  markChecked,
  markRemoving,
  nextRepoDue,
  readRepo,
  setCheckAt,
  setOffload,
  setUsage,
  type TenantRepo,
} from "./tables/tenant-repos.ts";
import { addUsageDays, deleteUsageDays, listUsageDays } from "./tables/usage-days.ts";
import {
  deleteToken,
  deleteTokens,
  findInForce,
  findToken,
  listTokens,
  noteTokenUse,
  renameRepoOfTokens,
  takeRepoOffTokens,
} from "./tables/tokens.ts";

/**
 * How long after a repository was entered its tenant asks whether it was made: by then it was, or never will be.
 * Milliseconds.
 */
export const CHECK_DELAY = 5 * 60 * 1000;

/** The tables of one Durable Object, with at most one tenant at a time. */
export class TenantDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;
  readonly #name: string;
  readonly #newId: NewId;
  readonly #refusedLogins = new RefusedLogins();
  /** The signing keys, the webhooks and the SSH keys of the same tenant. */
  readonly keys: SigningKeyDatabase;
  readonly hooks: TenantHookDatabase;
  readonly sshKeys: SshKeyDatabase;
  /** What it has beside its repositories, the links of its Git LFS objects, and what the directory has to be told. */
  readonly belongings: TenantBelongings;
  readonly lfs: LfsLinkDatabase;
  readonly listing: ListingDatabase;

  /** `name` is the name of the tenant, by which the object is addressed. */
  constructor(db: SqlDatabase, name: string, newId: NewId) {
    this.#db = db;
    this.#tables = new Tables(db, TENANT_SCHEMA);
    this.#name = name;
    this.#newId = newId;
    const exists = (): boolean => this.#present() !== undefined;
    this.keys = new SigningKeyDatabase(db, exists);
    this.hooks = new TenantHookDatabase(db, exists, newId);
    const hasRepo = (repo: string): boolean => readRepo(db, repo)?.removing === false;
    this.sshKeys = new SshKeyDatabase(db, { exists, hasRepo, newId });
    this.belongings = new TenantBelongings(db, this.#tables);
    this.listing = new ListingDatabase(db, this.#tables);
    this.lfs = new LfsLinkDatabase(db, { name, isPresent: exists, hasTables: () => this.#tables.exist });
  }

  /** The tenant's row, also while it is being deleted. */
  row(): TenantRow | undefined {
    return this.#tables.exist ? readTenant(this.#db) : undefined;
  }

  #present(): TenantRow | undefined {
    const row = this.row();
    return row?.leaving === true ? undefined : row;
  }

  #insert(settings: TenantSettings, now: number, spelled = this.#name): void {
    this.#tables.make();
    insertTenant(this.#db, spelled, settings, now);
  }

  describe(): TenantRecord | undefined {
    return this.#present()?.record;
  }

  create(settings: TenantSettings, now: number, spelled?: string): CreateTenantAnswer {
    return this.#tables.transaction(() => {
      const row = this.row();
      if (row?.leaving === true) return { kind: "leaving" };
      if (row !== undefined) return { kind: "exists", record: row.record };
      this.#insert(settings, now, spelled);
      const made = this.describe();
      if (made === undefined) throw new Error("a row that was inserted is not there");
      return { kind: "created", record: made };
    });
  }

  change(change: Partial<TenantSettings>): TenantRecord | undefined {
    return this.#tables.transaction(() => {
      if (this.#present() === undefined) return undefined;
      updateTenant(this.#db, change);
      return this.describe();
    });
  }

  /**
   * Ends the tenant for everybody outside: deletes its tokens and marks its repositories for removal. Returns whether
   * there was a tenant.
   */
  leave(): boolean {
    return this.#tables.transaction(() => {
      if (this.#present() === undefined) return false;
      deleteTokens(this.#db);
      this.keys.removeAll();
      deleteSshKeys(this.#db);
      deleteAudit(this.#db);
      deleteTenantHooks(this.#db);
      markRemoving(this.#db);
      setLeaving(this.#db);
      return true;
    });
  }

  /** Forgets a tenant that is leaving and has nothing left. */
  forgetIfEmpty(): void {
    this.#tables.transaction(() => {
      const row = this.row();
      if (row?.leaving === true && !row.inDirectory && row.record.repoCount === 0) {
        deleteTenant(this.#db);
        deleteUsageDays(this.#db);
        deleteAllListings(this.#db);
      }
    });
  }

  /** Notes whether the directory lists the tenant. */
  noteDirectory(inDirectory: boolean): void {
    if (this.#tables.exist) setInDirectory(this.#db, inDirectory);
  }

  register(request: RegisterRequest, now: number): RegisterAnswer {
    return this.#tables.transaction(() => {
      if (request.byOperator && this.row() === undefined) this.#insert(DEFAULT_TENANT, now, request.tenant);
      const row = this.row();
      const listed = row === undefined ? undefined : readRepo(this.#db, request.repo);
      const why = refusalOf(row, listed, request);
      if (why !== undefined) return { kind: "refused", why };
      // A tenant that is missing was refused.
      const tenant = row?.record.name ?? this.#name;
      const hooks = this.hooks.list() ?? [];
      const answer = { kind: "registered", tenant, ...(hooks.length === 0 ? {} : { hooks }) } as const;
      if (listed !== undefined) return { ...answer, id: listed.id };
      const id = this.#newId();
      const { repo, objectFormat, visibility } = request;
      const isPublic = visibility === "public";
      insertRepo(this.#db, { name: repo, id, objectFormat, isPublic }, now + CHECK_DELAY);
      addRepoCount(this.#db, 1);
      const details = { visibility, by_push: request.byPush };
      if (request.by !== undefined) {
        insertAudit(this.#db, { ...request.by, action: "repo.create", subject: repo, details }, now);
      }
      return { ...answer, id };
    });
  }

  /** Begins to remove a repository. Returns its entry. */
  beginRemoval(repo: string): TenantRepo | undefined {
    return this.#tables.transaction(() => {
      if (!this.#tables.exist) return undefined;
      markRemoving(this.#db, repo);
      return readRepo(this.#db, repo);
    });
  }

  /** Notes that a repository is gone. If it is retracted, nothing was ever in it: its name stays with the tokens for it. */
  endRemoval({ name, id }: Pick<TenantRepo, "name" | "id">, isRetracted = false): void {
    this.#tables.transaction(() => {
      if (!this.#tables.exist || !this.#strikeOff(name, id)) return;
      deleteDeployKeys(this.#db, name);
      if (!isRetracted) takeRepoOffTokens(this.#db, name);
    });
  }

  /** Takes a repository off the list. Returns whether it was on it. */
  #strikeOff(name: string, id: string): boolean {
    const had = deleteRepo(this.#db, name, id);
    if (had === undefined) return false;
    deleteMirrorReport(this.#db, name);
    addRepoCount(this.#db, -1);
    addUsage(this.#db, grownBy(had, NO_USAGE));
    return true;
  }

  /** Has the tenant ask after a while whether a repository is still there. */
  doubtRepo(repo: string, now: number): void {
    if (this.#tables.exist) setCheckAt(this.#db, repo, now + CHECK_DELAY);
  }

  /** Notes that a repository has got this name, and strikes off its old one. Tokens follow it. */
  repoArrived(repo: string, { id, from }: { readonly id: string; readonly from?: string }): void {
    this.#tables.transaction(() => {
      if (!this.#tables.exist) return;
      markChecked(this.#db, repo, id);
      // It may have come without the webhooks of this tenant.
      if (from === undefined) setCheckAt(this.#db, repo, 0);
      if (from === undefined) return;
      renameRepoOfTokens(this.#db, from, repo);
      renameDeployKeys(this.#db, from, repo);
      this.#strikeOff(from, id);
    });
  }

  /** Notes that a repository that was entered exists, under this id. */
  noteMade(repo: string, id: string): void {
    if (this.#tables.exist) markChecked(this.#db, repo, id);
  }

  /** Notes what a repository holds, unless it is not listed or a newer report is known. */
  noteUsage(report: UsageReport): void {
    this.#tables.transaction(() => {
      const listed = this.#tables.exist ? readRepo(this.#db, report.repo) : undefined;
      if (listed?.id !== report.id || report.version <= listed.usageVersion) return;
      setUsage(this.#db, report);
      addUsage(this.#db, grownBy(listed.usage, report));
    });
  }

  /** Adds what an isolate has counted. Without a tenant nothing is written, so that a guessed name leaves no row. */
  countUsage(counted: readonly CountedUsage[], now: number): void {
    this.#tables.transaction(() => {
      if (this.#present() !== undefined) addUsageDays(this.#db, counted, now);
    });
  }

  usage({ repo, ...days }: UsageRequest): UsageAnswer | undefined {
    const row = this.#present();
    if (row === undefined) return undefined;
    if (repo === undefined) return { stored: row.record.usage, days: listUsageDays(this.#db, undefined, days) };
    const listed = readRepo(this.#db, repo);
    if (listed === undefined) return undefined;
    return { stored: listed.usage, days: listUsageDays(this.#db, listed.id, days) };
  }

  allowance(repo: string): Allowance | undefined {
    const row = this.#present();
    return row === undefined ? undefined : allowanceOf(row, readRepo(this.#db, repo));
  }

  noteOffload(repo: string, offloadFrom: number | null): void {
    if (this.#tables.exist) setOffload(this.#db, repo, offloadFrom);
  }

  repos(after: string, limit: number): Page<string> | undefined {
    if (this.#present() === undefined) return undefined;
    return pageOf(listRepoNames(this.#db, after, limit + 1), limit);
  }

  /** Notes how a mirror goes; without a report, that the repository is none. An unlisted repository is passed over. */
  noteMirror(repo: string, report?: MirrorReport): void {
    if (!this.#tables.exist) return;
    if (report === undefined || readRepo(this.#db, repo) === undefined) deleteMirrorReport(this.#db, repo);
    else writeMirrorReport(this.#db, repo, report);
  }

  /** Adds an entry to the audit log. */
  audit(entry: AuditEntry, now: number): void {
    if (this.#present() !== undefined) insertAudit(this.#db, entry, now);
  }

  auditLog({ limit, ...query }: AuditQuery): Page<AuditRecord> | undefined {
    if (this.#present() === undefined) return undefined;
    return pageOf(listAudit(this.#db, { ...query, limit: limit + 1 }), limit);
  }

  mirrors({ limit, ...query }: MirrorQuery): Page<ListedMirror> | undefined {
    if (this.#present() === undefined) return undefined;
    return pageOf(listMirrors(this.#db, { ...query, limit: limit + 1 }), limit);
  }

  /** Returns repositories that have to be removed, and asked about, now. */
  dueRepos(now: number, limit: number): { removing: TenantRepo[]; unchecked: TenantRepo[] } {
    if (!this.#tables.exist) return { removing: [], unchecked: [] };
    return { removing: listRemoving(this.#db, limit), unchecked: listUnchecked(this.#db, now, limit) };
  }

  /** Returns when the next work is due, in milliseconds since the epoch; `undefined` if none is. */
  nextDue(): number | undefined {
    const row = this.row();
    if (row === undefined) return undefined;
    return row.leaving || !row.inDirectory || this.listing.isDue ? 0 : nextRepoDue(this.#db);
  }

  check(hash: Uint8Array, repo: string | undefined, now: number): TokenCheck | undefined {
    const row = this.#present();
    if (row === undefined) return undefined;
    const token = findToken(this.#db, hash, now);
    if (token === undefined) {
      const refused = this.#refusedLogins.add(now);
      // A request that is for no repository has no subject.
      const entry = { actor: NOBODY, action: "login.refused", subject: repo ?? "", details: { count: refused } };
      if (refused > 0) insertAudit(this.#db, entry, now);
      return undefined;
    }
    if (token.usedAt === undefined || token.usedAt + USE_INTERVAL <= now) noteTokenUse(this.#db, token.id, now);
    return this.#checked(row, token, repo);
  }

  facts(repo: string | undefined, row = this.#present()): Omit<TokenCheck, "token"> | undefined {
    return row === undefined ? undefined : saidOf(row, repo === undefined ? undefined : readRepo(this.#db, repo));
  }

  /** Returns a token or key that is in force with what the tenant says about the repository that it is used on. */
  #checked(row: TenantRow, token: TokenRecord, repo: string | undefined): TokenCheck {
    return { token, ...saidOf(row, repo === undefined ? undefined : readRepo(this.#db, repo)) };
  }

  checkSshKey(fingerprint: string, repo: string | undefined, now: number): TokenCheck | undefined {
    const row = this.#present();
    const key = row === undefined ? undefined : this.sshKeys.use(fingerprint, now);
    return row === undefined || key === undefined ? undefined : this.#checked(row, key, repo);
  }

  /** Returns the ids of those tokens that are in force. */
  inForce(ids: readonly string[], now: number): string[] {
    return this.#present() === undefined ? [] : findInForce(this.#db, ids, now);
  }

  issue(request: IssueRequest, now: number): IssueAnswer {
    return this.#tables.transaction(() => {
      if (this.#present() === undefined) return { kind: "missing" };
      return issueToken(this.#db, this.#newId, request, now);
    });
  }

  tokens(after: string, limit: number): Page<TokenRecord> | undefined {
    if (this.#present() === undefined) return undefined;
    return pageOf(listTokens(this.#db, after, limit + 1), limit);
  }

  revoke(id: string, withChildren = false): number {
    return this.#present() === undefined ? 0 : this.#tables.transaction(() => deleteToken(this.#db, id, withChildren));
  }
}
