/**
 * The commits that a push brought, as far as a webhook is told of them.
 *
 * @packageDocumentation
 */

/** A person in a commit. */
export type PushedPerson = { readonly name: string; readonly email: string };

/** A commit of a push. Names of files that are not UTF-8 have replacement characters. */
export type PushedCommit = {
  /** This and the tree's name are hexadecimal. */
  readonly id: string;
  readonly tree: string;
  readonly message: string;
  /** The author's time in ISO 8601; absent if it can't be expressed so. */
  readonly timestamp?: string;
  readonly author: PushedPerson;
  readonly committer: PushedPerson;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly string[];
};

/** The content of a push to one ref. */
export type PushContent = {
  /** The newest of its commits, the oldest first. */
  readonly commits: readonly PushedCommit[];
  /** The commit that the ref leads to now; absent if it leads to none. */
  readonly head?: PushedCommit;
  /** Whether the ref's old value is not reachable from the new one. */
  readonly forced: boolean;
};
