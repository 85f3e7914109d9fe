/**
 * The ref updates that a push asks for, and their outcomes.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-receive-pack(1)
 */

import type { RuleRefusal } from "./ref-policy.ts";

/** One command of a push: move `name` from `oldOid` to `newOid`. All zeros stand for "no ref". */
export type RefUpdate = {
  readonly name: string;
  /** Hexadecimal; zeros for a creation. */
  readonly oldOid: string;
  /** Hexadecimal; zeros for a deletion. */
  readonly newOid: string;
  /** The object that `newOid` finally names, if it is an annotated tag. Hexadecimal. */
  readonly peeled?: string;
  /**
   * Whether the move is known to keep the old value reachable from this ref; true for creations. False clears pack
   * marks, so false is always a safe answer. If a rule depends on it, the exact answer is found out.
   */
  readonly forward: boolean;
  /**
   * Whether the new values of all updates together, through the pack that comes with them, are known to reach the old
   * value. If so, marks that rested on this ref then rest on all of these refs, whatever `forward` says.
   */
  readonly reached?: boolean;
};

/** A file that somebody has locked, and the name of its owner. */
export type LockedFile = { readonly path: string; readonly owner: string };

/** The reason why a ref was not moved: a closed list, rendered by the report. */
export type RefRejection =
  | { readonly kind: "stale"; readonly current: string }
  | { readonly kind: "exists"; readonly current: string }
  | { readonly kind: "missing-ref" }
  | { readonly kind: "directory-conflict"; readonly other: string }
  | { readonly kind: "bad-name" }
  | { readonly kind: "delete-current" }
  | { readonly kind: "read-only" }
  | { readonly kind: "rule"; readonly refusal: RuleRefusal }
  /** It changes files that others have locked. */
  | { readonly kind: "locked"; readonly files: readonly LockedFile[] }
  /** To compare all names of the push with all rules would take too long. */
  | { readonly kind: "too-many-for-rules" }
  /** The rules changed each time when the names of the push had been compared with them. */
  | { readonly kind: "rules-moved" }
  /** The refs that the push creates have more directories than can be looked at. */
  | { readonly kind: "too-many-directories" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "missing-objects" }
  | { readonly kind: "shallow" }
  | { readonly kind: "wrong-type" }
  /** The push options in the certificate are not those that were sent. */
  | { readonly kind: "inconsistent-options" }
  /** The push certificate has landed before. */
  | { readonly kind: "used-certificate" }
  | { readonly kind: "atomic" }
  | { readonly kind: "unpacker-error" };

/** The outcome of one command. */
export type RefOutcome = { readonly name: string } & (
  | { readonly kind: "ok" }
  | { readonly kind: "rejected"; readonly why: RefRejection }
);
