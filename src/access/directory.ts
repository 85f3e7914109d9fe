/**
 * The ports to what names mean: a tenant and its repositories, and the list of tenants.
 *
 * A repository is in two places, its own object and its tenant's list, which no transaction spans. It is entered in the list first
 * and struck off it last, and until the list has seen the other end of either it asks again: so nothing exists unlisted, and what is
 * listed without existing is not for long.
 *
 * @packageDocumentation
 */
import type { Allowance, Quotas, Usage } from "./quotas.ts";
import type { Page } from "./token-store.ts";

/** The settings of a tenant. */
export type TenantSettings = {
  /** Whether a push makes a repository that is not there. */
  readonly pushToCreate: boolean;
  readonly quotas: Quotas;
  /** Seconds: the least interval of a mirror's timer. The deployment's where it is absent, or 0. */
  readonly leastMirrorInterval?: number;
};

/** A tenant as it is shown. */
export type TenantRecord = {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly repoCount: number;
  /** What its repositories have: what each had when it last said so, a second or two after a change. */
  readonly usage: Usage;
  readonly settings: TenantSettings;
};

/** What a tenant has where nobody said otherwise. */
export const DEFAULT_TENANT: TenantSettings = { pushToCreate: true, quotas: {} };

/** Whether the tenant was made now or was there, unchanged; `leaving`: one of that name is still being deleted. */
export type CreateTenantAnswer =
  | { readonly kind: "created" | "exists"; readonly record: TenantRecord }
  | { readonly kind: "leaving" };

/** A repository about to be made. */
export type RegisterRequest = {
  readonly repo: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly visibility: "private" | "public";
  readonly byPush: boolean;
  /** The operator is bound by no quota or setting, and makes the tenant too where it is missing. */
  readonly byOperator: boolean;
};

/** Why a tenant takes no repository of this name. */
export type RegisterRefusal = "missing-tenant" | "leaving" | "removing" | "no-push-to-create" | "repo-quota";

/** The id that the repository is to have; a second request for the same name gets the same, until there is none any more. */
export type RegisterAnswer =
  | { readonly kind: "registered"; readonly id: string }
  | { readonly kind: "refused"; readonly why: RegisterRefusal };

/** One tenant. A name that has none gives `undefined`, `false` or `missing`; nothing here throws for that. */
export interface TenantRegistry {
  describe(): Promise<TenantRecord | undefined>;
  create(settings: TenantSettings): Promise<CreateTenantAnswer>;
  change(change: Partial<TenantSettings>): Promise<TenantRecord | undefined>;
  /**
   * Deletes the tenant: its tokens at once, its repositories one by one, public ones first, the last of very many after this has
   * answered. Its name is free when all have gone. Gives whether there was one.
   */
  remove(): Promise<boolean>;
  register(request: RegisterRequest): Promise<RegisterAnswer>;
  /** Deletes a repository, listed or not, and takes it off the list and off the tokens. Gives whether there was one. */
  removeRepo(repo: string): Promise<boolean>;
  /** Notes that a repository is public now, or private: public ones go first when the tenant is deleted. */
  noteVisibility(repo: string, visibility: "private" | "public"): Promise<void>;
  /** Says what bounds a repository, listed or not; `undefined` where there is no such tenant. */
  allowance(repo: string): Promise<Allowance | undefined>;
  /** Lists repositories by name, after `after`; `undefined` where there is no such tenant. */
  repos(after: string, limit: number): Promise<Page<string> | undefined>;
}

/** A tenant as it is listed. */
export type ListedTenant = { readonly name: string; readonly createdAt: number };

/** The list of tenants. */
export interface TenantDirectory {
  /** Lists tenants by name, after `after`. */
  tenants(after: string, limit: number): Promise<Page<ListedTenant>>;
}
