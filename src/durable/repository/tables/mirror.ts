/**
 * Table `mirror`: the one row of a repository that follows an upstream.
 *
 * @packageDocumentation
 */
import {
  type LeftOut,
  type MirrorHook,
  type MirrorLfs,
  type MirrorSettings,
  NO_MIRROR_LFS,
  type SealedSecret,
  type Slice,
} from "../../../refs/mirror-store.ts";
import type { MirrorSummary } from "../../../refs/ref-store.ts";
import {
  blobAt,
  firstRow,
  integerAt,
  SQL_VALUE_LIMIT,
  textAt,
  type SqlDatabase,
  type SqlRow,
} from "../../sql/sql-database.ts";

export const MIRROR_DDL = `CREATE TABLE IF NOT EXISTS mirror (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  upstream TEXT NOT NULL,
  interval INTEGER NOT NULL,
  fetch_through INTEGER NOT NULL,
  refspecs TEXT NOT NULL,
  policy TEXT NOT NULL,
  fsck_ignore TEXT NOT NULL,
  fsck_skip TEXT NOT NULL,
  slice_anchors BLOB,
  slice_packs TEXT,
  login_key TEXT,
  login TEXT,
  hook_key TEXT,
  hook TEXT,
  last_attempt INTEGER,
  last_sync INTEGER,
  last_change INTEGER,
  last_error TEXT,
  failures INTEGER NOT NULL,
  next_sync INTEGER,
  asked INTEGER NOT NULL,
  running TEXT,
  running_until INTEGER,
  bytes INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  progress TEXT,
  left_out TEXT,
  lfs TEXT
)`;

/** The row. Times are in milliseconds since the epoch. */
export type MirrorRow = {
  readonly settings: MirrorSettings;
  readonly login: SealedSecret | undefined;
  readonly hook: SealedSecret | undefined;
  readonly slice: Slice | undefined;
  readonly lastAttempt: number | undefined;
  readonly lastSync: number | undefined;
  readonly lastChange: number | undefined;
  readonly lastError: string | undefined;
  readonly failures: number;
  readonly nextSync: number | undefined;
  /** Whether a sync has been asked for since the last one began. */
  readonly asked: boolean;
  /** The name of the pack under the running sync's lease, and when that sync is taken for dead. */
  readonly running: string | undefined;
  readonly runningUntil: number | undefined;
  readonly bytes: number;
  readonly objects: number;
  readonly progress: string | undefined;
  /** The refs that the last sync could not take. */
  readonly leftOut: LeftOut | undefined;
  /** How far the objects of Git LFS have come; `undefined` where they come by request. */
  readonly lfs: MirrorLfs | undefined;
};

const COLUMNS = `upstream, interval, refspecs, policy, login_key, login, last_attempt, last_sync, last_change, last_error,
  failures, next_sync, asked, running, running_until, bytes, objects, progress, hook_key, hook, fsck_ignore, fsck_skip, fetch_through, slice_anchors,
  slice_packs, left_out, lfs`;

function optionalInteger(row: SqlRow, column: number): number | undefined {
  return row[column] === null ? undefined : integerAt(row, column);
}

function optionalText(row: SqlRow, column: number): string | undefined {
  return row[column] === null ? undefined : textAt(row, column);
}

function policyAt(row: SqlRow, column: number): MirrorSettings["policy"] {
  const policy = textAt(row, column);
  return policy === "keep" || policy === "stop" ? policy : "follow";
}

/** Reads a column of words, one per line. */
function wordsAt(row: SqlRow, column: number): string[] {
  const text = textAt(row, column);
  return text === "" ? [] : text.split("\n");
}

/** Reads a sealed secret: the key's name, and the data from the next column. */
function secretAt(row: SqlRow, column: number): SealedSecret | undefined {
  const key = optionalText(row, column);
  return key === undefined ? undefined : { key, data: textAt(row, column + 1) };
}

/** Reads a slice: the anchors, and the packs from the next column. */
function sliceAt(row: SqlRow, column: number): Slice | undefined {
  if (row[column] === null) return undefined;
  const packs = optionalText(row, column + 1);
  return { anchors: blobAt(row, column), packs: packs?.split("\n") };
}

function leftOutAt(row: SqlRow, column: number): LeftOut | undefined {
  const text = optionalText(row, column);
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- writeMirror wrote it, and nothing else does
  return text === undefined ? undefined : (JSON.parse(text) as LeftOut);
}

function lfsAt(row: SqlRow, column: number): MirrorLfs | undefined {
  const text = optionalText(row, column);
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- this file wrote it, and nothing else does
  return text === undefined ? undefined : (JSON.parse(text) as MirrorLfs);
}

/** Notes how far the objects of Git LFS have come, of a mirror that takes all. */
export function noteMirrorLfs(db: SqlDatabase, progress: MirrorLfs): void {
  db.run("UPDATE mirror SET lfs = ? WHERE lfs IS NOT NULL", JSON.stringify(progress));
}

/** Reads the row; `undefined` if the repository is no mirror. */
export function readMirror(db: SqlDatabase): MirrorRow | undefined {
  const row = firstRow(db.rows(`SELECT ${COLUMNS} FROM mirror`));
  if (row === undefined) return undefined;
  return {
    settings: {
      upstream: textAt(row, 0),
      interval: integerAt(row, 1),
      fetchThrough: integerAt(row, 22),
      refspecs: textAt(row, 2).split("\n"),
      policy: policyAt(row, 3),
      lfs: row[26] === null ? "requests" : "all",
      fsck: { ignore: wordsAt(row, 20), skip: wordsAt(row, 21) },
    },
    login: secretAt(row, 4),
    hook: secretAt(row, 18),
    slice: sliceAt(row, 23),
    lastAttempt: optionalInteger(row, 6),
    lastSync: optionalInteger(row, 7),
    lastChange: optionalInteger(row, 8),
    lastError: optionalText(row, 9),
    failures: integerAt(row, 10),
    nextSync: optionalInteger(row, 11),
    asked: integerAt(row, 12) === 1,
    running: optionalText(row, 13),
    runningUntil: optionalInteger(row, 14),
    bytes: integerAt(row, 15),
    objects: integerAt(row, 16),
    progress: optionalText(row, 17),
    leftOut: leftOutAt(row, 25),
    lfs: lfsAt(row, 26),
  };
}

/** Reads what every reader of the repository may see of the mirror. */
export function readMirrorSummary(db: SqlDatabase): MirrorSummary | undefined {
  const row = firstRow(db.rows("SELECT upstream, interval, last_sync, fetch_through FROM mirror"));
  if (row === undefined) return undefined;
  const syncedAt = optionalInteger(row, 2);
  return {
    upstream: textAt(row, 0),
    interval: integerAt(row, 1),
    ...(integerAt(row, 3) === 0 ? {} : { fetchThrough: integerAt(row, 3) }),
    ...(syncedAt === undefined ? {} : { syncedAt }),
  };
}

/** Reads the secret that webhooks are checked with, and nothing else: anybody may cause this read. */
export function readMirrorHook(db: SqlDatabase): MirrorHook | undefined {
  const row = firstRow(db.rows("SELECT r.id, m.hook_key, m.hook FROM repository r JOIN mirror m"));
  const secret = row === undefined ? undefined : secretAt(row, 1);
  return row === undefined || secret === undefined ? undefined : { id: textAt(row, 0), secret };
}

/** Returns the most bytes that the long columns may take. A UTF-16 unit may take three. */
function longBytes({ settings, slice, login, lastError, lfs }: MirrorRow): number {
  const texts = [
    settings.upstream,
    settings.refspecs,
    settings.fsck.skip,
    login?.data,
    lastError,
    slice?.packs,
    lfs?.looked,
  ];
  const letters = texts.reduce((sum, text) => sum + (text === undefined ? 0 : String(text).length), 0);
  // Between slices there is nothing to measure.
  return letters * 3 + (slice?.anchors.length ?? 0);
}

/** Replaces the whole row. */
export function writeMirror(db: SqlDatabase, row: MirrorRow): void {
  if (longBytes(row) > SQL_VALUE_LIMIT) throw new RangeError("a mirror's settings are too long for a row");
  const { settings, login, slice } = row;
  const values: readonly (string | number | Uint8Array | undefined)[] = [
    settings.upstream,
    settings.interval,
    settings.refspecs.join("\n"),
    settings.policy,
    login?.key,
    login?.data,
    row.lastAttempt,
    row.lastSync,
    row.lastChange,
    row.lastError,
    row.failures,
    row.nextSync,
    Number(row.asked),
    row.running,
    row.runningUntil,
    row.bytes,
    row.objects,
    row.progress,
    row.hook?.key,
    row.hook?.data,
    settings.fsck.ignore.join("\n"),
    settings.fsck.skip.join("\n"),
    settings.fetchThrough,
    slice?.anchors,
    slice?.packs?.join("\n"),
    row.leftOut === undefined ? undefined : JSON.stringify(row.leftOut),
    settings.lfs === "all" ? JSON.stringify(row.lfs ?? NO_MIRROR_LFS) : undefined,
  ];
  const places = values.map(() => "?").join(", ");
  const sql = `INSERT OR REPLACE INTO mirror (one, ${COLUMNS}) VALUES (1, ${places})`;
  db.run(sql, ...values.map((value) => value ?? null));
}

/** Deletes the row, which makes the mirror an ordinary repository. */
export function deleteMirror(db: SqlDatabase): void {
  db.run("DELETE FROM mirror");
}
