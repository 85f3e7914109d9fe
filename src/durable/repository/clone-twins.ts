/**
 * The twin of a repository's catalog: counts clones until one is wanted, takes in the one that was made, and gives it up
 * when the packs that it was made of are not the catalog any more.
 *
 * @packageDocumentation
 */
import { type CloneTwin, type MadeTwin, mayHaveTwin, packSet, TWINS } from "../../catalog/clone-twin.ts";
import type { OpenAnswer } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteTwin, readTwin, writeTwin } from "./tables/clone-twin.ts";
import { deleteLease, hasLease, insertReplaced } from "./tables/leases.ts";
import { listPackSizes } from "./tables/packs.ts";
import { sumTail } from "./tables/tail-packs.ts";

const DAY = 24 * 60 * 60_000;

type SizedPacks = Parameters<typeof mayHaveTwin>[0];

/** Returns the twin of the present catalog, if it has one. The tail is no part of any. */
export function twinOf(db: SqlDatabase): { readonly twin?: CloneTwin } {
  const row = readTwin(db);
  if (row?.twin === undefined || sumTail(db).packs > 0) return {};
  return row.packs === packSet(listPackSizes(db)) ? { twin: row.twin } : {};
}

/** Whether a twin of these packs is to be made. */
export function wantsTwin(db: SqlDatabase, packs: SizedPacks): boolean {
  const row = readTwin(db);
  if (row === undefined || row.twin !== undefined || row.clones < TWINS.clones) return false;
  return row.packs === packSet(packs) && mayHaveTwin(packs);
}

/** Whether there is a twin of other packs than those of the set. */
export function isTwinStale(db: SqlDatabase, set: string): boolean {
  const row = readTwin(db);
  return row?.twin !== undefined && row.packs !== set;
}

/** Gives the twin up, if there is one. The alarm deletes its file at this time, in milliseconds since the epoch. */
export function dropTwin(db: SqlDatabase, until: number): void {
  const row = readTwin(db);
  if (row?.twin === undefined) return;
  insertReplaced(db, row.twin.name, until);
  deleteTwin(db);
}

/**
 * Counts a clone of everything that a snapshot shows. Once the set of packs was cloned often enough, nothing is counted
 * any more. Returns whether a twin is wanted from now on. `now` is in milliseconds since the epoch.
 */
export function noteClone(db: SqlDatabase, answer: OpenAnswer, now: number): boolean {
  if (answer.kind === "missing" || answer.uncoveredTips > 0) return false;
  // With a tail, the set is soon another one: it is not counted, and costs no twin that there is.
  const catalog = listPackSizes(db);
  if (sumTail(db).packs > 0 || !mayHaveTwin(catalog)) return false;
  const packs = packSet(catalog);
  const day = Math.floor(now / DAY);
  const row = readTwin(db);
  const isSame = row?.packs === packs;
  if (isSame && (row.twin !== undefined || row.clones >= TWINS.clones)) return false;
  const clones = isSame && row.day === day ? row.clones + 1 : 1;
  if (!isSame) dropTwin(db, now + TWINS.grace);
  writeTwin(db, { packs, day, clones });
  return clones >= TWINS.clones;
}

/** Takes a twin in. Returns false if it is of other packs than the catalog has, or if its lease has ended. */
export function landTwin(db: SqlDatabase, { name, bytes, packs }: MadeTwin, now: number): boolean {
  const row = readTwin(db);
  if (row?.packs !== packs || row.twin !== undefined) return false;
  if (packs !== packSet(listPackSizes(db)) || !hasLease(db, name, now)) return false;
  deleteLease(db, name);
  writeTwin(db, { ...row, twin: { name, bytes } });
  return true;
}
