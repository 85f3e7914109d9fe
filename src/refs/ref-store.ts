/**
 * The port to a repository's truth: refs, catalog, leases and settings, which one Durable Object keeps and changes atomically.
 * Every method is one call. A reader takes what it needs in one `open` and works on that snapshot.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { ObjectFormatName } from "../object/object-id.ts";
import type { FsckSettings } from "./fsck-settings.ts";
import type { StoredCertificate } from "./ref-log.ts";
import type { Pusher, RefRule } from "./ref-policy.ts";
import type { RefOutcome, RefUpdate } from "./ref-update.ts";
import type { LogMarks } from "./visible-log.ts";

/** Who may read a repository without a token. */
export type Visibility = "private" | "public";

/** What readers see of a mirror. */
export type MirrorSummary = {
  /** A URL without credentials. */
  readonly upstream: string;
  /** Seconds between two syncs; 0 for none. */
  readonly interval: number;
  /** Seconds after which readers are kept waiting for a sync; absent where they never are. */
  readonly fetchThrough?: number;
  /** When the upstream was last seen whole, in milliseconds since the epoch; absent where it never was. */
  readonly syncedAt?: number;
};

/** The settings of a repository that its readers and writers need. */
export type RepositoryRecord = LogMarks & {
  /** Random, names the prefix in the bucket: `repos/{id}.git/`. A new repository of the same name has another. */
  readonly id: string;
  readonly objectFormat: ObjectFormatName;
  readonly visibility: Visibility;
  /** The branch HEAD points to, as a full ref name, born or not. */
  readonly head: string;
  /** Whether somebody chose that branch. Where nobody did, the first push of branches moves an unborn HEAD to one of them. */
  readonly headChosen?: boolean;
  readonly description: string;
  /** Nobody may push; so it is with a mirror. */
  readonly readOnly: boolean;
  /** What it follows, where it is a mirror. */
  readonly mirror?: MirrorSummary;
  /** What pushes may do to which refs. */
  readonly rules: readonly RefRule[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly pushedAt?: number;
  /** Sum of the catalog's pack and index bytes. */
  readonly sizeBytes: number;
};

/** A repository as those see it who push to it or look at its settings. */
export type DescribedRepository = RepositoryRecord & { readonly fsck: FsckSettings };

/** What a reader wants in its snapshot. */
export type OpenRequest = {
  /**
   * The caller may read public repositories only. A private one is answered as `missing`, before anything else of it is read: so a
   * refusal costs the same however much there is in it.
   */
  readonly publicOnly?: boolean;
  /** The catalog. */
  readonly packs?: boolean;
  /** Refs that start with one of these (literal) prefixes, in byte order; an empty list means all. */
  readonly refPrefixes?: readonly string[];
  /**
   * Milliseconds since the epoch: the refs of that moment, as the ref log has them, in place of those of now; without what tags peel to.
   * Goes with prefixes only.
   */
  readonly at?: number;
  /** Full names: those of them that are refs come after what the prefixes gave, in no order. */
  readonly refNames?: readonly string[];
  /** The repository's own secret for the nonces of signed pushes. */
  readonly pushSeed?: boolean;
  /** Raw oids, concatenated: says of each whether a ref has it as its value (or peeled value, see `wantIsTip`). */
  readonly wants?: Uint8Array;
  /** Full names of refs, or `HEAD`, whose values are wanted, too: they count as the last of the wants. */
  readonly wantRefs?: readonly string[];
  /**
   * Milliseconds since the epoch: a ref of `wantRefs` that is not there any more has the value it had after that moment, and
   * `recentValues` are given. Asked for only where a want has failed.
   */
  readonly recentSince?: number;
  /**
   * Raw oids, concatenated, of what the client says it has: asks which of them are tips. It is answered only together with the catalog,
   * and only where some pack lacks the mark: elsewhere everything that is stored is reachable, and nobody has to know.
   */
  readonly haves?: Uint8Array;
};

/** A consistent snapshot of a repository that exists, with what the request asked for. */
export type OpenSnapshot = {
  readonly kind: "found";
  readonly record: RepositoryRecord;
  /** Rises with every change of refs or catalog. */
  readonly version: number;
  readonly pushSeed?: string;
  /** The value of the branch HEAD points to, hex; absent while unborn. */
  readonly headOid?: string;
  readonly packs: readonly PackRecord[];
  /** Encoded rows (see `ref-rows.ts`) of the refs asked for. */
  readonly refs: readonly Uint8Array[];
  /** The values of `wantRefs`, in their order, hex; "" where there is no such ref. */
  readonly wantedRefs: readonly string[];
  /** One byte a want, those by ref after those by name: 1 where some ref has exactly this value, else 2 where some ref peels to it, else 0. */
  readonly wantIsTip: Uint8Array;
  /** Distinct ref values (not peeled) that are not among the wants; 0 means that the wants cover every tip. */
  readonly uncoveredTips: number;
  /** Raw oids that refs had after `recentSince` and were moved away from; concatenated. */
  readonly recentValues?: Uint8Array;
  /** Raw oids of those of the haves that refs have as values, or peel to, in no order; absent where it was not answered. */
  readonly tipHaves?: readonly Uint8Array[];
};

/**
 * A private repository that was answered as `missing`. It is for the memory of the host alone, so that the caller's next request,
 * with credentials, costs less; nothing of it goes into an answer.
 */
export type HiddenRepository = Pick<RepositoryRecord, "objectFormat" | "readOnly">;

/** The answer to `open`. */
export type OpenAnswer = { readonly kind: "missing"; readonly hidden?: HiddenRepository } | OpenSnapshot;

/** How a repository that does not exist yet is to be made. */
export type CreateRequest = {
  /** The id it is to have, as its tenant gave it; absent: a fresh one. One that was doomed before it was made is never made. */
  readonly id?: string;
  readonly objectFormat: ObjectFormatName;
  readonly visibility: Visibility;
  /** Full ref name. */
  readonly head: string;
  /** See `RepositoryRecord`. */
  readonly headChosen?: boolean;
  readonly description: string;
  /** What of git's checks is let pass; the defaults hold for what is absent. */
  readonly fsck?: Partial<FsckSettings>;
};

/** How a repository is to be made whose hash function its first push decides. */
export type NewRepository = Omit<CreateRequest, "objectFormat">;

/** Opens a push: takes a lease on the keys it may write, so that a crash leaves nothing for good. */
export type BeginPushRequest = {
  /** Stem of the keys the push may write; absent where it brings no pack. */
  readonly packName?: string;
  readonly names: readonly string[];
  /** Asks for the repository's own secret for nonces, to check a certificate with. */
  readonly pushSeed?: boolean;
  /** Makes the repository where it is missing. */
  readonly create?: CreateRequest;
  /** Names the upload that the pack comes from, where it comes from one. */
  readonly upload?: string;
};

/** The state a push is checked against before its pack is taken in. */
export type BeginPushAnswer =
  | { readonly kind: "missing" }
  | {
      readonly kind: "begun";
      readonly record: DescribedRepository;
      readonly packs: readonly PackRecord[];
      /** Current values in the order of `names`, hex; "" where there is no such ref. */
      readonly current: readonly string[];
      readonly pushSeed?: string;
      /** What may lie in the bucket of uploads, but for the one that the pack comes from: its parts go when it has landed. */
      readonly uploadBytes: number;
    };

/** Lands a push: one transaction compares, moves refs, adds the pack, drops the lease and writes the ref log. */
export type CommitPushRequest = {
  /** The repository the push began with; another one by now (deleted and made anew) refuses every command. */
  readonly id: string;
  readonly pack?: PackRecord;
  /** A second pack of objects that `pack`, or packs before it, have too; kept only with `pack`. It needs a lease of its own. */
  readonly tipPack?: PackRecord;
  readonly updates: readonly RefUpdate[];
  readonly atomic: boolean;
  /** For the ref log. */
  readonly actor: string;
  /** For the ref log: the name that the pusher's token has now. */
  readonly actorName?: string;
  /** Who pushes, as the rules know it. */
  readonly pusher: Pusher;
  /** Whether the push carries a good signature by a registered key. */
  readonly signed: boolean;
  readonly pushOptions: readonly string[];
  /** What the push was signed with, for the ref log. */
  readonly certificate?: StoredCertificate;
};

/** What became of each command, in their order; `packKept` is false where no command used the pack. */
export type CommitPushAnswer =
  | { readonly kind: "gone" }
  | { readonly kind: "done"; readonly outcomes: readonly RefOutcome[]; readonly packKept: boolean };

/** One repository's refs and catalog. */
export interface RefStore {
  open(request: OpenRequest): Promise<OpenAnswer>;
  beginPush(request: BeginPushRequest): Promise<BeginPushAnswer>;
  commitPush(request: CommitPushRequest): Promise<CommitPushAnswer>;
  /** Drops the lease of a push that failed and whose keys are deleted. */
  abandonPush(packName: string): Promise<void>;
}
