/**
 * What a tenant's repositories were used for, day by day: counts to bill by.
 *
 * @packageDocumentation
 */
import type { Usage } from "./quotas.ts";

/** The counts of a day. */
export const DAY_COUNTS = ["requests", "clones", "fetches", "pushes", "bytesIn", "bytesOut", "ms"] as const;

/** The counts of one day, or of a part of it. Bytes are those of bodies; `ms` is the time that requests took. */
export type DayCounts = Readonly<Record<(typeof DAY_COUNTS)[number], number>>;

/** What is counted for one day. */
export type DayUsage = DayCounts & {
  /** Days since the epoch, in UTC. */
  readonly day: number;
};

/** What an isolate has counted for one repository and day; without a name, for the tenant itself. */
export type CountedUsage = DayUsage & { readonly repo?: string };

/** A question for usage: of one repository by name, or of all; of the days from `from` to `to`, both included. */
export type UsageRequest = { readonly repo?: string; readonly from: number; readonly to: number };

/** What is stored now, and the days on which something was counted, in order. */
export type UsageAnswer = { readonly stored: Usage; readonly days: readonly DayUsage[] };

/** How many requests of a day ended in one way, of the whole deployment; see `Outcome` in `http/log.ts`. */
export type OutcomeDay = { readonly day: number; readonly outcome: string; readonly requests: number };

/** The usage of one tenant. */
export interface UsageStore {
  /** Returns the usage; `undefined` if there is no such tenant, or no such repository. */
  usage(request: UsageRequest): Promise<UsageAnswer | undefined>;
}

/** Milliseconds of a day. */
const DAY = 24 * 60 * 60 * 1000;

/** Returns the day of a time in milliseconds since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY);
}

/** Returns the first millisecond of a day. */
export function startOfDay(day: number): number {
  return day * DAY;
}
