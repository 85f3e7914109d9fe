/**
 * The part of the platform that the API gets beside what all routes get.
 *
 * @packageDocumentation
 */
import type { TenantDirectory, TenantRegistry } from "../access/directory.ts";
import type { ListedRepository, PublicList } from "../access/public-list.ts";
import type { PublicPages } from "../http/public-pages.ts";
import type { BucketCopies } from "../access/bucket-copies.ts";
import type { ObjectCopies, ObjectKind } from "../access/object-copies.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { RepositoryName } from "../access/names.ts";
import type { TenantHook } from "../access/tenant-hook.ts";
import type { SshKeyStore } from "../access/ssh-key-store.ts";
import type { TokenStore } from "../access/token-store.ts";
import type { UsageStore } from "../access/usage.ts";
import type { DeadLetters } from "../events/dead-letter.ts";
import type { Sent } from "../events/deliver.ts";
import type { HookStore } from "../events/hook.ts";
import type { SubscriptionRequest } from "../events/subscription.ts";
import type { Host } from "../http/host.ts";
import type { BareFiles } from "../maintenance/bare-files.ts";
import type { SecretContext } from "../mirror/sync-input.ts";
import type { ForkStore, PackLender } from "../refs/fork-store.ts";
import type { KeptBlobStore } from "../refs/kept-blobs.ts";
import type { MaintenanceControl } from "../refs/maintenance-store.ts";
import type { MirrorStore, SealedSecret } from "../refs/mirror-store.ts";
import type { RefStore } from "../refs/ref-store.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { LfsLinks } from "../access/lfs-links.ts";
import type { UploadParts, UploadStore } from "../refs/upload-store.ts";
import type { HostKey, SigningKeyStore } from "../signing/signing-key.ts";

/** Mirroring, for one API request. */
export interface MirrorHost {
  store(
    name: RepositoryName,
  ): Pick<MirrorStore, "readMirror" | "readMirrorHook" | "configureMirror" | "promoteMirror" | "requestSync">;
  /** The least seconds between two syncs. */
  readonly leastInterval: number;
  readonly secrets: {
    /** Whether the deployment has a key to seal with. */
    canSeal(): boolean;
    seal(secret: string, context: SecretContext): Promise<SealedSecret>;
    /** Opens a secret; `undefined` if that can't be done. */
    open(secret: SealedSecret, context: SecretContext): Promise<string | undefined>;
    /** Takes as long as `open`, for callers that have no secret to open. */
    openNothing(): Promise<undefined>;
  };
}

/** Everything that the deployment holds, for the operator's backup. */
export interface BackupHost {
  /** Opens an object by its kind and the name that it is addressed by. */
  object(kind: ObjectKind, name: string): ObjectCopies;
  readonly bucket: BucketCopies;
  /** The memory of the request. */
  readonly memory: RequestMemory;
}

/** What everybody is shown of a public repository. Times are ISO 8601. */
export type PublicRepository = {
  readonly tenant: string;
  readonly name: string;
  readonly visibility: "public";
  readonly description: string;
  readonly default_branch: string;
  readonly size_bytes: number;
  readonly pushed_at: string | null;
  readonly created_at: string | null;
  readonly mirror?: { readonly synced_at: string | null };
  /** Where git finds it, behind the origin. */
  readonly path: string;
};

/** A page of public repositories, and the last one that it was about if there are more. */
export type PublicPage = { readonly repos: readonly PublicRepository[]; readonly next?: ListedRepository };

/** The platform, for one API request. */
export interface ApiHost {
  settings(name: RepositoryName): RepositorySettings & UploadStore & KeptBlobStore & MaintenanceControl & ForkStore;
  /** Opens a repository, as far as the caller may see it, for a snapshot that a fork is made of. */
  lending(name: RepositoryName): Pick<RefStore, "open">;
  /** Publishes the tail of a repository: what was pushed lately is then in the bucket. */
  flushTail(name: RepositoryName): Promise<boolean>;
  /** Opens the Git LFS objects of a repository, whatever the caller may see, and the links of a tenant's. */
  lfs(name: RepositoryName): LfsStore;
  lfsLinks(home: string): LfsLinks;
  /** Opens the loans of the packs of the repository with this id. */
  lender(id: string): PackLender;
  /** Opens the parts of uploads to the repository with this id. */
  uploadParts(id: string): UploadParts;
  /** Opens a tenant, which need not exist: its repositories, its tokens and its keys. */
  tenant(name: string): TenantRegistry & TokenStore & SigningKeyStore & SshKeyStore & UsageStore;
  /** Seals the private half of a tenant's signing key anew, if that was not done with the newest key of the deployment. */
  resealHostKey(tenant: string, key: HostKey): Promise<void>;
  /** Passes on what this isolate has counted, so that an answer about usage has it. */
  flushUsage(): Promise<void>;
  directory(): TenantDirectory & PublicList;
  readonly deadLetters: DeadLetters;
  /** Pages of public repositories that were found lately. */
  readonly publicPages: PublicPages<PublicPage>;
  /** Whether the operator lets everybody see the list of public repositories. */
  readonly listsPublic: boolean;
  bareFiles(id: string): BareFiles;
  hooks(name: RepositoryName): HookStore;
  /** Sends a `ping` to a tenant's webhook, and returns what came of it. It does not throw. */
  pingTenantHook(tenant: string, hook: TenantHook): Promise<Sent>;
  /**
   * Begins a subscription: 101 with its WebSocket, 401 if its token is not in force any more, 404 if the repository is no longer the one
   * asked for, 429 if its holder has too many, and 503 if the repository has.
   */
  subscribe(name: RepositoryName, request: SubscriptionRequest): Promise<Response>;
  /** Returns a file that the build has made; `undefined` if the deployment does not have it. */
  asset(name: string): Promise<ReadableStream | undefined>;
  /** The secret that tickets are signed with, if the deployment has one. */
  readonly ticketSecret: string | undefined;
  /** Whether private networks may be reached: see `parseOutgoingUrl`. */
  readonly allowPrivate: boolean;
  readonly mirrors: MirrorHost;
  readonly backup: BackupHost;
}

/** The type of Hono's environment in the API's routes. */
export type ApiEnv = { readonly Variables: { readonly host: Host; readonly api: ApiHost } };
