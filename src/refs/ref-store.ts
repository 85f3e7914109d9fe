/**
 * The port to a repository's truth: refs, catalog, leases and settings, which one Durable Object keeps and changes
 * atomically. Every method is one call. A reader takes everything it needs in one `open` and works on that snapshot.
 *
 * @packageDocumentation
 */
import type { CloneTwin } from "../catalog/clone-twin.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import type { PackRecord, StoredPackName } from "../catalog/pack-record.ts";
import type { ObjectFormatName } from "../object/object-id.ts";
import type { ForkContent, ForkOrigin } from "./fork-store.ts";
import type { Forward } from "./forward.ts";
import type { FsckSettings } from "./fsck-settings.ts";
import type { LfsRules } from "./lfs-rules.ts";
import type { StoredCertificate } from "./ref-log.ts";
import type { Pusher, RefRule } from "./ref-policy.ts";
import type { LockedFile, RefOutcome, RefUpdate } from "./ref-update.ts";
import type { GracePeriod } from "./grace-period.ts";
import type { LogMarks } from "./visible-log.ts";

/** The callers who may read a repository without a token. */
export type Visibility = "private" | "public";

/** The part of a mirror's state that readers see. */
export type MirrorSummary = {
  /** A URL without credentials. */
  readonly upstream: string;
  /** Seconds between two syncs; 0 for none. */
  readonly interval: number;
  /** Seconds after which readers wait for a sync; absent if they never do. */
  readonly fetchThrough?: number;
  /** The time when the upstream was last seen whole, in milliseconds since the epoch; absent if it never was. */
  readonly syncedAt?: number;
};

/** The settings of a repository that its readers and writers need. */
export type RepositoryRecord = LogMarks &
  GracePeriod & {
    /**
     * A random id, which names the prefix in the bucket: `repos/{id}.git/`. A new repository of the same name has
     * another.
     */
    readonly id: string;
    /** The name as it is shown, `{tenant}/{repo}`; absent if that is in lower case, as the name it is found by. */
    readonly spelled?: string;
    readonly objectFormat: ObjectFormatName;
    readonly visibility: Visibility;
    /** The branch that HEAD points to, as a full ref name. It may be unborn. */
    readonly head: string;
    /** Whether somebody chose that branch. If not, the first push of branches moves an unborn HEAD to one of them. */
    readonly headChosen?: boolean;
    readonly description: string;
    /** Whether nobody may push, as in a mirror. */
    readonly readOnly: boolean;
    /** Blobs of this many bytes and more are left out for clients that fetch them later; absent if none are. */
    readonly offloadFrom?: number;
    /** Whether the host signs every commit and every annotated tag that it makes here for a request. */
    readonly hostSigns?: boolean;
    /** The upstream, if the repository is a mirror. */
    readonly mirror?: MirrorSummary;
    /** What the repository was forked from, if it was. */
    readonly forkOf?: ForkOrigin;
    /** The rules for pushes to refs. */
    readonly rules: readonly RefRule[];
    /** Rises with each change of the statuses of commits; absent if there never was one. */
    readonly statusChanges?: number;
    /** Milliseconds since the epoch. */
    readonly createdAt: number;
    readonly pushedAt?: number;
    /** The sum of the catalog's pack and index bytes. */
    readonly sizeBytes: number;
  };

/** A repository as callers see it who push to it or read its settings. */
export type DescribedRepository = RepositoryRecord & { readonly fsck: FsckSettings; readonly lfs: LfsRules };

/** The parts of a snapshot that a reader wants. */
export type OpenRequest = {
  /**
   * The caller may read public repositories only. A private one is answered as `missing`, before anything else of it is
   * read. A refusal therefore costs the same however much the repository holds.
   */
  readonly publicOnly?: boolean;
  /** Includes the catalog. */
  readonly packs?: boolean;
  /** Includes the names of packs that others have replaced, and whose files are still there for earlier readers. */
  readonly replaced?: boolean;
  /** Includes what has become of the multi-pack index since the derived files were written. */
  readonly multiPackIndex?: boolean;
  /**
   * Notes first that the repository lends the packs of its catalog: a fork is made of this snapshot. From then on its
   * packs are deleted only when their lender agrees.
   */
  readonly lends?: boolean;
  /** Includes the refs that start with one of these literal prefixes, in byte order. An empty list means all refs. */
  readonly refPrefixes?: readonly string[];
  /**
   * An instant in milliseconds since the epoch. The refs are those of that instant, from the ref log, instead of the
   * present ones, and have no peeled values. It works with prefixes only.
   */
  readonly at?: number;
  /** Full ref names. Those that exist follow the refs of the prefixes, in no order. */
  readonly refNames?: readonly string[];
  /** Includes the repository's own secret for the nonces of signed pushes. */
  readonly pushSeed?: boolean;
  /**
   * Raw names of objects, concatenated. The snapshot says of each whether it is a ref's value or peeled value; see
   * `wantIsTip`.
   */
  readonly wants?: Uint8Array;
  /** Full names of refs, or `HEAD`, whose values are wanted too. They count as the last of the wants. */
  readonly wantRefs?: readonly string[];
  /**
   * Milliseconds since the epoch. A ref of `wantRefs` that is gone has the value that it had after that instant, and
   * `recentValues` are included. A service asks for this only after a want has failed.
   */
  readonly recentSince?: number;
  /**
   * Adds to `recentValues` those that the repository shows as its past, if it does: what they reach is kept. A walk of
   * maintenance asks for this.
   */
  readonly keptValues?: boolean;
  /**
   * Raw names of objects that the client says it has, concatenated. The snapshot says which of them are tips, only if
   * the catalog is included and some pack lacks the mark. Otherwise everything stored is reachable, and the answer is
   * not needed.
   */
  readonly haves?: Uint8Array;
  /**
   * The snapshot is opened for a client that has nothing, and takes whatever it wants whole. It is counted, if it wants
   * everything, so that a twin is made of what is cloned often.
   */
  readonly clone?: boolean;
};

/** A consistent snapshot of a repository that exists, with the parts that the request asked for. */
export type OpenSnapshot = {
  readonly kind: "found";
  readonly record: RepositoryRecord;
  /** Rises with every change of refs or catalog. */
  readonly version: number;
  readonly pushSeed?: string;
  /** The value of the branch that HEAD points to, in hexadecimal; absent while it is unborn. */
  readonly headOid?: string;
  readonly packs: readonly PackRecord[];
  /** The layers of the commit-graph, the lowest first, if the catalog is included and there are some. */
  readonly graphs?: readonly CommitGraphRecord[];
  /** The twin of the catalog's packs, if the catalog is included and there is one. */
  readonly twin?: CloneTwin;
  /** See `OpenRequest`. */
  readonly replaced?: readonly StoredPackName[];
  /**
   * See `OpenRequest`. The name under which a multi-pack index lies that is to be published, or none if the one that is there has
   * to go. Absent if what is there may stay.
   */
  readonly multiPackIndex?: { readonly name?: string };
  /** Encoded rows (see `ref-rows.ts`) of the requested refs. */
  readonly refs: readonly Uint8Array[];
  /** The values of `wantRefs`, in their order, in hexadecimal; "" for a ref that does not exist. */
  readonly wantedRefs: readonly string[];
  /**
   * One byte per want, those by ref after those by name. 1: some ref has exactly this value. 2: some ref peels to it.
   * 0: neither.
   */
  readonly wantIsTip: Uint8Array;
  /**
   * The number of distinct ref values (not peeled) that are not among the wants. 0 means that the wants cover every
   * tip.
   */
  readonly uncoveredTips: number;
  /** Raw names of the values that refs had after `recentSince` and have no more, concatenated. */
  readonly recentValues?: Uint8Array;
  /**
   * Raw names of the haves that are values or peeled values of refs, in no order; absent if the question was not
   * answered.
   */
  readonly tipHaves?: readonly Uint8Array[];
};

/**
 * A private repository that was answered as `missing`. Only the host's memory uses it, so that the caller's next
 * request, with credentials, costs less. Nothing of it goes into an answer.
 */
export type HiddenRepository = Pick<RepositoryRecord, "objectFormat" | "readOnly" | "offloadFrom">;

/** A snapshot that a caller has at hand: of which repository, and which version. */
export type KnownSnapshot = { readonly id: string; readonly version: number };

/** The answer to a caller whose snapshot is still that of the repository, and who may read it. */
export type Unchanged = { readonly kind: "unchanged" };

/** The answer to `open`. */
export type OpenAnswer =
  | {
      readonly kind: "missing";
      readonly hidden?: HiddenRepository;
      /** The new name of the repository that had this one, if no other has taken it. */
      readonly moved?: Forward;
    }
  | OpenSnapshot;

/** A webhook of a tenant, of which each of the tenant's repositories has a copy. Times are in milliseconds. */
export type CopiedHook = {
  readonly id: string;
  readonly url: string;
  readonly secret?: string;
  readonly events: readonly string[];
  readonly active: boolean;
  readonly origin: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** The settings of a repository that is to be made. */
export type CreateRequest = {
  /**
   * The id that the tenant assigned; absent for a fresh one. An id that was doomed before its repository was made is
   * never used.
   */
  readonly id?: string;
  /** See `RepositoryRecord`. */
  readonly spelled?: string;
  readonly objectFormat: ObjectFormatName;
  readonly visibility: Visibility;
  /** A full ref name. */
  readonly head: string;
  /** See `RepositoryRecord`. */
  readonly headChosen?: boolean;
  readonly description: string;
  /** The webhooks of its tenant, which the tenant gives with the id. */
  readonly tenantHooks?: readonly CopiedHook[];
  /** The content of a fork. `prepareFork` must have noted its packs, with the same id. */
  readonly fork?: ForkContent;
  /** The leniency of git's checks. Defaults apply for absent members. */
  readonly fsck?: Partial<FsckSettings>;
  /** The rules about Git LFS. Absent ones are as in a new repository. */
  readonly lfs?: Partial<LfsRules>;
};

/** The settings of a repository that is to be made, and whose hash function its first push decides. */
export type NewRepository = Omit<CreateRequest, "objectFormat">;

/** A request that is to be done once, however often it is sent. */
export type RequestOnce = {
  /** Names the request among those of its sender, as the sender and its key. */
  readonly key: string;
  /** Tells whether a request with the same key is the same. */
  readonly fingerprint: string;
  /** What it is answered, and every later request with it. */
  readonly answer: string;
};

/** The answer that a request was given before. */
export type AnsweredOnce = Omit<RequestOnce, "key">;

/**
 * A request to begin a push. It takes a lease on the keys that the push may write, so that a crash leaves nothing for
 * good.
 */
export type BeginPushRequest = {
  /** The stem of the keys that the push may write; absent if it brings no pack. */
  readonly packName?: string;
  readonly names: readonly string[];
  /** Includes the repository's own secret for nonces, which checks a certificate. */
  readonly pushSeed?: boolean;
  /** Makes the repository if it is missing. */
  readonly create?: CreateRequest;
  /** The name of the upload that holds the pack, if there is one. */
  readonly upload?: string;
  /** Whether the pack may be small enough for the tail. Then `packName` is leased only if there is no room, see the answer. */
  readonly mayBeSmall?: boolean;
  /** The pusher, as owners of locks are compared. The answer then has the locks of all others. */
  readonly lockOwner?: string;
  /** The key of a request that is done once. */
  readonly once?: string;
  /**
   * Whether it is not known that the requester may read private repositories of the name. What the isolate knows of the packs of one then
   * does not go along with the question.
   */
  readonly asStranger?: boolean;
};

/** The state against which a push is checked before its pack is ingested. */
export type BeginPushAnswer =
  /** `moved` is as in {@link OpenAnswer}. */
  | { readonly kind: "missing"; readonly moved?: Forward }
  | {
      readonly kind: "begun";
      readonly record: DescribedRepository;
      /** See `OpenSnapshot`. */
      readonly version: number;
      /** Whether this request made the repository; absent if not. */
      readonly made?: true;
      readonly packs: readonly PackRecord[];
      /** See `OpenSnapshot`. */
      readonly graphs?: readonly CommitGraphRecord[];
      /** The present values in the order of `names`, in hexadecimal; "" for a ref that does not exist. */
      readonly current: readonly string[];
      readonly pushSeed?: string;
      /**
       * The bytes that uploads may have in the bucket, except for the push's own upload: its parts are deleted once it
       * has landed. Those of Git LFS objects are among them.
       */
      readonly uploadBytes: number;
      /** The bytes that the pack may have to be committed with its bytes, see `CommitPushRequest`; absent if it may not be. */
      readonly tailRoom?: number;
      /** Whether the keys of the pack are not leased: before it is written to the bucket, `leasePacks` has to be called. */
      readonly unleased?: true;
      /** The files that others have locked; absent if there are none, or if the request has no owner. */
      readonly locks?: readonly LockedFile[];
      /** What the request with this key was answered, if it was done within the last day. */
      readonly answered?: AnsweredOnce;
    };

/**
 * A request to land a push. One transaction compares and moves refs, adds the pack, drops the lease and writes the ref
 * log.
 */
export type CommitPushRequest = {
  /**
   * The id of the repository with which the push began. If the repository was deleted and made anew meanwhile, every
   * command is refused.
   */
  readonly id: string;
  /**
   * The version of the catalog that the push was checked against. Objects that became unreachable since may be what it
   * refers to: they are then kept. They are kept in any case if the version is absent.
   */
  readonly version?: number;
  /** The pack. One that carries its bytes goes into the tail, and needs no lease. */
  readonly pack?: PackRecord;
  /**
   * A second pack, of objects that `pack` or earlier packs also have. It is kept only together with `pack`, and needs a
   * lease of its own.
   */
  readonly tipPack?: PackRecord;
  readonly updates: readonly RefUpdate[];
  readonly atomic: boolean;
  /** The pusher, as the ref log identifies it. */
  readonly actor: string;
  /** The present name of the pusher's token, for the ref log. It is absent if no token pushes. */
  readonly actorName?: string;
  /** The pusher, as the rules know it. */
  readonly pusher: Pusher;
  /** Whether the push carries a good signature by a registered key. */
  readonly signed: boolean;
  readonly pushOptions: readonly string[];
  /** Git LFS objects of which the pack has pointers. All may be left out: then they are looked for later. */
  readonly lfsNamed?: readonly string[];
  /** The certificate of the push, for the ref log. */
  readonly certificate?: StoredCertificate;
  /** If a request with this key was done within the last day, nothing is done. */
  readonly once?: RequestOnce;
  /** Whether the updates are only tried: their outcomes are found out, and the repository stays as it is. */
  readonly isTrial?: boolean;
};

/**
 * The outcome of each command, in their order. `packKept` is false if no command used the pack. `answered` is there if
 * the request was done before: nothing was done then, and every command counts as refused. `full`: the tail has no room
 * for the pack any more, and nothing was done: the pack has to be written to the bucket first.
 */
export type CommitPushAnswer =
  | { readonly kind: "gone" | "full" }
  | {
      readonly kind: "done";
      readonly outcomes: readonly RefOutcome[];
      readonly packKept: boolean;
      readonly answered?: AnsweredOnce;
    };

/** The refs and catalog of one repository. */
export interface RefStore {
  open(request: OpenRequest): Promise<OpenAnswer>;
  beginPush(request: BeginPushRequest): Promise<BeginPushAnswer>;
  commitPush(request: CommitPushRequest): Promise<CommitPushAnswer>;
  /**
   * Leases the keys of packs that are about to be written, as `beginPush` does. Returns false if the repository with
   * this id is gone.
   */
  leasePacks(id: string, packNames: readonly string[]): Promise<boolean>;
  /** Drops the lease of a push that failed and whose keys are deleted. */
  abandonPush(packName: string): Promise<void>;
}
