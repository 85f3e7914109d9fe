/**
 * Changes the settings of a repository, and what depends on them.
 *
 * @packageDocumentation
 */
import type { DescribedRepository } from "../../refs/ref-store.ts";
import type { SettingsChange } from "../../refs/repository-settings.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { changePushChecks } from "./push-checks.ts";
import { noteDoubt } from "./tables/maintenance.ts";
import { refLogEnds } from "./tables/ref-log.ts";
import { replaceRules } from "./tables/ref-rules.ts";
import { markPublic, updateSettings } from "./tables/repository.ts";

/** Changes the given settings, as a part of the caller's transaction. `now` is in milliseconds since the epoch. */
export function changeSettings(
  db: SqlDatabase,
  before: DescribedRepository,
  change: SettingsChange,
  now: number,
): void {
  updateSettings(db, change, now);
  if (change.graceDays !== undefined || change.showsPast !== undefined) noteDoubt(db, now);
  changePushChecks(db, change);
  if (before.visibility === "private" && change.visibility === "public") {
    markPublic(db, { seq: refLogEnds(db).newest, at: now });
  }
  if (change.rules !== undefined) replaceRules(db, change.rules);
}
