/**
 * Table `repository`: the one row that exists while there is a repository, with its settings and counters.
 *
 * @packageDocumentation
 */
import type { ObjectFormatName } from "../../../object/object-id.ts";
import { pastBeginning } from "../../../refs/grace-period.ts";
import type { CreateRequest, HiddenRepository, RepositoryRecord, Visibility } from "../../../refs/ref-store.ts";
import type { SettingsChange } from "../../../refs/repository-settings.ts";
import type { LogPlace } from "../../../refs/visible-log.ts";
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, integerAt, SQL_VALUE_LIMIT, textAt, type SqlDatabase, type SqlRow } from "../../sql/sql-database.ts";

export const REPOSITORY_DDL = `CREATE TABLE IF NOT EXISTS repository (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  object_format TEXT NOT NULL,
  visibility TEXT NOT NULL,
  head TEXT NOT NULL,
  description TEXT NOT NULL,
  read_only INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  pushed_at INTEGER,
  version INTEGER NOT NULL,
  derived_version INTEGER NOT NULL,
  derived_job_at INTEGER,
  usage_version INTEGER NOT NULL DEFAULT -1,
  upload_changes INTEGER NOT NULL DEFAULT 0,
  head_chosen INTEGER NOT NULL DEFAULT 0,
  recent_after INTEGER NOT NULL DEFAULT 0,
  public_seq INTEGER,
  public_at INTEGER,
  mirror_seq INTEGER,
  mirror_at INTEGER,
  spelled TEXT,
  grace_days INTEGER,
  past_since INTEGER,
  status_changes INTEGER NOT NULL DEFAULT 0,
  offload_from INTEGER,
  host_signs INTEGER NOT NULL DEFAULT 0
)`;

/** The row, including what readers are not shown. */
export type RepositoryRow = {
  readonly record: Omit<RepositoryRecord, "sizeBytes" | "rules" | "mirror">;
  /** Rises with every change of refs, catalog or HEAD. */
  readonly version: number;
  /** The version from which the derived files were last written; -1 if they never were. */
  readonly derivedVersion: number;
  /** When the job to write them that has not reported yet was sent. Milliseconds since the epoch. */
  readonly derivedJobAt?: number;
  /** Rises with every change of what is stored: packs, and parts of uploads. */
  readonly sizeVersion: number;
  /** The `sizeVersion` that was last reported to the tenant; -1 if a report is due in any case. */
  readonly usageVersion: number;
  /** A place in the ref log: values that refs lost up to there may no longer be wanted. */
  readonly recentAfter: number;
};

function formatAt(row: SqlRow, column: number): ObjectFormatName {
  const name = textAt(row, column);
  if (name === "sha1" || name === "sha256") return name;
  throw new CorruptStore(`object format ${name}`);
}

/** Reads a mark, and in the column behind it the moment; `undefined` where there is none. */
function placeAt(row: SqlRow, column: number): LogPlace | undefined {
  return row[column] === null ? undefined : { seq: integerAt(row, column), at: integerAt(row, column + 1) };
}

function visibilityAt(row: SqlRow, column: number): Visibility {
  return textAt(row, column) === "public" ? "public" : "private";
}

/** Reads the row; `undefined` if there is no repository. */
export function readRepository(db: SqlDatabase): RepositoryRow | undefined {
  const row = firstRow(
    db.rows(`SELECT id, object_format, visibility, head, description,
      read_only OR EXISTS (SELECT 1 FROM mirror), created_at, pushed_at, version, derived_version, derived_job_at,
      usage_version, version + upload_changes, head_chosen, recent_after,
      public_seq, public_at, mirror_seq, mirror_at, spelled, grace_days, past_since, status_changes, offload_from,
      host_signs
      FROM repository`),
  );
  if (row === undefined) return undefined;
  const publicSince = placeAt(row, 15);
  const mirrorSince = placeAt(row, 17);
  return {
    record: {
      id: textAt(row, 0),
      ...(row[19] === null ? {} : { spelled: textAt(row, 19) }),
      objectFormat: formatAt(row, 1),
      visibility: visibilityAt(row, 2),
      head: textAt(row, 3),
      ...(integerAt(row, 13) === 1 ? { headChosen: true } : {}),
      description: textAt(row, 4),
      readOnly: integerAt(row, 5) === 1,
      createdAt: integerAt(row, 6),
      ...(row[7] === null ? {} : { pushedAt: integerAt(row, 7) }),
      ...(publicSince === undefined ? {} : { publicSince }),
      ...(mirrorSince === undefined ? {} : { mirrorSince }),
      ...(row[20] === null ? {} : { graceDays: integerAt(row, 20) }),
      ...(row[21] === null ? {} : { pastSince: integerAt(row, 21) }),
      ...(row[23] === null ? {} : { offloadFrom: integerAt(row, 23) }),
      ...(row[24] === 1 ? { hostSigns: true } : {}),
      ...(row[22] === 0 ? {} : { statusChanges: integerAt(row, 22) }),
    },
    version: integerAt(row, 8),
    derivedVersion: integerAt(row, 9),
    ...(row[10] === null ? {} : { derivedJobAt: integerAt(row, 10) }),
    usageVersion: integerAt(row, 11),
    sizeVersion: integerAt(row, 12),
    recentAfter: integerAt(row, 14),
  };
}

/** Whether the repository is answered as missing: it is private, and the caller may read only public ones. */
export function isHidden({ record }: RepositoryRow, publicOnly = false): boolean {
  return publicOnly && record.visibility !== "public";
}

/** Returns what is remembered of a repository that is answered as missing. */
export function hiddenOf({ record }: RepositoryRow): HiddenRepository {
  const { objectFormat, readOnly, offloadFrom } = record;
  return { objectFormat, readOnly, ...(offloadFrom === undefined ? {} : { offloadFrom }) };
}

/** Makes the row. A repository that holds nothing yet need not be reported to the tenant. */
export function insertRepository(db: SqlDatabase, id: string, request: CreateRequest, now: number): void {
  assertDescription(request.description);
  db.run(
    `INSERT INTO repository (one, id, object_format, visibility, head, description, read_only, created_at, version, derived_version,
      usage_version, head_chosen, spelled) VALUES (1, ?, ?, ?, ?, ?, 0, ?, 0, -1, 0, ?, ?)`,
    id,
    request.objectFormat,
    request.visibility,
    request.head,
    request.description,
    now,
    Number(request.headChosen === true),
    request.spelled ?? null,
  );
}

/** Points HEAD to a branch that nobody chose. HEAD is one of the derived files, so this counts as a new version. */
export function moveHead(db: SqlDatabase, head: string): void {
  db.run("UPDATE repository SET head = ?, head_chosen = 0, version = version + 1", head);
}

/**
 * Forgets the earlier values of refs: a caller that may read the repository only from now on must not get what it was
 * not allowed to read.
 */
export function forgetRecentValues(db: SqlDatabase): void {
  db.run("UPDATE repository SET recent_after = (SELECT coalesce(max(seq), 0) FROM ref_log)");
}

/** Has the repository show its past from now on only, if it does: what was before may be gone. */
export function forgetPast(db: SqlDatabase, now: number): void {
  db.run("UPDATE repository SET past_since = ? WHERE past_since IS NOT NULL", now);
}

/** Has what was before the present grace period stay hidden when a longer one is chosen: it may be gone. */
function endPast(db: SqlDatabase, now: number): void {
  const record = readRepository(db)?.record;
  const beginning = record === undefined ? undefined : pastBeginning(record, now);
  if (beginning !== undefined) db.run("UPDATE repository SET past_since = ?", beginning);
}

/** Changes how long objects are kept, and whether the past is shown. */
function updateGracePeriod(db: SqlDatabase, { graceDays, showsPast }: SettingsChange, now: number): void {
  if (graceDays !== undefined) {
    endPast(db, now);
    db.run("UPDATE repository SET grace_days = ?", graceDays);
  }
  if (showsPast === false) db.run("UPDATE repository SET past_since = NULL");
  if (showsPast === true) db.run("UPDATE repository SET past_since = coalesce(past_since, ?)", now);
}

/** Changes settings. HEAD and the description are derived files, so a change of either counts as a new version. */
export function updateSettings(db: SqlDatabase, change: SettingsChange, now: number): void {
  updateGracePeriod(db, change, now);
  if (change.offloadFrom !== undefined) db.run("UPDATE repository SET offload_from = ?", change.offloadFrom);
  if (change.hostSigns !== undefined) db.run("UPDATE repository SET host_signs = ?", Number(change.hostSigns));
  if (change.description !== undefined) assertDescription(change.description);
  if (change.visibility !== undefined) forgetRecentValues(db);
  db.run(
    `UPDATE repository SET visibility = coalesce(?, visibility), head = coalesce(?, head),
      head_chosen = head_chosen OR ?, description = coalesce(?, description),
      read_only = coalesce(?, read_only), spelled = coalesce(?, spelled), version = version + 1`,
    change.visibility ?? null,
    change.head ?? null,
    Number(change.head !== undefined),
    change.description ?? null,
    change.readOnly === undefined ? null : Number(change.readOnly),
    change.spelled ?? null,
  );
}

/** Notes that the repository becomes public here. */
export function markPublic(db: SqlDatabase, { seq, at }: LogPlace): void {
  db.run("UPDATE repository SET public_seq = ?, public_at = ?", seq, at);
}

/** Notes that the repository begins here to follow an upstream. What it held before is not the mirror's. */
export function markMirror(db: SqlDatabase, { seq, at }: LogPlace): void {
  forgetRecentValues(db);
  db.run("UPDATE repository SET mirror_seq = ?, mirror_at = ?", seq, at);
}

/** Counts a change of refs or catalog. */
export function bumpVersion(db: SqlDatabase, pushedAt: number): void {
  db.run("UPDATE repository SET version = version + 1, pushed_at = ?", pushedAt);
}

/** Counts a change of the catalog without a push. */
export function bumpCatalogVersion(db: SqlDatabase): void {
  db.run("UPDATE repository SET version = version + 1");
}

/** Counts a change of the upload parts in the bucket. They are not part of the catalog, but of what is stored. */
export function noteUploadChange(db: SqlDatabase): void {
  db.run("UPDATE repository SET upload_changes = upload_changes + 1");
}

/** Counts a change of the statuses of commits. They are in no file, and in no pack. */
export function noteStatusChange(db: SqlDatabase): void {
  db.run("UPDATE repository SET status_changes = status_changes + 1");
}

/** Notes that a job to write the derived files is under way. */
export function noteDerivedJob(db: SqlDatabase, now: number): void {
  db.run("UPDATE repository SET derived_job_at = ?", now);
}

/**
 * Notes the version from which the derived files were written. If a newer version was noted, they count as never
 * written: the writer of the older one may have finished after the writer of the newer one.
 */
export function noteDerivedVersion(db: SqlDatabase, version: number): void {
  db.run(
    "UPDATE repository SET derived_job_at = NULL, derived_version = CASE WHEN version = ? THEN ? ELSE -1 END",
    version,
    version,
  );
}

/** Notes the version whose size was reported to the tenant. */
export function noteUsageVersion(db: SqlDatabase, version: number): void {
  db.run("UPDATE repository SET usage_version = ?", version);
}

function assertDescription(description: string): void {
  if (description.length * 3 > SQL_VALUE_LIMIT) throw new RangeError("description too long for a row");
}
