/**
 * The ports by which names are resolved: a tenant with its repositories, and the list of tenants.
 *
 * A repository is recorded in two places, its own Durable Object and its tenant's list, and no transaction spans both.
 * It is added to the list before it is created, and removed from the list after it is deleted. Until the list knows the
 * outcome, it asks again. So no repository exists unlisted, and a name that is listed without a repository does not
 * stay long.
 *
 * @packageDocumentation
 */
import type { Allowance, Quotas, Usage } from "./quotas.ts";
import type { AuditEntry, AuditQuery, AuditRecord } from "./audit.ts";
import type { ListedMirror, MirrorQuery } from "./mirror-list.ts";
import type { TenantHook, TenantHookChange } from "./tenant-hook.ts";
import type { Page } from "./token-store.ts";

/** The settings of a tenant. */
export type TenantSettings = {
  /** Whether a push to a missing repository creates it. */
  readonly pushToCreate: boolean;
  readonly quotas: Quotas;
  /** The least interval of a mirror's timer, in seconds. If absent or 0, that of the deployment applies. */
  readonly leastMirrorInterval?: number;
};

/** A tenant as the API shows it. */
export type TenantRecord = {
  /** The name as it is shown. */
  readonly name: string;
  /** The time of its creation, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly repoCount: number;
  /** The usage of all its repositories, as each last reported it: a second or two after a change. */
  readonly usage: Usage;
  readonly settings: TenantSettings;
};

/** The default settings of a tenant. */
export const DEFAULT_TENANT: TenantSettings = { pushToCreate: true, quotas: {} };

/**
 * The result of creating a tenant. `exists`: it is unchanged; `leaving`: a tenant of that name is still being deleted.
 */
export type CreateTenantAnswer =
  | { readonly kind: "created" | "exists"; readonly record: TenantRecord }
  | { readonly kind: "leaving" };

/** A repository that is about to be created. */
export type RegisterRequest = {
  readonly repo: string;
  /** The name of the tenant as it is written, for a tenant that is created with it. */
  readonly tenant?: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly visibility: "private" | "public";
  readonly byPush: boolean;
  /** Who makes it, for the audit log. */
  readonly by?: Pick<AuditEntry, "actor" | "actorName">;
  /** Whether it is a repository of the same tenant under another name, which takes no further place. */
  readonly renamed?: boolean;
  /** Whether the operator creates it, who is bound by no quota or setting. A missing tenant is created, too, then. */
  readonly byOperator: boolean;
};

/** The reason why a tenant refuses a repository of this name. */
export type RegisterRefusal = "missing-tenant" | "leaving" | "removing" | "no-push-to-create" | "repo-quota";

/**
 * The id for the repository and its tenant's name as that is shown, or a refusal. A second request for the same name gets the same id until the repository is
 * gone.
 */
export type RegisterAnswer =
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly tenant: string;
      /** The webhooks of the tenant, if it has any. */
      readonly hooks?: readonly TenantHook[];
    }
  | { readonly kind: "refused"; readonly why: RegisterRefusal };

/** One tenant. For a name without a tenant, the methods return `undefined`, `false` or a refusal, and do not throw. */
export interface TenantRegistry {
  describe(): Promise<TenantRecord | undefined>;
  /** Creates the tenant. `spelled` is its name as it is to be shown. */
  create(settings: TenantSettings, spelled?: string): Promise<CreateTenantAnswer>;
  change(change: Partial<TenantSettings>): Promise<TenantRecord | undefined>;
  /**
   * Deletes the tenant: its tokens at once, and its repositories one by one, public ones first. The last of very many
   * are deleted after this has returned. The name is free when all are gone. Returns whether there was a tenant.
   */
  remove(): Promise<boolean>;
  register(request: RegisterRequest): Promise<RegisterAnswer>;
  /**
   * Deletes a repository, listed or not, and removes it from the list and from tokens. Returns whether there was one.
   */
  removeRepo(repo: string): Promise<boolean>;
  /** Deletes repository `id` and removes it from the list, if nothing was ever put into it. */
  retractRepo(repo: string, id: string): Promise<void>;
  /** Has the tenant ask later whether this repository is still here, since it is about to move elsewhere. */
  doubtRepo(repo: string): Promise<void>;
  /**
   * Notes that repository `id` has got the name `repo`. `from` is its old name, if it had that in this tenant: tokens
   * that were for it are for the new name.
   */
  repoArrived(repo: string, arrived: { readonly id: string; readonly from?: string }): Promise<void>;
  /** Notes that repository `id` has moved to another tenant. */
  repoDeparted(repo: string, id: string): Promise<void>;
  /** Notes a repository's visibility: public ones are listed for everybody, and deleted first when the tenant is deleted. */
  noteVisibility(repo: string, visibility: "private" | "public"): Promise<void>;
  /** Notes from which size on a repository leaves out blobs; `null` for none. */
  noteOffload(repo: string, offloadFrom: number | null): Promise<void>;
  /** Returns the bounds of a repository, listed or not; `undefined` if there is no such tenant. */
  allowance(repo: string): Promise<Allowance | undefined>;
  /** Adds an entry to the tenant's audit log, if there is such a tenant. */
  audit(entry: AuditEntry): Promise<void>;
  /** Lists entries of the audit log, the newest first; `undefined` if there is no such tenant. */
  auditLog(query: AuditQuery): Promise<Page<AuditRecord> | undefined>;
  /** Lists the tenant's mirrors; `undefined` if there is no such tenant. */
  mirrors(query: MirrorQuery): Promise<Page<ListedMirror> | undefined>;
  /** Returns the tenant's webhooks; `undefined` if there is no such tenant. */
  hooks(): Promise<readonly TenantHook[] | undefined>;
  /** Adds a webhook, which is told of every repository from now on; `undefined` if there is no such tenant. */
  addHook(hook: Omit<TenantHook, "id" | "createdAt" | "updatedAt">): Promise<TenantHook | "too-many" | undefined>;
  changeHook(id: string, change: TenantHookChange): Promise<TenantHook | undefined>;
  removeHook(id: string): Promise<boolean>;
  /** Returns what the tenant has beside its repositories; `undefined` if there is no such tenant. */
  belongings(): Promise<Belongings | undefined>;
  /**
   * Makes this tenant of what another name's object had: its settings, its tokens and keys. Returns whether it did;
   * one that exists stays as it is.
   */
  takeOver(belongings: Belongings): Promise<boolean>;
  /** Lists the repositories behind the name `after`, in order; `undefined` if there is no such tenant. */
  repos(after: string, limit: number): Promise<Page<string> | undefined>;
}

/** What a tenant has beside its repositories, as rows of its tables. */
export type Belongings = {
  readonly record: TenantRecord;
  readonly tables: readonly {
    readonly table: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | number | null | Uint8Array)[])[];
  }[];
};

/**
 * A tenant in the list of tenants. `createdAt` is in milliseconds since the epoch; `spelled` is the name as it is shown,
 * absent if that is in lower case.
 */
export type ListedTenant = { readonly name: string; readonly createdAt: number; readonly spelled?: string };

/** The list of tenants. */
export interface TenantDirectory {
  /** Returns the names with capitals by which an earlier build stored tenants that are called `name`. */
  earlierSpellings(name: string): Promise<string[]>;
  /** Lists the tenants behind the name `after`, in order. */
  tenants(after: string, limit: number): Promise<Page<ListedTenant>>;
}
