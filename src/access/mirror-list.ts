/**
 * The mirrors of a tenant, as its list has them: each mirror reports to its tenant how its last sync went.
 *
 * @packageDocumentation
 */

/** The state of one mirror. Times are in milliseconds since the epoch. */
export type MirrorReport = {
  /** The name of the repository as it is shown: `{tenant}/{repo}`. */
  readonly name: string;
  /** A URL without credentials. */
  readonly upstream: string;
  /** Seconds between two syncs; 0 for none. */
  readonly interval: number;
  readonly lastAttempt?: number;
  /** The time when the upstream was last seen whole. */
  readonly lastSync?: number;
  /** The reason why the last attempt failed; absent if it succeeded. */
  readonly lastError?: string;
  /** The number of failed attempts since the last success. */
  readonly failures: number;
  readonly nextSync?: number;
};

/** A mirror in its tenant's list, with the repository's name in lower case. */
export type ListedMirror = MirrorReport & { readonly repo: string };

/** What is asked of a list of mirrors: those behind the name `after`, in order, or only those that fail. */
export type MirrorQuery = { readonly after: string; readonly limit: number; readonly failing: boolean };
