/**
 * The port to a repository's catalog for those who change packs and no refs: a repack, which gathers what is in many packs in few.
 *
 * @packageDocumentation
 * @see git-repack(1)
 */
import type { PackRecord } from "../catalog/pack-record.ts";

/** Puts packs in place of others, in one step. */
export type ReplacePacksRequest = {
  /** The repository that `replaced` was read of; another one by now (deleted and made anew) refuses all. */
  readonly id: string;
  /**
   * Packs that hold what the refs reach of the replaced ones, and nothing else. Each needs a lease of its own. Their marks are found
   * here, whatever the records say.
   */
  readonly added: readonly PackRecord[];
  /** Names of packs, each once. Their files stay for a day: readers that began before still read them. */
  readonly replaced: readonly string[];
};

/**
 * What became of it. `stale`: a pack to be replaced is not in the catalog any more, or the lease of an added one has ended. Nothing has
 * changed then.
 */
export type ReplacePacksAnswer = { readonly kind: "gone" | "stale" | "done" };

/** One repository's packs. */
export interface PackCatalog {
  /**
   * Replaces packs. No ref moves. The new packs are marked where all replaced ones were: what kept the objects of these reachable
   * keeps those of the new ones.
   */
  replacePacks(request: ReplacePacksRequest): Promise<ReplacePacksAnswer>;
}
