/**
 * The ports to forks. A fork begins with the refs and the packs of its parent. No pack is copied: the files stay below
 * the prefix that they lie under, and the fork borrows them. For each prefix that packs are borrowed from, one object
 * keeps the loans, the lender. It outlives the repository whose prefix it is.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";

/** The repository that another one was forked from. */
export type ForkOrigin = {
  readonly id: string;
  /** The name that it had then, `{tenant}/{repo}`. */
  readonly name: string;
  /** Whether everybody could read it then, and so know its name. */
  readonly isPublic: boolean;
};

/** The content that a fork begins with. */
export type ForkContent = {
  readonly origin: ForkOrigin;
  /** Encoded rows of refs: see `ref-rows.ts`. */
  readonly refs: readonly Uint8Array[];
  /** The catalog. Every pack of it is on loan. */
  readonly packs: readonly PackRecord[];
};

/** A pack, and the id of the repository below whose prefix it lies. */
export type PackHome = { readonly pack: string; readonly home: string };

/** The repository that borrows: its id, and the name under which its object is found. */
export type Borrower = {
  readonly id: string;
  /** `{tenant}/{repo}` in lower case. */
  readonly name: string;
};

/** What a lender tells a borrower about packs. */
export type LoanNotice = {
  /** The id of the borrower. */
  readonly borrower: string;
  /** Packs that their owner does not need any more, so that they are the borrower's own now. */
  readonly abandoned: readonly string[];
  /** Packs of which a purge has removed something: the borrower has to give them back, or to reach all of them. */
  readonly demanded: readonly string[];
};

/**
 * The answer to a notice. `moved`: the borrower has another name now. `unknown`: the borrower was deleted, or may never
 * be made, so that its loans are over. An object that does not know that does not answer so, but throws.
 */
export type LoanNoticeAnswer = { readonly kind: "noted" | "unknown" } | { readonly kind: "moved"; readonly to: string };

/** What a borrower tells a lender about packs. */
export type LoanSettlement = {
  readonly borrower: string;
  /** Packs that it does not read any more. */
  readonly returned: readonly string[];
  /** Packs that were demanded, and stay: the borrower's refs reach all of them. */
  readonly kept: readonly string[];
};

/** The loans of the packs below one prefix. */
export interface PackLender {
  /** Lends packs, all or none. Returns whether they are lent: if not, one of them is about to be deleted. */
  lend(borrower: Borrower, packs: readonly string[]): Promise<boolean>;
  /**
   * Lends packs to a repository that has come back, and that has them in its catalog: also those that were returned, and are
   * gone. Lends all or none. Returns whether they are lent: if not, one of them is being deleted.
   */
  relend(borrower: Borrower, packs: readonly string[]): Promise<boolean>;
  /** Notes that the prefix has no repository any more. Returns the packs that have to stay. */
  doom(): Promise<readonly string[]>;
  /** Notes that the prefix has its repository again, after a restore, and that this needs these packs. */
  revive(packs: readonly string[]): Promise<void>;
}

/** The part of a fork's store that makes it. */
export interface ForkStore {
  /**
   * Notes that repository `id` is about to borrow packs. If it is not made within an hour, the packs are returned: so
   * no loan is left over, whatever becomes of the request.
   *
   * Returns whether that is noted. It is not where the repository exists, or may not be made, or where any of the packs
   * is being returned: no pack may be borrowed then.
   */
  prepareFork(id: string, packs: readonly PackHome[]): Promise<boolean>;
}
