/**
 * The port to the locks of a repository: files of which their owner says that nobody else may change them. A lock holds
 * on every branch, and is known by its path and by its id.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */
import type { Forward } from "./forward.ts";
import type { RepositoryRecord } from "./ref-store.ts";

/** The most locks of a repository. */
export const MOST_LOCKS = 20_000;

/** The owner of a lock. */
export type LockOwner = {
  /** What the owner is compared by. */
  readonly key: string;
  /** What the owner is shown as. */
  readonly name: string;
};

/** A lock. */
export type FileLock = {
  readonly id: string;
  /** The path of the file from the root of the repository, with slashes. */
  readonly path: string;
  readonly owner: LockOwner;
  /** Milliseconds since the epoch. */
  readonly lockedAt: number;
};

/** A question for locks: those of one path, or of one id, or all; after the lock with the id `after`, at most `limit`. */
export type LockQuery = {
  readonly path?: string;
  readonly id?: string;
  readonly after?: string;
  readonly limit: number;
};

/** A request about a repository's locks. */
export type LockRequest = {
  /** Whether a private repository counts as missing. */
  readonly publicOnly?: boolean;
} & (
  | { readonly kind: "list"; readonly query: LockQuery }
  /** Locks a file. A read-only repository and a mirror answer with their record alone. */
  | { readonly kind: "lock"; readonly path: string; readonly owner: LockOwner }
  /** Unlocks a file: the owner's own, or with `force` anybody's. */
  | { readonly kind: "unlock"; readonly id: string; readonly owner: LockOwner; readonly force: boolean }
);

/**
 * What became of a request to lock or unlock. `taken`: the file is locked already; `foreign`: the lock is somebody
 * else's; `full`: the repository has as many locks as it may.
 */
export type LockOutcome =
  | { readonly kind: "locked" | "taken" | "unlocked" | "foreign"; readonly lock: FileLock }
  | { readonly kind: "missing" | "full" };

/** The answer to a request about locks. */
export type LockAnswer =
  | { readonly kind: "missing"; readonly moved?: Forward }
  | {
      readonly kind: "found";
      readonly record: RepositoryRecord;
      /** The locks that were asked for, in the order of their making, and whether there are more. */
      readonly locks: readonly FileLock[];
      readonly more: boolean;
      /** Absent for a list, and where nothing may be locked. */
      readonly outcome?: LockOutcome;
    };

/** The locks of one repository. */
export interface LockStore {
  locks(request: LockRequest): Promise<LockAnswer>;
}
