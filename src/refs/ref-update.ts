/**
 * What a push asks of refs, and what became of it.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-receive-pack(1)
 */

import type { RuleRefusal } from "./ref-policy.ts";

/** One command of a push: move `name` from `oldOid` to `newOid`. All zeros stands for "no ref". */
export type RefUpdate = {
  readonly name: string;
  /** Hex; zeros for a creation. */
  readonly oldOid: string;
  /** Hex; zeros for a deletion. */
  readonly newOid: string;
  /** What `newOid` finally names, where it is an annotated tag. Hex. */
  readonly peeled?: string;
  /**
   * Whether the move is known to keep the old value reachable from this ref: true for creations. Clears pack marks when false, so
   * that "no" is a safe answer, unless a rule minds: then it is found out exactly.
   */
  readonly forward: boolean;
  /**
   * Whether the old value is known to be reached from what all updates together set, by way of the pack that they come with. Marks
   * that rested on this ref rest on all of these then, whatever `forward` says.
   */
  readonly reached?: boolean;
};

/** Why a ref was not moved; a closed list, rendered by the report. */
export type RefRejection =
  | { readonly kind: "stale"; readonly current: string }
  | { readonly kind: "exists"; readonly current: string }
  | { readonly kind: "missing-ref" }
  | { readonly kind: "directory-conflict"; readonly other: string }
  | { readonly kind: "bad-name" }
  | { readonly kind: "delete-current" }
  | { readonly kind: "read-only" }
  | { readonly kind: "rule"; readonly refusal: RuleRefusal }
  | { readonly kind: "duplicate" }
  | { readonly kind: "missing-objects" }
  | { readonly kind: "shallow" }
  | { readonly kind: "wrong-type" }
  /** The push options that were signed are not those that were sent. */
  | { readonly kind: "inconsistent-options" }
  /** The push certificate has landed before. */
  | { readonly kind: "used-certificate" }
  | { readonly kind: "atomic" }
  | { readonly kind: "unpacker-error" };

/** What became of one command. */
export type RefOutcome = { readonly name: string } & (
  | { readonly kind: "ok" }
  | { readonly kind: "rejected"; readonly why: RefRejection }
);
