/**
 * The port to a repository's maintenance: what is due, what is under way, and what the last runs did. The store plans
 * it; a consumer of a queue does it, step by step.
 *
 * @packageDocumentation
 * @see git-maintenance(1), git-repack(1)
 */
import type { DamagedFile } from "../catalog/damaged-file.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { RepositoryRecord } from "./ref-store.ts";

/**
 * Objects that values of refs reach which those had within this time are not taken for unreachable: they may still be
 * wanted. Milliseconds.
 */
export const KEPT_VALUES_TIME = 10 * 60_000;

/** What one step did. Times are in milliseconds, sizes in bytes. */
export type MaintenanceRun = {
  /**
   * `roll-up`: packs were combined. `walk`: it was found out what the refs reach. `bitmap`: bitmaps of a pack were
   * written. `graph`: a layer of the commit-graph was. `twin`: the answer to a clone of everything was. `midx`: the
   * multi-pack index was. `lfs`: it was found out which Git LFS objects no pointer names. `bundle`: it was found out whether
   * a pack of the newest history can be offered as a bundle. `order`: a pack was written in the order of its history.
   */
  readonly step: "roll-up" | "walk" | "bitmap" | "graph" | "twin" | "midx" | "lfs" | "bundle" | "order";
  /** `nothing`: nothing was due. `stale`: others changed the catalog meanwhile, and the work was dropped. */
  readonly outcome: "done" | "nothing" | "stale" | "failed";
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /**
   * The packs that were replaced or, for bitmaps and bundles, gone through, and their objects and bytes. For a graph, the layers that were
   * replaced, and the commits of the new one.
   */
  readonly packs: number;
  readonly objects: number;
  readonly bytes: number;
  /** The bytes of what was written. */
  readonly written: number;
  /**
   * Whether the walk left packs without the mark. Values that refs had lately reach some of their objects, or a pack is
   * too large to be divided.
   */
  readonly undecided?: boolean;
  /** A sentence, where the run failed. */
  readonly error?: string;
};

/** The most packs, layers of the commit-graph, twins or multi-pack indexes that a step writes. */
export const PACKS_WRITTEN = {
  "roll-up": 1,
  walk: 2,
  bitmap: 0,
  graph: 1,
  twin: 1,
  midx: 1,
  lfs: 0,
  bundle: 0,
  order: 1,
} as const satisfies Record<MaintenanceRun["step"], number>;

/** The part of a catalog that is told of packs with one origin or state. */
export type PackSum = { readonly packs: number; readonly objects: number; readonly bytes: number };

/** The layers of a commit-graph, taken together. */
export type GraphSum = {
  readonly layers: number;
  readonly commits: number;
  /** The commits whose changed paths have a filter. */
  readonly filters: number;
  readonly bytes: number;
};

/** A request to replace the upper layers of the commit-graph by one. */
export type ReplaceGraphsRequest = {
  readonly id: string;
  /** The snapshot of which the layer was made. */
  readonly version: number;
  /** The names of all layers of that snapshot. */
  readonly seen: readonly string[];
  /** How many layers, from the lowest on, stay. */
  readonly kept: number;
  /** The layer that comes on top of them; it needs a lease. Absent if none is needed: then all layers stay. */
  readonly added?: CommitGraphRecord;
  /** The raw names of commits from which the next step goes on, one after the other, if this one has left some. */
  readonly way?: Uint8Array;
  /** The objects of the catalog that the layers are about; 0 if commits are left for another step. */
  readonly objects: number;
};

/** The result. `stale`: layers have changed meanwhile, or objects have left the catalog. Nothing has changed then. */
export type ReplaceGraphsAnswer = { readonly kind: "gone" | "stale" | "done" };

/** What a look for pointers has found out about the Git LFS objects in one stretch of their names. */
export type LfsLookReport = {
  readonly id: string;
  /** The snapshot that was looked through. */
  readonly version: number;
  /** When the look began: objects that came since are not judged. Milliseconds since the epoch. */
  readonly since: number;
  /** Whether objects that have no pointer go at once. */
  readonly purges: boolean;
  /** The stretch: names after `from`, up to `upTo`. */
  readonly from: string;
  readonly upTo: string;
  /** Those of them that no pointer names. */
  readonly unnamed: readonly string[];
  /** Whether this is the last stretch. */
  readonly isLast: boolean;
};

/** The result. `stale`: refs or packs have changed meanwhile. Nothing has changed then. */
export type LfsLookAnswer = { readonly kind: "gone" | "stale" | "done" };

/** The state of a repository's maintenance. */
export type MaintenanceState = {
  /** All packs but tip packs. */
  readonly total: PackSum;
  /** Of these, the packs without the mark: something in them may be unreachable. */
  readonly unmarked: PackSum;
  /** The cruft packs: what no ref reaches. */
  readonly unreachable: PackSum;
  /** The tip packs. */
  readonly tipPacks: PackSum;
  /** The packs that lie below the prefixes of others, as those of a fork do at first. */
  readonly borrowed: PackSum;
  /** The commit-graph. */
  readonly graph: GraphSum;
  /** Whether the next step is one of the commit-graph. */
  readonly isGraphDue: boolean;
  /** The number of packs that the next step would combine, or look at; 0 if there is nothing to do. */
  readonly due: number;
  /** Whether a purge was asked for, and files of what it removes are left. */
  readonly purging: boolean;
  /** The number of packs that a purge has removed, and that forks have not given back yet. */
  readonly waitingForForks: number;
  /** Whether somebody asked for maintenance, and it is not finished. */
  readonly asked: boolean;
  /** When the job that has not reported yet was sent. Milliseconds since the epoch. */
  readonly runningSince?: number;
  /** The last runs, newest first. */
  readonly runs: readonly MaintenanceRun[];
};

/** The answer to the beginning of a step. `gone`: the repository is not the one that the job is for. */
export type BeginMaintenanceAnswer =
  | { readonly kind: "gone" }
  | {
      readonly kind: "begun";
      readonly record: RepositoryRecord;
      /** `nothing`: nothing is due. */
      readonly step: MaintenanceRun["step"] | "nothing";
      /** The packs that the step combines, puts in order, makes bitmaps or a bundle of, or finds out of whether refs reach them; oldest first. */
      readonly packs: readonly PackRecord[];
      /** Whether what no ref reaches is to be removed at once. */
      readonly purges: boolean;
      /** Now, by the store's clock. Milliseconds since the epoch. */
      readonly now: number;
      /** Layers of the commit-graph that no reader is told of, and of which the next ones are made. */
      readonly droppedGraphs: readonly CommitGraphRecord[];
      /** Of a step of the commit-graph: `ReplaceGraphsRequest.way` of the last one. */
      readonly graphWay?: Uint8Array;
    };

/** The maintenance of one repository, as those see it who administer it. */
export interface MaintenanceControl {
  /** Returns the state; `undefined` if there is no repository. */
  maintenance(): Promise<MaintenanceState | undefined>;
  /**
   * Makes maintenance due now and, with `purge`, has everything removed that no ref reaches. Returns the state;
   * `undefined` if there is no repository.
   */
  askForMaintenance(purge: boolean): Promise<MaintenanceState | undefined>;
  /**
   * Makes cruft packs ordinary packs again, so that what they hold can be referred to. Returns whether there were any.
   */
  reviveUnreachable(): Promise<boolean>;
}

/** The maintenance of one repository. */
export interface MaintenanceStore extends MaintenanceControl {
  /** Plans a step of repository `id`, and leases the keys of the packs that it may write. */
  beginMaintenance(id: string, packNames: readonly string[]): Promise<BeginMaintenanceAnswer>;
  /** Replaces layers of the commit-graph. */
  replaceGraphs(request: ReplaceGraphsRequest): Promise<ReplaceGraphsAnswer>;
  /**
   * Takes what readers have found damaged of the files that only save work. What lies below the repository's own prefix, and is still a part of its catalog,
   * is forgotten, so that maintenance makes it anew: each kind of file at most once in an hour.
   */
  reportDamage(files: readonly DamagedFile[]): Promise<void>;
  /** Takes what a look for pointers has found out: objects without one leave when their time is up. */
  reportLfs(report: LfsLookReport): Promise<LfsLookAnswer>;
  /** Notes what a step of repository `id` did. */
  endMaintenance(id: string, run: MaintenanceRun): Promise<void>;
}
