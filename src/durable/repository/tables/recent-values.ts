/**
 * Reads values that refs had a short time ago, from tables `pushes` and `ref_log`.
 *
 * @packageDocumentation
 */
import { concat } from "../../../bytes/chunk.ts";
import { toHex } from "../../../bytes/hex.ts";
import type { OpenRequest } from "../../../refs/ref-store.ts";
import { graceTimeOf, pastBeginning } from "../../../refs/grace-period.ts";
import { KEPT_VALUES_TIME } from "../../../refs/maintenance-store.ts";
import type { RepositoryRow } from "./repository.ts";
import { blobAt, firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

/** The most rows of the log that one look reads. In a busier minute, the older values are forgotten sooner. */
const MOST_ROWS = 10_000;

/** Earlier values of refs. */
export type RecentValues = {
  /** The last value that each ref had before it was moved or deleted, by name, in hex. */
  readonly byName: ReadonlyMap<string, string>;
  /** All those values as raw oids, concatenated. */
  readonly oids: Uint8Array;
};

const isOid = (oid: Uint8Array): boolean => oid.some((byte) => byte !== 0);

/** The most values of the past that a walk keeps. Of a repository with more, older ones are forgotten sooner. */
const MOST_PAST_VALUES = 500_000;

/**
 * Returns the values that refs lost after an instant, other than forward, newest first. Values that were lost forward are
 * reached by what came after them.
 */
function pastValues(db: SqlDatabase, since: number): Uint8Array[] {
  const rows = db.rows(
    `SELECT DISTINCT l.old FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE p.at > ? AND l.forward = 0
      ORDER BY l.seq DESC LIMIT ?`,
    since,
    MOST_PAST_VALUES,
  );
  return Array.from(rows, (row) => blobAt(row, 0)).filter((oid) => isOid(oid));
}

/**
 * Returns the instant at which the repository forgets the oldest of the values that its past shows and that refs lost other
 * than forward; `undefined` if there is none, or if values count that it does not show. Until then a walk finds what
 * the last one found, as long as no ref moves.
 */
export function pastHoldsUntil(db: SqlDatabase, record: RepositoryRow["record"], now: number): number | undefined {
  const past = pastBeginning(record, now);
  // What refs were just before the past began is kept for minutes only.
  if (past === undefined || past > now - KEPT_VALUES_TIME) return undefined;
  const row = firstRow(
    db.rows(
      `SELECT min(p.at) FROM pushes p JOIN ref_log l ON l.push = p.seq
        WHERE p.at > ? AND l.forward = 0 AND l.old <> zeroblob(length(l.old))`,
      past,
    ),
  );
  if (row === undefined || row[0] === null) return undefined;
  // Walks take the values that were shown a little while ago, too.
  return integerAt(row, 0) + graceTimeOf(record) + KEPT_VALUES_TIME;
}

/**
 * Returns the values that refs lost to moves after the requested instant, newest first; `undefined` if none were asked
 * for. Moves up to the place in the log from which on values may be wanted are left out. With `keptValues`, the values
 * that the repository shows as its past are added.
 */
export function recentValuesOf(
  db: SqlDatabase,
  { recentSince: since, keptValues }: Pick<OpenRequest, "recentSince" | "keptValues">,
  { recentAfter: forgotten, record }: Pick<RepositoryRow, "recentAfter" | "record">,
): RecentValues | undefined {
  if (since === undefined) return undefined;
  const byName = new Map<string, string>();
  const oids: Uint8Array[] = [];
  const rows = db.rows(
    `SELECT l.name, l.old, p.at FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE l.seq > ? ORDER BY l.seq DESC LIMIT ?`,
    forgotten,
    MOST_ROWS,
  );
  for (const row of rows) {
    // Rows are in the order of their age, so nothing older than this is read.
    if (integerAt(row, 2) < since) break;
    const name = textAt(row, 0);
    const old = blobAt(row, 1);
    if (!isOid(old)) continue;
    oids.push(old);
    if (!byName.has(name)) byName.set(name, toHex(old));
  }
  // The period of what is shown is counted from the instant that is asked for, and so is kept a little longer.
  const past = keptValues === true ? pastBeginning(record, since) : undefined;
  if (past !== undefined) oids.push(...pastValues(db, past));
  return { byName, oids: concat(oids) };
}
