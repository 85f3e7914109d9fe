/**
 * The input of a sync, and the state that it carries along.
 *
 * @packageDocumentation
 */
import type { BeginSyncAnswer, MirrorStore, SealedSecret } from "../refs/mirror-store.ts";
import type { Allowance } from "../repository/allowance.ts";
import type { Repository } from "../repository/repository.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { DumbClient } from "./dumb/dumb-client.ts";
import type { FetchClient } from "./fetch-client.ts";
import type { RefDifference } from "./ref-comparison.ts";
import type { ConnectionOptions } from "./upstream-connection.ts";

/** The input of a sync. */
export type SyncInput = {
  readonly repository: Repository;
  readonly mirror: MirrorStore;
  /** The options of a connection, except for those that the mirror's settings hold. */
  readonly connection: Omit<ConnectionOptions, "upstream" | "authorization">;
  /** Opens the sealed credentials of a repository's upstream. @throws UpstreamFailure if that can't be done. */
  openLogin(login: SealedSecret, context: SecretContext): Promise<OpenedLogin>;
  /** Returns the webhooks' secret of a repository, sealed anew to be stored, if its key is not the newest any more. */
  resealHook(hook: SealedSecret, id: string): Promise<SealedSecret | undefined>;
  /** The value of `agent=` that this host sends. */
  readonly agent: string;
  /** The most objects that one sync takes, if the upstream can be fetched in slices. */
  readonly sliceObjects: number;
  /** Returns the allowance of the mirror's tenant. It is asked for only if something is fetched. */
  allowance(): Promise<Allowance>;
  /** The most bytes of one pack. */
  readonly mostBytes: number;
};

/**
 * The value of an `Authorization` header. `resealed` is present if its key is not the newest any more, and is to be
 * stored.
 */
export type OpenedLogin = { readonly authorization: string; readonly resealed?: SealedSecret };

/** The binding of a secret, which makes a sealed one useless elsewhere: the repository and the purpose. */
export type SecretContext =
  | { readonly use: "upstream"; readonly id: string; readonly origin: string }
  | { readonly use: "hook" | "signing-key"; readonly id: string };

/** A sync that has begun. */
export type SyncBegun = {
  readonly input: SyncInput;
  readonly begun: Extract<BeginSyncAnswer, { kind: "begun" }>;
  readonly packName: string;
  /** The secrets that were sealed anew with the newest key. */
  readonly resealed: { login?: SealedSecret; hook?: SealedSecret };
  /** The secrets that no message about the upstream may contain. */
  secrets: readonly string[];
  /** The traffic so far. */
  readonly traffic: { bytes: number; objects: number; progress: string };
};

/** The client of an upstream, by what that speaks: git's smart HTTP, or its dumb HTTP alone. */
export type UpstreamClient = FetchClient | DumbClient;

/** A sync whose upstream has other refs than its mirror. */
export type Differing = {
  readonly sync: SyncBegun;
  readonly client: UpstreamClient;
  /** The objects that were here when the sync began. */
  readonly database: ObjectDatabase;
  /** The refs that differ, at least one. */
  readonly differences: readonly RefDifference[];
};
