/**
 * The port to a tenant's Git LFS objects: which repositories have each of them. The bytes of an object are in the
 * bucket once, and are deleted when no repository has it any more. A link gives nobody a right to read: that is decided
 * by each repository.
 *
 * @packageDocumentation
 */

/**
 * The answer to a new link. `busy`: the object's bytes are being deleted just now, and it may be linked again in a
 * moment; `missing`: there is no such tenant.
 */
export type LinkAnswer = "linked" | "busy" | "missing";

/** The answer to the end of links. */
export type UnlinkAnswer = {
  /** Objects that no repository has any more. Their bytes are the caller's to delete, and to report. */
  readonly gone: readonly string[];
  /** Objects whose bytes somebody else is deleting. The caller has to ask again later. */
  readonly held: readonly string[];
};

/** The Git LFS objects of one tenant. Repositories are named by their ids. */
export interface LfsLinks {
  /** Links an object to a repository, before its bytes are written. */
  linkLfs(oid: string, repositoryId: string): Promise<LinkAnswer>;
  /** Links objects that are there. Returns those that are linked; the others are being deleted. */
  linkAllLfs(oids: readonly string[], repositoryId: string): Promise<readonly string[]>;
  /** Ends a repository's links. */
  unlinkLfs(oids: readonly string[], repositoryId: string): Promise<UnlinkAnswer>;
  /** Reports that the bytes of these objects are deleted. */
  lfsDeleted(oids: readonly string[]): Promise<void>;
}
