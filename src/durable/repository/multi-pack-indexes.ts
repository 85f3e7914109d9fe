/**
 * The multi-pack index of a repository: takes in the one that was made, and gives it up when one of its packs leaves the
 * catalog. The job that writes the derived files puts it in its place, or takes it away, since it lies where git looks for it.
 *
 * @packageDocumentation
 */
import type { LastMultiPackIndex, MadeMultiPackIndex } from "../../catalog/multi-pack-plan.ts";
import type { OpenSnapshot } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteLease, hasLease, insertReplaced } from "./tables/leases.ts";
import { readMultiPackIndex, writeMultiPackRow } from "./tables/multi-pack-index.ts";
import { countPacks } from "./tables/packs.ts";
import type { RepositoryRow } from "./tables/repository.ts";

/** A moment: milliseconds since the epoch, and the version of the catalog that begins. */
type Moment = { readonly now: number; readonly version: number };

/** Returns what the plan needs to know of the index that was made last; `undefined` if none was. */
export function lastMultiPackIndex(db: SqlDatabase): LastMultiPackIndex | undefined {
  const row = readMultiPackIndex(db);
  return row && { objects: row.objects, at: row.madeAt, isGivenUp: row.name === undefined };
}

/** Returns what the derived files' job has to do about the index: see `OpenSnapshot`. */
export function changedMultiPackIndex(
  db: SqlDatabase,
  { derivedVersion }: Pick<RepositoryRow, "derivedVersion">,
): Pick<OpenSnapshot, "multiPackIndex"> {
  const row = readMultiPackIndex(db);
  if (row === undefined || row.version <= derivedVersion) return {};
  return { multiPackIndex: row.name === undefined ? {} : { name: row.name } };
}

/** Takes an index in. Returns false if its lease has ended, or if one of its packs is not in the catalog any more. */
export function landMultiPackIndex(db: SqlDatabase, made: MadeMultiPackIndex, { now, version }: Moment): boolean {
  const { name } = made;
  if ((name !== undefined && !hasLease(db, name, now)) || countPacks(db, made.packs) !== made.packs.length)
    return false;
  const before = readMultiPackIndex(db);
  // Whoever publishes the earlier one at this moment still reads it.
  if (before?.name !== undefined) insertReplaced(db, before.name, now + GRACE);
  if (name !== undefined) deleteLease(db, name);
  writeMultiPackRow(db, { ...made, madeAt: now, version });
  return true;
}

/** Gives the index up if it names one of these packs, which leave the catalog. Its file goes when theirs do. */
export function dropMultiPackIndex(db: SqlDatabase, packs: readonly string[], until: number, version: number): void {
  const row = readMultiPackIndex(db);
  if (row?.name === undefined) return;
  const leaving = new Set(packs);
  if (!row.packs.some((pack) => leaving.has(pack))) return;
  insertReplaced(db, row.name, until);
  const { name: _, ...rest } = row;
  writeMultiPackRow(db, { ...rest, version });
}

/** How long the file of an index stays that another one follows. Milliseconds. */
const GRACE = 60 * 60_000;
