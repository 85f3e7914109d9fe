/**
 * The port to a repository's catalog for operations that change packs and no refs, such as a repack, which gathers many
 * packs into few.
 *
 * @packageDocumentation
 * @see git-repack(1)
 */
import type { MadeTwin } from "../catalog/clone-twin.ts";
import type { MadeMultiPackIndex } from "../catalog/multi-pack-plan.ts";
import type { PackBitmapSize, PackRecord } from "../catalog/pack-record.ts";

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
  /**
   * What a walk from the refs has found out. With it, the packs that are added have the marks it says, and may be cruft
   * packs.
   */
  readonly found?: FoundReachable;
  /** The `.bitmap` file that was written for a pack, or that it can have none. */
  readonly bitmap?: { readonly pack: string; readonly size: PackBitmapSize };
  /**
   * The `.twin` file that was written. It needs a lease. The answer is `stale` if the catalog has other packs than those
   * that it was made of.
   */
  readonly twin?: MadeTwin;
  /**
   * The multi-pack index that was written. It needs a lease. The answer is `stale` if one of its packs has left the catalog.
   */
  readonly multiPackIndex?: MadeMultiPackIndex;
  /** The name of a pack that stays as it lies: it is not put into the order of its history. */
  readonly unordered?: string;
};

/** The packs of which a walk has found that refs reach all their objects. */
export type FoundReachable = {
  /** The snapshot that was walked. If anything has changed since, the request is `stale`. */
  readonly version: number;
  /** Names of packs, each with the ref that reaches all of it by itself; without one, all refs together do. */
  readonly marks: readonly { readonly pack: string; readonly ref?: string }[];
  /** Names of packs that lose the mark: nothing reaches some of what they hold. */
  readonly unmarks: readonly string[];
  /** Names of demanded packs of which everything is reached: they stay. */
  readonly kept: readonly string[];
  /** How many layers of the commit-graph, from the lowest on, have no commit that leaves the catalog. The others are dropped. */
  readonly keptGraphs: number;
  /** Whether the files of the replaced packs, and all cruft packs, are deleted as soon as can be: a purge. */
  readonly purges: boolean;
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
