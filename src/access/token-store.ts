/**
 * The port to a tenant's tokens. No store has their text: it knows each by the SHA-256 of its text.
 *
 * @packageDocumentation
 */
import type { Allowance } from "./quotas.ts";
import type { Scope } from "./scope.ts";

/** A token as it is stored, and as it is shown, without its text. Times are in milliseconds since the epoch. */
export type TokenRecord = {
  /** A random id, by which the token is listed and revoked and by which rules name it. */
  readonly id: string;
  /** The name that its owner gave it. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The names of the only repositories that it is valid for; absent: all of the tenant's. Deleted ones are removed. */
  readonly repos?: readonly string[];
  readonly createdAt: number;
  /** The time from which on it is not known any more; absent: never. */
  readonly expiresAt?: number;
  /** The id of the token that made it; absent if the operator made it, or if the id was not recorded. */
  readonly createdBy?: string;
  /** The number of tokens that it made; absent if they were not counted, as in a look-up. */
  readonly children?: number;
  /** The time of its last use, accurate to {@link USE_INTERVAL}; absent: never used. */
  readonly usedAt?: number;
};

/**
 * Milliseconds after a noted use in which no other is noted, so that a busy token does not cost a write per request.
 */
export const USE_INTERVAL = 10 * 60 * 1000;
/**
 * The maximum number of a tenant's tokens, counting revoked ones whose descendants are in force. Expired ones make room
 * for new ones.
 */
export const MOST_TOKENS = 10_000;

/** The result of looking up a token that is in force. */
export type TokenCheck = {
  readonly token: TokenRecord;
  /** The object format of the repository that the token is used on, if the tenant lists one of that name. */
  readonly listed?: "sha1" | "sha256";
  /** What that repository leaves out; absent if nothing. */
  readonly offload?: Offload;
  /** The bounds of the repository that the token is used on. */
  readonly allowance: Allowance;
  /** The reason why a push may not create a repository now; absent if it may. */
  readonly takesNoMore?: "no-push-to-create" | "repo-quota";
};

/** A repository that leaves out large blobs for clients that fetch them later: see `RepositoryRecord`. */
export type Offload = { readonly visibility: "private" | "public"; readonly offloadFrom: number };

/** The data of a token that is to be issued. `hash` is the SHA-256 of its text. */
export type IssueRequest = Pick<TokenRecord, "name" | "scopes" | "repos" | "expiresAt" | "createdBy"> & {
  readonly hash: Uint8Array;
};

/** The respect in which a token would exceed the token that makes it. */
export type Excess = "expiry" | "scopes" | "repos";

/**
 * The result of issuing a token. `missing`: there is no such tenant; `full`: it has too many tokens; `no-maker`: the
 * token that was to make it is not in force any more; `excess`: it would exceed the token that makes it.
 */
export type IssueAnswer =
  | { readonly kind: "issued"; readonly token: TokenRecord }
  | { readonly kind: "missing" }
  | { readonly kind: "full" }
  | { readonly kind: "no-maker" }
  | { readonly kind: "excess"; readonly of: Excess };

/** A part of a list, in the order of the key by which it is cut. `more` tells whether items follow. */
export type Page<Item> = { readonly items: readonly Item[]; readonly more: boolean };

/** Returns a page of the first `limit` items, and whether there are more. `items` has up to one item beyond `limit`. */
export function pageOf<Item>(items: readonly Item[], limit: number): Page<Item> {
  return { items: items.slice(0, limit), more: items.length > limit };
}

/** The tokens of one tenant. */
export interface TokenStore {
  /**
   * Looks up the token with this SHA-256, if it is in force, and notes its use. `repo` is the repository that it is
   * used on.
   */
  check(hash: Uint8Array, repo?: string): Promise<TokenCheck | undefined>;
  /** Returns what a look-up says beside the token, for a caller that has none; `undefined` if there is no such tenant. */
  facts(repo?: string): Promise<Omit<TokenCheck, "token"> | undefined>;
  issue(request: IssueRequest): Promise<IssueAnswer>;
  /** Lists the tokens behind the id `after`, in order; `undefined` if there is no such tenant. */
  tokens(after: string, limit: number): Promise<Page<TokenRecord> | undefined>;
  /**
   * Revokes a token: the next look-up does not know it. `withChildren` also revokes the tokens that it made, and those
   * that they made, whether these or the token itself were revoked before or not. Returns the number of revoked tokens,
   * which is 0 if none of them is there.
   */
  revoke(id: string, withChildren?: boolean): Promise<number>;
}
