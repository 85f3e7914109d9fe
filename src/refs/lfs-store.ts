/**
 * The port to the Git LFS objects of a repository: which it has, and which are being uploaded to it. The bytes lie in
 * the bucket, once for each tenant. Only an object that is stored here may be read through this repository, whatever
 * other repositories have.
 *
 * An upload announces its object before a byte is written. So what a broken upload leaves is known, and is swept.
 *
 * @packageDocumentation
 */
import type { Forward } from "./forward.ts";
import type { MirrorLfs } from "./mirror-store.ts";
import type { HiddenRepository, RepositoryRecord } from "./ref-store.ts";

/** The most objects of a repository that may be announced and not be there yet. */
export const MOST_ANNOUNCED = 100_000;
/** How long an announced object is waited for, in milliseconds. */
export const ANNOUNCED_TIME = 24 * 60 * 60 * 1000;

/** A Git LFS object, as its pointer names it. */
export type LfsObject = {
  /** The SHA-256 of its bytes, in hexadecimal. */
  readonly oid: string;
  readonly size: number;
};

/** An object, with the tenant under which its bytes lie. */
export type SharedLfsObject = LfsObject & { readonly home: string };

/** A request about a repository's Git LFS objects. */
export type LfsRequest = {
  /** Whether a private repository counts as missing. */
  readonly publicOnly?: boolean;
} & (
  | { readonly kind: "find"; readonly oids: readonly string[] }
  /**
   * Announces objects that are uploaded next. `home` is the tenant under which the bucket gets them, and `most` the
   * most bytes that the repository may have. A read-only repository and a mirror answer with their record alone. What is
   * `pulled` comes from a mirror's upstream: then only a mirror takes it.
   */
  | {
      readonly kind: "announce";
      readonly objects: readonly LfsObject[];
      readonly home: string;
      readonly most?: number;
      readonly pulled?: true;
    }
  /** Takes an announced object whose bytes are in the bucket. */
  | { readonly kind: "keep"; readonly object: LfsObject; readonly most?: number; readonly pulled?: true }
);

/**
 * What a repository says of one object. `over-quota`: it would be too much; `leaving`: its bytes are about to be
 * deleted, and it may be announced again in a moment.
 */
export type LfsOutcome =
  | { readonly kind: "stored"; readonly size: number; readonly home: string }
  | { readonly kind: "announced"; readonly size: number; readonly home: string }
  | { readonly kind: "missing" | "over-quota" | "leaving" };

/** The answer to a request about Git LFS objects. `full`: too many are announced. */
export type LfsAnswer =
  | { readonly kind: "missing"; readonly hidden?: HiddenRepository; readonly moved?: Forward }
  | { readonly kind: "full" }
  | {
      readonly kind: "found";
      readonly record: RepositoryRecord;
      /** In the order of the request. */
      readonly outcomes: readonly LfsOutcome[];
    };

/** An object that a repository has no more, by the repository's id and the tenant under which its bytes lie. */
export type LeavingObject = { readonly id: string; readonly oid: string; readonly home: string };

/** The Git LFS objects of one repository. */
export interface LfsStore {
  /** Answers a request. */
  lfs(request: LfsRequest): Promise<LfsAnswer>;
  /** Returns up to `limit` objects that are there, by name, after `after`. */
  sharedLfs(after: string, limit: number): Promise<readonly SharedLfsObject[]>;
  /** Takes objects of another repository over: first announced, and stored once they are linked. */
  adoptLfs(objects: readonly SharedLfsObject[], as: "announced" | "stored"): Promise<void>;
  /** Returns up to `limit` objects that the repository, or one that had its name, has no more. */
  leavingLfs(limit: number): Promise<readonly LeavingObject[]>;
  /** Notes how far the objects of a mirror have come that takes all. */
  notePulled(progress: MirrorLfs): Promise<void>;
  /** Notes that the tenants of these objects know that they left. */
  lfsLeft(objects: readonly LeavingObject[]): Promise<void>;
}
