/**
 * The names of all limits, which a `LimitExceeded` states. `docs/limits.md` explains them, and `scripts/check-docs.ts`
 * checks that the list and the page have the same names.
 *
 * @packageDocumentation
 */

/** The names of all limits, in alphabetical order. */
export const LIMIT_NAMES = [
  "archive-bytes",
  "archive-entries",
  "archive-patterns",
  "attribute-words",
  "blamed-file",
  "bitmap-steps",
  "bitmap-trees",
  "commands",
  "commit-actions",
  "compared-commits",
  "content-reads",
  "content-steps",
  "delta-chain",
  "delta-segments",
  "delta-work",
  "divided-pack",
  "inflated-bytes",
  "kernel-memory",
  "lfs-pointers",
  "line-bytes",
  "locked-commits",
  "locked-trees",
  "merge-bases",
  "merge-bytes",
  "merge-steps",
  "mirror-files",
  "mirror-index-bytes",
  "mirror-loose-bytes",
  "mirror-pack-bytes",
  "mirror-refs",
  "mirror-talk-bytes",
  "new-object-bytes",
  "object-bytes",
  "object-names",
  "open-directory-bytes",
  "patch-bytes",
  "patch-lines",
  "patch-steps",
  "picked-commits",
  "push-certificate-bytes",
  "push-options-bytes",
  "pushed-objects",
  "quota-bytes",
  "quota-objects",
  "ref-name-bytes",
  "refs-in-one-step",
  "repeated-commits",
  "request-head-bytes",
  "stored-tags",
  "tip-pack-bytes",
  "tree-depth",
  "unzipped-bytes",
  "whole-object-bytes",
  "written-directories",
  "zip-directory-bytes",
  "zip-path-bytes",
] as const;

/** The name of a limit. */
export type LimitName = (typeof LIMIT_NAMES)[number];
