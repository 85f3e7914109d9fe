/**
 * What a sync is given, and what it carries along.
 *
 * @packageDocumentation
 */
import type { BeginSyncAnswer, MirrorStore, SealedSecret } from "../refs/mirror-store.ts";
import type { Allowance } from "../repository/allowance.ts";
import type { Repository } from "../repository/repository.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { FetchClient } from "./fetch-client.ts";
import type { RefDifference } from "./ref-comparison.ts";
import type { ConnectionOptions } from "./upstream-connection.ts";

/** What a sync works with. */
export type SyncInput = {
  readonly repository: Repository;
  readonly mirror: MirrorStore;
  /** What connecting takes, but for what the mirror's settings say. */
  readonly connection: Omit<ConnectionOptions, "upstream" | "authorization">;
  /** Opens the sealed credentials of a repository's upstream. @throws UpstreamFailure where that can't be done. */
  openLogin(login: SealedSecret, context: SecretContext): Promise<OpenedLogin>;
  /** Gives the webhooks' secret of a repository as it is to be kept from now on, where its key is no longer the first. */
  resealHook(hook: SealedSecret, id: string): Promise<SealedSecret | undefined>;
  /** `agent=`, as this host gives it. */
  readonly agent: string;
  /** The most objects that are taken in one go, where the upstream can be taken in slices. */
  readonly sliceObjects: number;
  /** Gives what the mirror's tenant may have. Asked only where something is fetched. */
  allowance(): Promise<Allowance>;
  /** The most bytes that one pack may have. */
  readonly mostBytes: number;
};

/** The value of an `Authorization` header, and how it is to be kept from now on where its key is no longer the first. */
export type OpenedLogin = { readonly authorization: string; readonly resealed?: SealedSecret };

/** What a secret is bound to, so that a sealed one is of no use elsewhere: the repository, and what it is for. */
export type SecretContext =
  | { readonly use: "upstream"; readonly id: string; readonly origin: string }
  | { readonly use: "hook"; readonly id: string };

/** A sync that has begun. */
export type SyncBegun = {
  readonly input: SyncInput;
  readonly begun: Extract<BeginSyncAnswer, { kind: "begun" }>;
  readonly packName: string;
  /** What is under the newest key now and was not. */
  readonly resealed: { login?: SealedSecret; hook?: SealedSecret };
  /** What must not be told of the upstream, whatever it says. */
  secrets: readonly string[];
  /** What came, so far. */
  readonly traffic: { bytes: number; objects: number; progress: string };
};

/** A sync whose upstream has other refs than its mirror. */
export type Differing = {
  readonly sync: SyncBegun;
  readonly client: FetchClient;
  /** The objects that were here when it began. */
  readonly database: ObjectDatabase;
  /** At least one. */
  readonly differences: readonly RefDifference[];
};
