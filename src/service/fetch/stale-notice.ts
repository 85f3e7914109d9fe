/**
 * What a client of a mirror is told when the upstream was not seen for longer than it should be.
 *
 * @packageDocumentation
 */
import type { RepositoryRecord } from "../../refs/ref-store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Syncs come a little early or late by design, and news of them takes up to a minute. */
const TOLERANCE = 1.2;

function describeAge(age: number): string {
  const [unit, name] =
    age >= 2 * DAY ? [DAY, "days"] : age >= 2 * HOUR ? [HOUR, "hours"] : ([MINUTE, "minutes"] as const);
  return `${Math.floor(age / unit)} ${name}`;
}

/** Gives the line to show; `undefined` where the repository is no mirror, or in step. `now` is in milliseconds since the epoch. */
export function staleNotice({ mirror }: RepositoryRecord, now: number): string | undefined {
  if (mirror?.syncedAt === undefined || mirror.interval === 0) return undefined;
  const age = now - mirror.syncedAt;
  if (age <= mirror.interval * 1000 * TOLERANCE + MINUTE) return undefined;
  return `warning: this mirror was last in step with its upstream ${describeAge(age)} ago\n`;
}
