/**
 * A repository's rules about Git LFS, which bind pushes and no mirror.
 *
 * @packageDocumentation
 */

/** The rules. */
export type LfsRules = {
  /** Whether a push whose new pointers name objects that are not here is refused. */
  readonly requireObjects: boolean;
  /** Bytes above which a blob has to be a Git LFS object; 0 for no bound. */
  readonly above: number;
};

/** The rules of a new repository: none. */
export const DEFAULT_LFS_RULES: LfsRules = { requireObjects: false, above: 0 };

/** The least bound on blobs, in bytes. No pointer is larger. */
export const LEAST_ABOVE = 1024;
