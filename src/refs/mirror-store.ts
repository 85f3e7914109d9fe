/**
 * The port to a mirror's state, which the repository's Durable Object keeps beside the refs. What a sync changes, it changes in one
 * call: readers see a repository before it or after it.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { PublishAnswer, WrittenSnapshot } from "./mirror-pointer.ts";
import type { OpenSnapshot, RepositoryRecord } from "./ref-store.ts";
import type { RefUpdate } from "./ref-update.ts";

/** What becomes of history that the upstream rewrites or drops: it goes, it is kept under `refs/kept/`, or nothing moves any more. */
export type MirrorPolicy = "follow" | "keep" | "stop";

/** A secret, encrypted under a key of the deployment. */
export type SealedSecret = {
  /** Names the key. */
  readonly key: string;
  /** Base64. */
  readonly data: string;
};

/** What a mirror's owner has set. */
export type MirrorSettings = {
  /** A URL without credentials. */
  readonly upstream: string;
  /** Seconds between two syncs; 0 where only requests and webhooks bring one about. */
  readonly interval: number;
  /** Seconds: who lists the refs of a mirror that was last in step longer ago waits for a sync. 0 for nobody. */
  readonly fetchThrough: number;
  /** Refspecs, as text. */
  readonly refspecs: readonly string[];
  readonly policy: MirrorPolicy;
  /** Rules of fsck that refuse nothing, and names of objects that are not checked. */
  readonly fsck: { readonly ignore: readonly string[]; readonly skip: readonly string[] };
};

/** How a mirror is doing. Times are in milliseconds since the epoch. */
export type MirrorStatus = {
  readonly lastAttempt?: number;
  /** When the upstream was last seen whole. */
  readonly lastSync?: number;
  /** When that last changed anything. */
  readonly lastChange?: number;
  /** Why the last attempt failed, in a sentence; absent where it did not. */
  readonly lastError?: string;
  /** Attempts that failed since the last that did not. */
  readonly failures: number;
  readonly nextSync?: number;
  /** Whether a sync is under way, or asked for. */
  readonly syncing: boolean;
  /** What was fetched since the mirror was made. */
  readonly bytes: number;
  readonly objects: number;
  /** What the upstream said last while it sent a pack. */
  readonly progress?: string;
};

/** What is here of an upstream that is too much for one go: all below some commits and tags, which no ref names yet. */
export type Slice = {
  /** Their raw names, one after the other. Collection has to keep what they reach. */
  readonly anchors: Uint8Array;
  /**
   * The packs that came so far, by name, where all their objects are known to be reached from the anchors: once refs have reached
   * these, they get the mark. `undefined` where that is not known.
   */
  readonly packs?: readonly string[] | undefined;
};

/** A mirror as it is shown. */
export type Mirror = {
  readonly settings: MirrorSettings;
  readonly status: MirrorStatus;
  readonly hasLogin: boolean;
  /** The upstream's credentials, which are shown to nobody. */
  readonly login?: SealedSecret;
  /** Whether upstream's webhooks may ask for syncs. */
  readonly hasHook: boolean;
};

/** What is to be set. */
export type MirrorChange = {
  readonly settings: MirrorSettings;
  /** The upstream's credentials. `keep` keeps those there are, as long as they are for the same origin. */
  readonly login: SealedSecret | "keep" | "none";
  /** What upstream's webhooks are signed with. */
  readonly hook: SealedSecret | "keep" | "none";
};

/** What a webhook is checked with, and the id of the repository that it was sealed for. */
export type MirrorHook = { readonly id: string; readonly secret: SealedSecret };

/** What became of it. `occupied`: there are refs that no upstream is known to have. */
export type ConfigureAnswer =
  | { readonly kind: "missing" | "occupied" }
  | { readonly kind: "configured"; readonly mirror: Mirror };

/** What a sync works on. */
export type BeginSyncAnswer =
  | { readonly kind: "gone" | "busy" }
  | {
      readonly kind: "begun";
      readonly settings: MirrorSettings;
      readonly login?: SealedSecret;
      readonly hook?: SealedSecret;
      /** What earlier syncs brought that no ref names yet. */
      readonly slice?: Slice;
      /** All refs and the catalog. */
      readonly snapshot: OpenSnapshot;
    };

/** How a sync ended. */
export type SyncEnd =
  /** `reached`: packs of slices, by name, all of whose objects the refs reach that it leaves. */
  | { readonly kind: "synced"; readonly reached?: readonly string[] }
  /** One more slice is here; the next has to follow. */
  | { readonly kind: "partial"; readonly slice: Slice }
  /** `retryAfter` is in milliseconds. */
  | { readonly kind: "failed"; readonly why: string; readonly retryAfter?: number };

/** What a sync found out and changes. */
export type EndSyncRequest = {
  /** The repository it began with. */
  readonly id: string;
  /** The lease it began with. */
  readonly packName: string;
  readonly end: SyncEnd;
  /** Whether the bucket is clean of the pack, where it is not to be kept; else the lease stays. */
  readonly isClean: boolean;
  readonly pack?: PackRecord;
  /** See `CommitPushRequest`. */
  readonly tipPack?: PackRecord;
  readonly updates: readonly RefUpdate[];
  /** The branch that HEAD is to point to, as a full name. */
  readonly head?: string;
  /** The credentials, and the webhooks' secret, that it began with, sealed anew. */
  readonly login?: SealedSecret;
  readonly hook?: SealedSecret;
  /** Bytes and objects fetched. */
  readonly bytes: number;
  readonly objects: number;
  readonly progress?: string;
};

/** What became of it. `refused`: the refs are no longer what the sync compared with, or can't be together; nothing has moved. */
export type EndSyncAnswer =
  | { readonly kind: "gone" }
  | {
      readonly kind: "done";
      readonly packKept: boolean;
      readonly record: RepositoryRecord;
      /** Whether readers are pointed to a snapshot of just this state. */
      readonly isPublished: boolean;
    }
  | { readonly kind: "refused"; readonly why: string };

/** Who moves the refs of a mirror, in the ref log. */
export const MIRROR_ACTOR = "mirror";

/** One repository's mirroring. */
export interface MirrorStore {
  /** `undefined` where there is no repository, or it is no mirror. */
  readMirror(): Promise<Mirror | undefined>;
  /** `undefined` where no webhook may ask for syncs. */
  readMirrorHook(): Promise<MirrorHook | undefined>;
  configureMirror(change: MirrorChange): Promise<ConfigureAnswer>;
  /** Makes an ordinary repository of it; false where it is none, or no mirror. */
  promoteMirror(): Promise<boolean>;
  /** Asks for a sync now, or right after the one under way. False where there is no mirror. */
  requestSync(): Promise<boolean>;
  /**
   * Asks for a sync on behalf of somebody who reads. False where the last one began less than the least interval ago, or there is no
   * mirror.
   */
  requestSyncForReader(): Promise<boolean>;
  /** Begins a sync, with a lease on the keys of one pack. `busy` where another is under way. */
  beginSync(packName: string): Promise<BeginSyncAnswer>;
  /** Says that a sync goes on: one that is silent for a minute may be taken for dead. */
  renewSync(packName: string): Promise<void>;
  endSync(request: EndSyncRequest): Promise<EndSyncAnswer>;
  /** Points readers to a snapshot, unless the repository has moved on. */
  publishSnapshot(snapshot: WrittenSnapshot): Promise<PublishAnswer>;
}
