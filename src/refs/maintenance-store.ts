/**
 * The port to a repository's maintenance: what is due, what is under way, and what the last runs did. The store plans
 * it; a consumer of a queue does it, step by step.
 *
 * @packageDocumentation
 * @see git-maintenance(1), git-repack(1)
 */
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
   * written.
   */
  readonly step: "roll-up" | "walk" | "bitmap";
  /** `nothing`: nothing was due. `stale`: others changed the catalog meanwhile, and the work was dropped. */
  readonly outcome: "done" | "nothing" | "stale" | "failed";
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** The packs that were replaced or, for bitmaps, gone through, and their objects and bytes. */
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

/** The most packs that a step writes. */
export const PACKS_WRITTEN = { "roll-up": 1, walk: 2, bitmap: 0 } as const satisfies Record<
  MaintenanceRun["step"],
  number
>;

/** The part of a catalog that is told of packs with one origin or state. */
export type PackSum = { readonly packs: number; readonly objects: number; readonly bytes: number };

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
      /** The packs that the step combines, makes bitmaps of, or finds out of whether refs reach them; oldest first. */
      readonly packs: readonly PackRecord[];
      /** Whether what no ref reaches is to be removed at once. */
      readonly purges: boolean;
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
  /** Notes what a step of repository `id` did. */
  endMaintenance(id: string, run: MaintenanceRun): Promise<void>;
}
