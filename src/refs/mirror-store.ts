/**
 * The port to a mirror's state, which the repository's Durable Object keeps beside the refs. A sync makes its changes
 * in one call, so readers see the repository before the sync or after it.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { Forward } from "./forward.ts";
import type { PublishAnswer, WrittenSnapshot } from "./mirror-pointer.ts";
import type { OpenSnapshot, RepositoryRecord } from "./ref-store.ts";
import type { RefUpdate } from "./ref-update.ts";

/**
 * The treatment of history that the upstream rewrites or drops: it is dropped here too, it is kept under `refs/kept/`,
 * or no ref moves any more.
 */
export type MirrorPolicy = "follow" | "keep" | "stop";

/** A secret, encrypted under a key of the deployment. */
export type SealedSecret = {
  /** The name of the key. */
  readonly key: string;
  /** Base64. */
  readonly data: string;
};

/** The settings that a mirror's owner chose. */
export type MirrorSettings = {
  /** A URL without credentials. */
  readonly upstream: string;
  /** Seconds between two syncs; 0 if only requests and webhooks cause one. */
  readonly interval: number;
  /**
   * Seconds. If the last sync is longer ago, a client that lists the refs waits for a new one. 0 means that no client
   * waits.
   */
  readonly fetchThrough: number;
  /** Refspecs, as text. */
  readonly refspecs: readonly string[];
  readonly policy: MirrorPolicy;
  /** Whether the objects of Git LFS come with the first request for each, or all of them with the sync. */
  readonly lfs: MirroredLfs;
  /** Message ids of fsck that refuse nothing, and names of objects that are not checked. */
  readonly fsck: { readonly ignore: readonly string[]; readonly skip: readonly string[] };
};

/** Which Git LFS objects a mirror has: those that somebody asked for, or all. */
export type MirroredLfs = "requests" | "all";

/** How far the Git LFS objects have come of a mirror that takes all. */
export type MirrorLfs = {
  /** Names of packs whose pointers were all looked at. */
  readonly looked: readonly string[];
  /** Where the next pack is gone on with: how many of its entries were looked at. */
  readonly from?: { readonly pack: string; readonly rank: number };
  /** Objects that came, and that the upstream lacked or could not give. */
  readonly objects: number;
  readonly missing: number;
  /** Whether all that was pointed to at the last sync was asked for. */
  readonly complete: boolean;
};

/** The beginning. */
export const NO_MIRROR_LFS: MirrorLfs = { looked: [], objects: 0, missing: 0, complete: false };

/** The refs of an upstream that its mirror takes by its refspecs, and does not have. */
export type LeftOut = {
  /** Their number. */
  readonly refs: number;
  /** Some of their names, as escaped text. */
  readonly examples: readonly string[];
  /** The reason, in a sentence. */
  readonly why: string;
};

/** The state of a mirror. Times are in milliseconds since the epoch. */
export type MirrorStatus = {
  readonly lastAttempt?: number;
  /** The time when the upstream was last seen whole. */
  readonly lastSync?: number;
  /** The time when a sync last changed anything. */
  readonly lastChange?: number;
  /** The reason why the last attempt failed, in a sentence; absent if it succeeded. */
  readonly lastError?: string;
  /** The refs that the last sync could not take; absent if it took all. */
  readonly leftOut?: LeftOut;
  /** The number of failed attempts since the last success. */
  readonly failures: number;
  readonly nextSync?: number;
  /** Whether a sync is under way or requested. */
  readonly syncing: boolean;
  /** The bytes fetched since the mirror was made. */
  readonly bytes: number;
  readonly objects: number;
  /** The last progress message of the upstream while it sent a pack. */
  readonly progress?: string;
  /** Absent where the objects of Git LFS come by request. */
  readonly lfs?: MirrorLfs;
};

/**
 * The part that is here of an upstream too large for one sync: everything below some commits and tags that no ref names
 * yet.
 */
export type Slice = {
  /** The raw names of these commits and tags, concatenated. Collection has to keep everything that they reach. */
  readonly anchors: Uint8Array;
  /**
   * The names of the packs fetched so far, if the anchors are known to reach all objects in them. Once refs reach the
   * anchors, these packs get the mark. `undefined` if this is not known.
   */
  readonly packs?: readonly string[] | undefined;
};

/** A mirror as a caller is shown it. */
export type Mirror = {
  readonly settings: MirrorSettings;
  readonly status: MirrorStatus;
  readonly hasLogin: boolean;
  /** The upstream's credentials, which no caller is shown. */
  readonly login?: SealedSecret;
  /** Whether the upstream's webhooks may request syncs. */
  readonly hasHook: boolean;
};

/** The new settings of a mirror. */
export type MirrorChange = {
  readonly settings: MirrorSettings;
  /** The upstream's credentials. `keep` keeps the present ones if the new upstream has the same origin. */
  readonly login: SealedSecret | "keep" | "none";
  /** The secret with which the upstream's webhooks are signed. */
  readonly hook: SealedSecret | "keep" | "none";
};

/** The secret that verifies a webhook, and the id of the repository for which it was sealed. */
export type MirrorHook = { readonly id: string; readonly secret: SealedSecret };

/** The result of configuring a mirror. `occupied`: there are refs that no upstream is known to have. */
export type ConfigureAnswer =
  | { readonly kind: "missing" | "occupied" }
  | { readonly kind: "configured"; readonly mirror: Mirror };

/**
 * The state on which a sync works. `unpublished`: pushes of before it was a mirror are still in the tail, and have to be
 * published first.
 */
export type BeginSyncAnswer =
  | { readonly kind: "gone" | "busy" | "unpublished" }
  | {
      readonly kind: "begun";
      readonly settings: MirrorSettings;
      readonly login?: SealedSecret;
      readonly hook?: SealedSecret;
      /** Absent where the objects of Git LFS come by request. */
      readonly lfs?: MirrorLfs;
      /** The objects of earlier syncs that no ref names yet. */
      readonly slice?: Slice;
      /** The bytes that the repository has beside its packs, above all those of Git LFS objects. */
      readonly besideBytes: number;
      /** All refs and the catalog. */
      readonly snapshot: OpenSnapshot;
    };

/** The end of a sync. */
export type SyncEnd =
  /** `reached`: names of packs of slices whose objects are all reached by the refs that the sync leaves. */
  | { readonly kind: "synced"; readonly reached?: readonly string[]; readonly leftOut?: LeftOut }
  /** One more slice is here; another sync has to follow. */
  | { readonly kind: "partial"; readonly slice: Slice }
  /** `retryAfter` is in milliseconds. */
  | { readonly kind: "failed"; readonly why: string; readonly retryAfter?: number };

/** The findings and changes of a sync. */
export type EndSyncRequest = {
  /** The id of the repository with which the sync began. */
  readonly id: string;
  /** The lease with which the sync began. */
  readonly packName: string;
  readonly end: SyncEnd;
  /** Whether the bucket is free of the pack's files, if the pack is not to be kept. Otherwise the lease stays. */
  readonly isClean: boolean;
  readonly pack?: PackRecord;
  /** See `CommitPushRequest`. */
  readonly tipPack?: PackRecord;
  readonly updates: readonly RefUpdate[];
  /** The branch that HEAD is to point to, as a full name. */
  readonly head?: string;
  /** The credentials and the webhooks' secret with which the sync began, sealed anew. */
  readonly login?: SealedSecret;
  readonly hook?: SealedSecret;
  /** Bytes and objects fetched. */
  readonly bytes: number;
  readonly objects: number;
  readonly progress?: string;
};

/**
 * The result of ending a sync. `refused`: the refs are no longer those that the sync compared with, or can't exist
 * together. Nothing has moved then.
 */
export type EndSyncAnswer =
  | { readonly kind: "gone" }
  | {
      readonly kind: "done";
      readonly packKept: boolean;
      readonly record: RepositoryRecord;
      /** Whether readers are pointed to a snapshot of exactly this state. */
      readonly isPublished: boolean;
    }
  | { readonly kind: "refused"; readonly why: string };

/** The actor of a mirror's ref updates in the ref log. */
export const MIRROR_ACTOR = "mirror";

/** The mirroring of one repository. */
export interface MirrorStore {
  /** Returns the mirror; `undefined` if there is no repository, or it is no mirror. */
  readMirror(): Promise<Mirror | undefined>;
  /**
   * Returns the webhook's secret, or where the repository went that had this name; `undefined` if no webhook may request
   * syncs.
   */
  readMirrorHook(): Promise<MirrorHook | Forward | undefined>;
  configureMirror(change: MirrorChange): Promise<ConfigureAnswer>;
  /** Turns the mirror into an ordinary repository. Returns false if there is no repository, or it is no mirror. */
  promoteMirror(): Promise<boolean>;
  /** Requests a sync now, or right after the one under way. Returns false if there is no mirror. */
  requestSync(): Promise<boolean>;
  /**
   * Requests a sync for a reader. Returns false if the last one began less than the least interval ago, or if there is
   * no mirror.
   */
  requestSyncForReader(): Promise<boolean>;
  /** Begins a sync, with a lease on the keys of one pack. Returns `busy` if another is under way. */
  beginSync(packName: string): Promise<BeginSyncAnswer>;
  /** Reports that a sync is still running. A sync that is silent for a minute may be taken for dead. */
  renewSync(packName: string): Promise<void>;
  endSync(request: EndSyncRequest): Promise<EndSyncAnswer>;
  /** Points readers to a snapshot, unless the repository has moved on. */
  publishSnapshot(snapshot: WrittenSnapshot): Promise<PublishAnswer>;
}
