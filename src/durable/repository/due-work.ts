/**
 * The work that a repository's alarm does, and when it is due.
 *
 * @packageDocumentation
 */
import type { DoomedPrefix } from "./tables/doomed-prefixes.ts";
import type { RepositoryRow } from "./tables/repository.ts";

/** Derived files are written this long after a change, so that changes close together share one writing, in milliseconds. */
export const DERIVED_DELAY = 1000;
/** A job to write derived files that has not reported after this time is taken for lost. Milliseconds. */
const DERIVED_JOB_TIME = 5 * 60 * 1000;

/** The work that is due, for the alarm. */
export type DueWork = {
  /** The id of the repository, if there is one. */
  readonly id?: string;
  /** Whether a job to write the derived files has to be sent. */
  readonly derivedFiles: boolean;
  /** Uploads whose files have to be deleted from the bucket. */
  readonly expiredPacks: readonly string[];
  /** Deleted repositories whose prefixes have to be deleted. */
  readonly doomedPrefixes: readonly DoomedPrefix[];
  /** Ids of webhooks that have deliveries due. */
  readonly hooks: readonly string[];
  /** Whether the pointer to a mirror's snapshot has to be deleted. */
  readonly staleSnapshot: boolean;
  /** Whether a job to sync the mirror has to be sent. */
  readonly mirrorSync: boolean;
  /** Whether a job that does a step of maintenance has to be sent. */
  readonly maintenance: boolean;
  /** Whether a job has to be sent that deletes Git LFS objects which nobody has any more. */
  readonly lfsSweep: boolean;
};

/** Returns when to write the derived files: at once if they are behind, later if a job is under way, else never. */
export function derivedDue(row: RepositoryRow, now: number): number {
  if (row.derivedVersion === row.version) return Number.POSITIVE_INFINITY;
  return row.derivedJobAt === undefined ? now : row.derivedJobAt + DERIVED_JOB_TIME;
}
