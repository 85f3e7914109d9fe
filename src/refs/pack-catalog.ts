/**
 * The port to a repository's catalog for operations that change packs and no refs, such as a repack, which gathers many
 * packs into few.
 *
 * @packageDocumentation
 * @see git-repack(1)
 */
import type { PackRecord } from "../catalog/pack-record.ts";

/** A request to replace packs by others, in one step. */
export type ReplacePacksRequest = {
  /** The repository of which `replaced` was read. If it was deleted and made anew meanwhile, everything is refused. */
  readonly id: string;
  /**
   * Packs that hold exactly what the refs reach of the replaced ones. Each needs a lease of its own. The store finds
   * their marks itself, whatever the records say.
   */
  readonly added: readonly PackRecord[];
  /** Names of packs, each once. Their files stay for a day, because readers that began earlier still read them. */
  readonly replaced: readonly string[];
};

/**
 * The result of replacing packs. `stale`: a pack to be replaced is not in the catalog any more, or the lease of an
 * added one has ended. Nothing has changed then.
 */
export type ReplacePacksAnswer = { readonly kind: "gone" | "stale" | "done" };

/** The packs of one repository. */
export interface PackCatalog {
  /**
   * Replaces packs. No ref moves. The new packs are marked if all replaced ones were: the refs that kept the old
   * objects reachable keep the new ones reachable.
   */
  replacePacks(request: ReplacePacksRequest): Promise<ReplacePacksAnswer>;
}
