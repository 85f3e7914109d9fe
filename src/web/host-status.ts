/**
 * What the operator's page is told of the deployment.
 *
 * @packageDocumentation
 */

import type { OutcomeDay } from "../access/usage.ts";

/** A queue of jobs. Not every platform tells how many wait. */
export type QueueStatus = {
  readonly name: string;
  readonly waiting: number | undefined;
  /** When the oldest job that waits was sent, in milliseconds since the epoch. */
  readonly oldest: number | undefined;
};

/** The days of a plot. */
export const SHOWN_DAYS = 31;

/** The state of a deployment. */
export type HostStatus = {
  readonly version: string;
  readonly queues: readonly QueueStatus[];
  /** The counters, by their names with labels, as `/metrics` has them. */
  readonly counters: Readonly<Record<string, number>>;
  /** How requests ended, on each of the days that are shown. */
  readonly outcomes: readonly OutcomeDay[];
};
