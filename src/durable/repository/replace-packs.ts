/**
 * Replaces packs by others in one transaction, which moves no ref. It is done in full or not at all.
 *
 * @packageDocumentation
 */
import type { ReplacePacksAnswer, ReplacePacksRequest } from "../../refs/pack-catalog.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteLease, hasLease, insertLease, LEASE_TIME } from "./tables/leases.ts";
import { countPacks, deletePacks, inheritMarks, insertPack } from "./tables/packs.ts";
import { bumpCatalogVersion, readRepository } from "./tables/repository.ts";

/** Replaces packs. `now` is in milliseconds since the epoch. */
export function replacePacks(db: SqlDatabase, request: ReplacePacksRequest, now: number): ReplacePacksAnswer {
  const { id, added, replaced } = request;
  return db.transaction(() => {
    if (readRepository(db)?.record.id !== id) return { kind: "gone" };
    const areLeased = added.every(({ name }) => hasLease(db, name, now));
    if (!areLeased || countPacks(db, replaced) !== replaced.length) return { kind: "stale" };
    for (const pack of added) {
      insertPack(db, { ...pack, marked: false });
      deleteLease(db, pack.name);
    }
    inheritMarks(
      db,
      added.map(({ name }) => name),
      replaced,
    );
    deletePacks(db, replaced);
    // When these leases end, the alarm deletes the files. Until then, readers that began earlier still have them.
    for (const name of replaced) insertLease(db, name, now + LEASE_TIME);
    bumpCatalogVersion(db);
    return { kind: "done" };
  });
}
