/**
 * The settings by which the objects of a push are checked: git's own checks, and the rules about Git LFS.
 *
 * @packageDocumentation
 */
import type { FsckSettings } from "../../refs/fsck-settings.ts";
import type { LfsRules } from "../../refs/lfs-rules.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { changeFsckSettings, readFsckSettings } from "./tables/fsck-settings.ts";
import { changeLfsRules, readLfsRules } from "./tables/lfs-rules.ts";

/** Reads the settings. */
export function readPushChecks(db: SqlDatabase): { readonly fsck: FsckSettings; readonly lfs: LfsRules } {
  return { fsck: readFsckSettings(db), lfs: readLfsRules(db) };
}

/** Changes the given settings. */
export function changePushChecks(
  db: SqlDatabase,
  { fsck, lfs }: { readonly fsck?: Partial<FsckSettings>; readonly lfs?: Partial<LfsRules> },
): void {
  changeFsckSettings(db, fsck);
  changeLfsRules(db, lfs);
}
