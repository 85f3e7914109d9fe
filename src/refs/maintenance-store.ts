/**
 * The port to a repository's maintenance: what is due, what is under way, and what the last runs did. The store plans
 * it; a consumer of a queue does it, step by step.
 *
 * @packageDocumentation
 * @see git-maintenance(1), git-repack(1)
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { RepositoryRecord } from "./ref-store.ts";

/** What one step did. Times are in milliseconds, sizes in bytes. */
export type MaintenanceRun = {
  /** `nothing`: nothing was due. `stale`: others changed the catalog meanwhile, and the work was dropped. */
  readonly outcome: "done" | "nothing" | "stale" | "failed";
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** The packs that were replaced, and their objects and bytes. */
  readonly packs: number;
  readonly objects: number;
  readonly bytes: number;
  /** The bytes of what was written instead. */
  readonly written: number;
  /** A sentence, where the run failed. */
  readonly error?: string;
};

/** The part of a catalog that is told of packs with one origin or state. */
export type PackSum = { readonly packs: number; readonly objects: number; readonly bytes: number };

/** The state of a repository's maintenance. */
export type MaintenanceState = {
  /** All packs but tip packs. */
  readonly total: PackSum;
  /** Of these, the packs without the mark: something in them may be unreachable. */
  readonly unmarked: PackSum;
  /** The tip packs. */
  readonly tipPacks: PackSum;
  /** The number of packs that the next step would combine; 0 if there is nothing to do. */
  readonly due: number;
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
      /** The packs that the step combines, oldest first; none if nothing is due. */
      readonly packs: readonly PackRecord[];
    };

/** The maintenance of one repository, as those see it who administer it. */
export interface MaintenanceControl {
  /** Returns the state; `undefined` if there is no repository. */
  maintenance(): Promise<MaintenanceState | undefined>;
  /** Makes maintenance due now. Returns the state; `undefined` if there is no repository. */
  askForMaintenance(): Promise<MaintenanceState | undefined>;
}

/** The maintenance of one repository. */
export interface MaintenanceStore extends MaintenanceControl {
  /** Plans a step of repository `id`, and leases the keys of the pack that it may write. */
  beginMaintenance(id: string, packName: string): Promise<BeginMaintenanceAnswer>;
  /** Notes what a step of repository `id` did. */
  endMaintenance(id: string, run: MaintenanceRun): Promise<void>;
}
