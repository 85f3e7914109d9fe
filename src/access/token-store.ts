/**
 * The port to a tenant's tokens. Their text is nowhere: a store knows each by the SHA-256 of it.
 *
 * @packageDocumentation
 */
import type { Allowance } from "./quotas.ts";
import type { Scope } from "./scope.ts";

/** A token as it is kept, and shown without its text. Times are milliseconds since the epoch. */
export type TokenRecord = {
  /** Random; names the token where it is listed, revoked, or named by a rule. */
  readonly id: string;
  /** What its owner calls it. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The only repositories it is for, by name; absent: all of the tenant's. One that is deleted is taken off. */
  readonly repos?: readonly string[];
  readonly createdAt: number;
  /** From then on it is not known any more; absent: never. */
  readonly expiresAt?: number;
  /** The id of the token that made it; absent where the operator did, or where that was not kept. */
  readonly createdBy?: string;
  /** How many tokens there are that it made; absent where they were not counted, as in a look-up. */
  readonly children?: number;
  /** When it was last used, give or take {@link USE_INTERVAL}; absent: never. */
  readonly usedAt?: number;
};

/** Uses within this time of the last one noted are not written down: a busy token must not cost a write a request. Milliseconds. */
export const USE_INTERVAL = 10 * 60 * 1000;
/** The most tokens a tenant may have; those that have expired make room. */
export const MOST_TOKENS = 10_000;

/** What a look-up gives of a token in force. */
export type TokenCheck = {
  readonly token: TokenRecord;
  /** The hash function of the repository asked for, where the tenant lists one of that name. */
  readonly listed?: "sha1" | "sha256";
  /** What bounds the repository asked for. */
  readonly allowance: Allowance;
  /** Why a push may make no repository now, where it may not. */
  readonly takesNoMore?: "no-push-to-create" | "repo-quota";
};

/** A token to be. */
export type IssueRequest = Pick<TokenRecord, "name" | "scopes" | "repos" | "expiresAt" | "createdBy"> & {
  readonly hash: Uint8Array;
};

/** What a token that is to be made would have beyond the one that makes it. */
export type Excess = "expiry" | "scopes" | "repos";

/**
 * What became of it: `full` where the tenant has too many already, `no-maker` where the token that was to make it is not in force any
 * more, `excess` where it would have more than that one.
 */
export type IssueAnswer =
  | { readonly kind: "issued"; readonly token: TokenRecord }
  | { readonly kind: "missing" }
  | { readonly kind: "full" }
  | { readonly kind: "no-maker" }
  | { readonly kind: "excess"; readonly of: Excess };

/** A part of a list, in the order of what it is cut by; `more` where something comes after its last. */
export type Page<Item> = { readonly items: readonly Item[]; readonly more: boolean };

/** The tokens of one tenant. */
export interface TokenStore {
  /** Gives the token with this SHA-256 that is in force now, and notes its use. `repo` is what it is used on. */
  check(hash: Uint8Array, repo?: string): Promise<TokenCheck | undefined>;
  issue(request: IssueRequest): Promise<IssueAnswer>;
  /** Lists tokens by id, after `after`; `undefined` where there is no such tenant. */
  tokens(after: string, limit: number): Promise<Page<TokenRecord> | undefined>;
  /**
   * Ends a token: the next look-up does not know it. `withChildren` ends those that it made, too, and those that they made. Returns how
   * many were ended; 0 where there is no such token.
   */
  revoke(id: string, withChildren?: boolean): Promise<number>;
}
