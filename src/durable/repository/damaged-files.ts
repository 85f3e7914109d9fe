/**
 * Forgets files that only save work and that a reader has found damaged, so that the next steps of maintenance make them anew.
 *
 * Readers of an earlier catalog may note what has left it meanwhile: only what is a part of it now counts. A file that was made within the last hour stays, so that
 * no file is made again and again where it is not the file that is wrong.
 *
 * @packageDocumentation
 */
import type { DamagedFile } from "../../catalog/damaged-file.ts";
import type { MaintenanceRun } from "../../refs/maintenance-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { forgetLayers } from "./graph-layers.ts";
import { dropMultiPackIndex } from "./multi-pack-indexes.ts";
import { listRuns } from "./tables/maintenance.ts";
import { readMultiPackIndex } from "./tables/multi-pack-index.ts";
import { deleteBitmapOf } from "./tables/pack-bitmaps.ts";
import { bumpCatalogVersion, readRepository } from "./tables/repository.ts";

/** How long a file stays that was just made. Milliseconds. */
const REST_TIME = 60 * 60_000;

/** The step that makes a file anew: that of bitmaps looks after the reverse index, too. */
const STEP_OF = { bitmap: "bitmap", rev: "bitmap", graph: "graph", midx: "midx" } as const satisfies Record<
  DamagedFile["extension"],
  MaintenanceRun["step"]
>;

function forget(db: SqlDatabase, { pack, extension }: DamagedFile, version: number, now: number): boolean {
  if (extension === "graph") return forgetLayers(db, pack, now);
  if (extension !== "midx") return deleteBitmapOf(db, pack, undefined);
  const index = readMultiPackIndex(db);
  if (index?.name !== pack) return false;
  dropMultiPackIndex(db, index.packs, now, version);
  return true;
}

/** A fork does without what is not as it was when it borrowed the pack: only the owner makes such a file anew. */
function forgetOnLoan(db: SqlDatabase, { home, pack, extension }: DamagedFile): boolean {
  return extension === "bitmap" && deleteBitmapOf(db, pack, home);
}

/** Forgets files. Returns whether there were any. `now` is in milliseconds since the epoch. */
export function forgetDamaged(db: SqlDatabase, files: readonly DamagedFile[], now: number): boolean {
  return db.transaction(() => {
    const row = readRepository(db);
    const made = new Set<string>();
    for (const { step, outcome, at } of listRuns(db)) if (outcome === "done" && at > now - REST_TIME) made.add(step);
    let isAny = false;
    for (const file of files) {
      if (row === undefined) continue;
      if (file.home !== row.record.id) isAny = forgetOnLoan(db, file) || isAny;
      else if (!made.has(STEP_OF[file.extension])) isAny = forget(db, file, row.version + 1, now) || isAny;
    }
    if (isAny) bumpCatalogVersion(db);
    return isAny;
  });
}
