/**
 * Plans when Git LFS objects are looked for that no pointer names any more, and takes what was found out. Most objects
 * are named by the push that follows their upload, and nothing is looked for then.
 *
 * @packageDocumentation
 */
import { graceTimeOf } from "../../refs/grace-period.ts";
import { ANNOUNCED_TIME } from "../../refs/lfs-store.ts";
import type { LfsLookAnswer, LfsLookReport } from "../../refs/maintenance-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { addLeaving } from "./tables/lfs-leaving.ts";
import { longestUnnamed, readLfsSums, settleNamed, takeUnnamed } from "./tables/lfs-objects.ts";
import { type MaintenanceRow, noteLfsLook } from "./tables/maintenance.ts";
import { readMirror } from "./tables/mirror.ts";
import { noteUploadChange, readRepository, type RepositoryRow } from "./tables/repository.ts";

/**
 * Returns when pointers have to be looked for; `undefined` if never. `isSettled`: it is known what the packs hold that no ref
 * reaches, so that a look need not walk. What a mirror's refs were stays readable, and so do its objects.
 */
export function lfsLookDue(
  db: SqlDatabase,
  { record }: Pick<RepositoryRow, "record">,
  { lfsDoubt, lfsPurges }: MaintenanceRow,
  { now, isSettled }: { readonly now: number; readonly isSettled: boolean },
): number | undefined {
  if (readLfsSums(db).objects === 0 || readMirror(db) !== undefined) return undefined;
  if (lfsPurges || (lfsDoubt && isSettled)) return now;
  const since = longestUnnamed(db);
  return since === undefined ? undefined : Math.max(now, since === 0 ? now : since + graceTimeOf(record));
}

/** See `MaintenanceStore.reportLfs`. */
export function settleLfsLook(db: SqlDatabase, report: LfsLookReport, now: number): LfsLookAnswer {
  return db.transaction(() => {
    const row = readRepository(db);
    if (row?.record.id !== report.id) return { kind: "gone" };
    if (row.version !== report.version) return { kind: "stale" };
    settleNamed(db, report, now);
    const gone = takeUnnamed(db, report.unnamed, {
      before: report.purges ? undefined : now - graceTimeOf(row.record),
      askedBefore: now - ANNOUNCED_TIME,
    });
    addLeaving(
      db,
      gone.map((object) => ({ ...object, id: report.id })),
    );
    if (gone.length > 0) noteUploadChange(db);
    if (report.isLast) noteLfsLook(db);
    return { kind: "done" };
  });
}
