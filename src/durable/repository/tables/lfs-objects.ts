/**
 * Tables `lfs_objects` and `lfs_sums`: the Git LFS objects that the repository has, and those that are being uploaded to
 * it. An object is there once `until` is null. Before, it is the time up to which its bytes are waited for. `home` is
 * the tenant under which the bucket has them: it stays when a repository goes to another tenant.
 *
 * `unnamed` tells since when no pointer names an object that is there, and is null once one is known to. Until a look
 * has judged the object it is less than 0: the time since which nothing is known, negated. It is 0 for objects of earlier
 * builds. An object leaves only when its grace period has passed since a look found it without a pointer: one that nothing had
 * looked at may have had a pointer until a moment ago. `asked` is when an upload last asked for the object, and 0 once its
 * pointer has come.
 *
 * @packageDocumentation
 */
import {
  ANNOUNCED_TIME,
  type LeavingObject,
  type LfsObject,
  type LfsOutcome,
  type SharedLfsObject,
} from "../../../refs/lfs-store.ts";
import type { LfsLookReport } from "../../../refs/maintenance-store.ts";
import { firstRow, integerAt, jsonChunks, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const LFS_OBJECTS_DDL = `CREATE TABLE IF NOT EXISTS lfs_objects (
  oid TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  home TEXT NOT NULL,
  until INTEGER,
  asked INTEGER NOT NULL DEFAULT 0,
  unnamed INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lfs_objects_until ON lfs_objects (until) WHERE until IS NOT NULL;
CREATE INDEX IF NOT EXISTS lfs_objects_unnamed ON lfs_objects (unnamed) WHERE unnamed IS NOT NULL;
CREATE TABLE IF NOT EXISTS lfs_sums (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  bytes INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  announced INTEGER NOT NULL
)`;

/** An object is not noted again as asked for within this time. Milliseconds. */
const ASKED_PAUSE = 60 * 60_000;

/** The sums over a repository's objects. */
export type LfsSums = {
  /** Bytes, and number, of the objects that are there. */
  readonly bytes: number;
  readonly objects: number;
  /** The number of those that are waited for. */
  readonly announced: number;
};

/** Returns the sums. */
export function readLfsSums(db: SqlDatabase): LfsSums {
  const row = firstRow(db.rows("SELECT bytes, objects, announced FROM lfs_sums"));
  if (row === undefined) return { bytes: 0, objects: 0, announced: 0 };
  return { bytes: integerAt(row, 0), objects: integerAt(row, 1), announced: integerAt(row, 2) };
}

function addToSums(db: SqlDatabase, { bytes, objects, announced }: LfsSums): void {
  db.run(
    `INSERT INTO lfs_sums (one, bytes, objects, announced) VALUES (1, ?1, ?2, ?3)
      ON CONFLICT (one) DO UPDATE SET bytes = bytes + ?1, objects = objects + ?2, announced = announced + ?3`,
    bytes,
    objects,
    announced,
  );
}

/** Returns those of the objects that are there or waited for at `now`, by their names. */
export function readLfsObjects(db: SqlDatabase, oids: readonly string[], now: number): Map<string, LfsOutcome> {
  const found = new Map<string, LfsOutcome>();
  for (const chunk of jsonChunks(oids)) {
    const sql = `SELECT o.oid, o.size, o.home, o.until FROM json_each(?) j JOIN lfs_objects o ON o.oid = j.value
      WHERE o.until IS NULL OR o.until > ?`;
    for (const row of db.rows(sql, chunk, now)) {
      const home = textAt(row, 2);
      const isThere = row[3] === null;
      found.set(
        textAt(row, 0),
        isThere
          ? { kind: "stored", size: integerAt(row, 1), home }
          : { kind: "announced", size: integerAt(row, 1), home },
      );
    }
  }
  return found;
}

/**
 * Returns the bytes of all objects that are waited for, and of those whose time is up until they are swept. It reads
 * their rows, which `MOST_ANNOUNCED` bounds.
 */
export function sumAnnouncedBytes(db: SqlDatabase): number {
  // Sizes are what clients say: their sum may be beyond an integer.
  const sum = `SELECT CAST(min(total(size), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) FROM lfs_objects WHERE until IS NOT NULL`;
  const row = firstRow(db.rows(sum));
  return row === undefined ? 0 : integerAt(row, 0);
}

/** Returns the announced sizes of those of the objects that are waited for, or were and are not swept yet. */
export function readAnnouncedSizes(db: SqlDatabase, oids: readonly string[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const chunk of jsonChunks(oids)) {
    const sql = `SELECT o.oid, o.size FROM json_each(?) j JOIN lfs_objects o ON o.oid = j.value
      WHERE o.until IS NOT NULL`;
    for (const row of db.rows(sql, chunk)) sizes.set(textAt(row, 0), integerAt(row, 1));
  }
  return sizes;
}

/** Announces objects that are not there. One that is announced already keeps its home, and gets more time. */
export function announceLfsObjects(db: SqlDatabase, objects: readonly LfsObject[], home: string, now: number): void {
  const until = now + ANNOUNCED_TIME;
  let fresh = 0;
  for (const chunk of jsonChunks(objects.map(({ oid, size }) => [oid, size]))) {
    const known = "SELECT count(*) FROM json_each(?) j JOIN lfs_objects o ON o.oid = j.value ->> 0";
    const row = firstRow(db.rows(`SELECT json_array_length(?1) - (${known.replace("?", "?1")})`, chunk));
    fresh += row === undefined ? 0 : integerAt(row, 0);
    db.run(
      `INSERT INTO lfs_objects (oid, size, home, until, asked, unnamed)
        SELECT value ->> 0, value ->> 1, ?2, ?3, ?4, -?4 FROM json_each(?1) WHERE true
        ON CONFLICT (oid) DO UPDATE SET size = excluded.size, until = excluded.until, asked = excluded.asked
        WHERE until IS NOT NULL`,
      chunk,
      home,
      until,
      now,
    );
  }
  addToSums(db, { bytes: 0, objects: 0, announced: fresh });
}

/**
 * Notes that an upload asks for objects that are there: their pointers may be about to come. It is written once in a while.
 */
export function askForLfsObjects(db: SqlDatabase, oids: readonly string[], now: number): void {
  for (const chunk of jsonChunks(oids)) {
    db.run(
      `UPDATE lfs_objects SET asked = ?2, unnamed = iif(unnamed < 0, -?2, iif(unnamed IS NULL, NULL, ?2))
        WHERE oid IN (SELECT value FROM json_each(?1)) AND until IS NULL AND asked < ?2 - ${ASKED_PAUSE}`,
      chunk,
      now,
    );
  }
}

/** Notes that pointers of these objects have come, with a push all of which is reached. */
export function nameLfsObjects(db: SqlDatabase, oids: readonly string[]): void {
  for (const chunk of jsonChunks(oids)) {
    db.run(
      `UPDATE lfs_objects SET asked = 0, unnamed = NULL
        WHERE oid IN (SELECT value FROM json_each(?)) AND until IS NULL AND (asked <> 0 OR unnamed IS NOT NULL)`,
      chunk,
    );
  }
}

/** Returns since when the object that is longest without a known pointer has none; `undefined` if all have one. */
export function longestUnnamed(db: SqlDatabase): number | undefined {
  // Each of the two is one end of a stretch of the index.
  const judged = "SELECT min(unnamed) AS since FROM lfs_objects WHERE unnamed >= 0 AND until IS NULL";
  const unjudged = "SELECT -max(unnamed) FROM lfs_objects WHERE unnamed < 0 AND until IS NULL";
  const row = firstRow(db.rows(`SELECT min(since) FROM (${judged} UNION ALL ${unjudged})`));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}

/** Notes which objects of a stretch have pointers, and which have none. */
export function settleNamed(
  db: SqlDatabase,
  { from, upTo, since, unnamed }: Pick<LfsLookReport, "from" | "upTo" | "since" | "unnamed">,
  now: number,
): void {
  const list = JSON.stringify(unnamed);
  db.run(
    `UPDATE lfs_objects SET unnamed = NULL WHERE oid > ? AND oid <= ? AND until IS NULL AND abs(unnamed) < ?
      AND oid NOT IN (SELECT value FROM json_each(?))`,
    from,
    upTo,
    since,
    list,
  );
  db.run(
    `UPDATE lfs_objects SET unnamed = ? WHERE oid IN (SELECT value FROM json_each(?)) AND until IS NULL
      AND coalesce(unnamed, 0) <= 0`,
    now,
    list,
  );
}

/**
 * Takes those of the objects off that have had no pointer since `before`, or at all if that is absent, and for which no
 * upload has asked since `askedBefore`.
 */
export function takeUnnamed(
  db: SqlDatabase,
  unnamed: readonly string[],
  { before, askedBefore }: { readonly before: number | undefined; readonly askedBefore: number },
): Omit<LeavingObject, "id">[] {
  const sql = `DELETE FROM lfs_objects WHERE oid IN (SELECT value FROM json_each(?)) AND until IS NULL
    AND asked <= ? AND unnamed <= ? RETURNING oid, home, size`;
  const rows = db.rows(sql, JSON.stringify(unnamed), askedBefore, before ?? Number.MAX_SAFE_INTEGER);
  let bytes = 0;
  const taken = Array.from(rows, (row) => {
    bytes += integerAt(row, 2);
    return { oid: textAt(row, 0), home: textAt(row, 1) };
  });
  if (taken.length > 0) addToSums(db, { bytes: -bytes, objects: -taken.length, announced: 0 });
  return taken;
}

/** Takes an object whose bytes are there now. It has to be announced. */
export function keepLfsObject(db: SqlDatabase, { oid, size }: LfsObject, now: number): void {
  db.run("UPDATE lfs_objects SET size = ?, until = NULL, unnamed = ? WHERE oid = ?", size, -now, oid);
  addToSums(db, { bytes: size, objects: 1, announced: -1 });
}

/** Returns up to `limit` objects that are there, by name, after `after`. */
export function listLfsObjects(db: SqlDatabase, after: string, limit: number): SharedLfsObject[] {
  const sql = "SELECT oid, size, home FROM lfs_objects WHERE oid > ? AND until IS NULL ORDER BY oid LIMIT ?";
  return Array.from(db.rows(sql, after, limit), (row) => ({
    oid: textAt(row, 0),
    size: integerAt(row, 1),
    home: textAt(row, 2),
  }));
}

/** Takes announced objects off whose time is up at `now`, at most `limit`. */
export function takeExpiredLfs(db: SqlDatabase, now: number, limit: number): Omit<LeavingObject, "id">[] {
  const sql = `DELETE FROM lfs_objects WHERE oid IN (SELECT oid FROM lfs_objects WHERE until <= ? ORDER BY until LIMIT ?)
    RETURNING oid, home`;
  const expired = Array.from(db.rows(sql, now, limit), (row) => ({ oid: textAt(row, 0), home: textAt(row, 1) }));
  if (expired.length > 0) addToSums(db, { bytes: 0, objects: 0, announced: -expired.length });
  return expired;
}

/** Returns when the time of the next announced object is up; `undefined` if none is waited for. */
export function nextLfsExpiry(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(until) FROM lfs_objects WHERE until IS NOT NULL"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}
