/**
 * The notice for a client of a mirror whose upstream has not been seen for longer than it should be.
 *
 * @packageDocumentation
 */
import type { RepositoryRecord } from "../../refs/ref-store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/**
 * The factor by which a sync may be late. Syncs come early or late by design, and news of them takes up to a minute.
 */
const TOLERANCE = 1.2;

function describeAge(age: number): string {
  const [unit, name] =
    age >= 2 * DAY ? [DAY, "days"] : age >= 2 * HOUR ? [HOUR, "hours"] : ([MINUTE, "minutes"] as const);
  return `${Math.floor(age / unit)} ${name}`;
}

/**
 * Returns the line to show; `undefined` if the repository is no mirror, or is in step. `now` is in milliseconds since
 * the epoch.
 */
export function staleNotice({ mirror }: RepositoryRecord, now: number): string | undefined {
  if (mirror?.syncedAt === undefined || mirror.interval === 0) return undefined;
  const age = now - mirror.syncedAt;
  if (age <= mirror.interval * 1000 * TOLERANCE + MINUTE) return undefined;
  return `warning: this mirror was last in step with its upstream ${describeAge(age)} ago\n`;
}
