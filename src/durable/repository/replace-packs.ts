/**
 * Replaces packs by others in one transaction, which moves no ref. It is done in full or not at all.
 *
 * @packageDocumentation
 */
import type { FoundReachable, ReplacePacksAnswer, ReplacePacksRequest } from "../../refs/pack-catalog.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { dropTwin, landTwin } from "./clone-twins.ts";
import { dropLayers } from "./graph-layers.ts";
import { dropMultiPackIndex, landMultiPackIndex } from "./multi-pack-indexes.ts";
import { deleteLease, endReplaced, hasLease, insertReplaced, LEASE_TIME } from "./tables/leases.ts";
import {
  areAnyBorrowed,
  changeLoans,
  endDemandedLeases,
  insertKept,
  isAnyDemanded,
  writeLending,
} from "./tables/forks.ts";
import { dropObjects } from "./tables/kept-objects.ts";
import { readLfsSums } from "./tables/lfs-objects.ts";
import { noteCruft, noteDropped, notePurged } from "./tables/maintenance.ts";
import { forgetNewest, insertBitmap } from "./tables/pack-bitmaps.ts";
import {
  countPacks,
  cruftBefore,
  deletePacks,
  inheritMarks,
  insertPack,
  leaveUnordered,
  markPacks,
  markWithAllRefs,
  unmarkPacks,
} from "./tables/packs.ts";
import { bumpCatalogVersion, forgetPast, forgetRecentValues, readRepository } from "./tables/repository.ts";

/** Removes packs from the catalog. When their leases end, the alarm deletes their files. */
export function retirePacks(db: SqlDatabase, names: readonly string[], until: number): void {
  for (const name of deletePacks(db, names)) insertReplaced(db, name, until);
}

function setMarks(db: SqlDatabase, { marks, unmarks }: FoundReachable): void {
  unmarkPacks(db, unmarks);
  for (const { pack, ref } of marks) {
    if (ref === undefined) markWithAllRefs(db, [pack]);
    else markPacks(db, [pack], [ref]);
  }
}

/** Has everything deleted that no ref reaches, and what was replaced before. Forks give back what they don't reach. */
function purge(db: SqlDatabase, now: number): void {
  forgetRecentValues(db);
  forgetPast(db, now);
  retirePacks(db, cruftBefore(db, Number.POSITIVE_INFINITY), now);
  dropTwin(db, now);
  dropObjects(db);
  endReplaced(db, now);
  writeLending(db, { purge: "begins", purgeAt: now, purgeBegan: now, waiting: 0 });
  // Not when its step ends: a purge may be asked for during a walk that is none.
  notePurged(db, readLfsSums(db).objects > 0);
}

/** Answers lenders that want packs back: those that were replaced go at once, and those that are `kept` stay. */
function settleDemands(db: SqlDatabase, id: string, kept: readonly string[], now: number): void {
  if (!isAnyDemanded(db)) return;
  // The walk has left out what refs were lately.
  forgetRecentValues(db);
  forgetPast(db, now);
  endDemandedLeases(db, now);
  insertKept(db, id, kept, now);
  changeLoans(db, kept, ["demanded"], "own");
}

/** Whether objects that no ref reaches are lost for good: this is a purge, or packs are given back to their lender. */
function losesForGood(db: SqlDatabase, { replaced, found }: ReplacePacksRequest): boolean {
  return found?.purges === true || areAnyBorrowed(db, replaced);
}

/** Notes what becomes of objects that no ref reaches: they go into a cruft pack, or are lost for good. */
function noteLoss(db: SqlDatabase, request: ReplacePacksRequest, version: number, now: number): void {
  if (request.added.some(({ source }) => source === "cruft")) noteCruft(db, version);
  if (!losesForGood(db, request)) return;
  noteDropped(db, version);
  dropTwin(db, now);
}

/** Takes in what was written beside packs, or found out about one. Returns false if the packs are not there any more. */
function landFiles(
  db: SqlDatabase,
  { bitmap, twin, multiPackIndex, unordered }: ReplacePacksRequest,
  moment: { readonly now: number; readonly version: number },
): boolean {
  if (bitmap !== undefined) {
    if (countPacks(db, [bitmap.pack]) === 0) return false;
    // What a new bundle has may be what others lacked.
    if (bitmap.size.tips !== undefined) forgetNewest(db, { isOpen: bitmap.size.bytes === 0 });
    insertBitmap(db, bitmap.pack, bitmap.size);
  }
  if (unordered !== undefined) {
    if (countPacks(db, [unordered]) === 0) return false;
    leaveUnordered(db, unordered);
  }
  if (multiPackIndex !== undefined && !landMultiPackIndex(db, multiPackIndex, moment)) return false;
  return twin === undefined || landTwin(db, twin, moment.now);
}

/** Replaces packs. `now` is in milliseconds since the epoch. */
export function replacePacks(db: SqlDatabase, request: ReplacePacksRequest, now: number): ReplacePacksAnswer {
  const { id, added, replaced, found } = request;
  return db.transaction(() => {
    const row = readRepository(db);
    if (row?.record.id !== id) return { kind: "gone" };
    if (found !== undefined && found.version !== row.version) return { kind: "stale" };
    const areLeased = added.every(({ name }) => hasLease(db, name, now));
    if (!areLeased || countPacks(db, replaced) !== replaced.length) return { kind: "stale" };
    if (!landFiles(db, request, { now, version: row.version + 1 })) return { kind: "stale" };
    for (const pack of added) {
      insertPack(db, { ...pack, marked: false });
      deleteLease(db, pack.name);
    }
    if (found === undefined) {
      inheritMarks(
        db,
        added.map(({ name }) => name),
        replaced,
      );
    } else {
      setMarks(db, found);
    }
    retirePacks(db, replaced, now + LEASE_TIME);
    if (replaced.length > 0) forgetNewest(db);
    dropMultiPackIndex(db, replaced, now + LEASE_TIME, row.version + 1);
    bumpCatalogVersion(db);
    noteLoss(db, request, row.version + 1, now);
    if (found !== undefined) {
      dropLayers(db, { kept: found.keptGraphs, version: row.version + 1, forGood: losesForGood(db, request) }, now);
      settleDemands(db, id, found.kept, now);
    }
    if (found?.purges === true) purge(db, now);
    return { kind: "done" };
  });
}
