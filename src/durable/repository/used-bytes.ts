/**
 * The bytes of a repository that its tenant's bound counts. Whoever adds anything asks for all of them: what one way of adding
 * left out could be stored beyond the bound by it.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../sql/sql-database.ts";
import { readLfsSums } from "./tables/lfs-objects.ts";
import { sumPackBytes } from "./tables/packs.ts";
import { sumUploads } from "./tables/uploads.ts";

/** Returns the bytes beside packs: those of Git LFS objects, of kept blobs, and of all uploads but `except`. */
export function bytesBesidePacks(db: SqlDatabase, except?: string): number {
  return sumUploads(db, except) + readLfsSums(db).bytes;
}

/** Returns all bytes that count. */
export function usedBytes(db: SqlDatabase): number {
  return sumPackBytes(db) + bytesBesidePacks(db);
}
