/**
 * Tables `pushes` and `ref_log`: who moved which ref, when, and from which value. There is one row per push and one per
 * moved ref, so that a push of 100,000 refs does not repeat its options as often.
 *
 * The transaction that moves the refs writes the rows, and all notices of moves are made from them. Each listener has
 * its own place in the log. So no acknowledged move is lost, and none has to be written once per listener.
 *
 * @packageDocumentation
 */
import { assert } from "../../../bytes/assert.ts";
import { columnChunks, type ColumnRow } from "../../sql/column-chunks.ts";
import { firstRow, integerAt, SQL_VALUE_LIMIT, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const REF_LOG_DDL = `CREATE TABLE IF NOT EXISTS pushes (
  seq INTEGER PRIMARY KEY,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  options TEXT NOT NULL,
  actor_name TEXT
);
CREATE TABLE IF NOT EXISTS ref_log (
  seq INTEGER PRIMARY KEY,
  push INTEGER NOT NULL,
  name TEXT NOT NULL,
  old BLOB NOT NULL,
  new BLOB NOT NULL,
  forward INTEGER NOT NULL
)`;

/**
 * Where the log ended that was emptied last. Numbers go on from there, since they are never used again. SQLite would see to
 * that with `AUTOINCREMENT`, and write a row more for each push and each move.
 */
export const LOG_ENDS_DDL = `CREATE TABLE IF NOT EXISTS log_ends (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  push INTEGER NOT NULL,
  move INTEGER NOT NULL
)`;

const NEWEST_PUSH = "max((SELECT coalesce(max(seq), 0) FROM pushes), coalesce((SELECT push FROM log_ends), 0))";
const NEWEST_MOVE = "max((SELECT coalesce(max(seq), 0) FROM ref_log), coalesce((SELECT move FROM log_ends), 0))";

/** Keeps in mind where the log ends. Must be called before the tables of the log are emptied. */
export function keepLogEnds(db: SqlDatabase): void {
  db.run(`INSERT OR REPLACE INTO log_ends (one, push, move) SELECT 1, ${NEWEST_PUSH}, ${NEWEST_MOVE}`);
}

/** Makes the tables of earlier builds anew, which had SQLite count. Their log may be empty, and have had rows. */
export function countByOurselves(db: SqlDatabase): void {
  db.run(`INSERT OR REPLACE INTO log_ends (one, push, move) SELECT 1,
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'pushes'), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ref_log'), 0)`);
  db.run("ALTER TABLE pushes RENAME TO counted_pushes");
  db.run("ALTER TABLE ref_log RENAME TO counted_ref_log");
  for (const statement of REF_LOG_DDL.split(";")) db.run(statement);
  db.run(`INSERT INTO pushes (seq, actor, at, options, actor_name)
    SELECT seq, actor, at, options, actor_name FROM counted_pushes`);
  db.run(`INSERT INTO ref_log (seq, push, name, old, new, forward)
    SELECT seq, push, name, old, new, forward FROM counted_ref_log`);
  db.run("DROP TABLE counted_pushes");
  db.run("DROP TABLE counted_ref_log");
}

/**
 * One moved ref, with oids in hex; all zeros for none. `forward` is true if the old value is known to be reachable from
 * the new one.
 */
export type RefMove = {
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
  readonly forward: boolean;
};

/** Who moved refs, when, and with which push options. */
export type PushEntry = {
  readonly actor: string;
  /** The name that the actor's token had then. It is absent if no token pushed. */
  readonly actorName?: string;
  readonly at: number;
  readonly options: readonly string[];
};

/** Steps of a move that is noted. */
const NOTE_STEPS = 150;

/**
 * Adds a push and its moves. Returns the push's id. Options too long for a row are left out, and the log says so. Yields the steps of
 * each statement, as a part of the caller's transaction.
 */
export function* appendRefLog(
  db: SqlDatabase,
  entry: PushEntry,
  moves: Iterable<RefMove>,
): Generator<number, number, undefined> {
  const options = JSON.stringify(entry.options);
  const kept = options.length * 3 <= SQL_VALUE_LIMIT ? options : JSON.stringify(["(too long)"]);
  const { actor, actorName = null, at } = entry;
  const newest = firstRow(db.rows(`SELECT ${NEWEST_PUSH}, ${NEWEST_MOVE}`));
  assert(newest !== undefined, "two numbers");
  const push = integerAt(newest, 0) + 1;
  let before = integerAt(newest, 1);
  const sql = "INSERT INTO pushes (seq, actor, at, options, actor_name) VALUES (?, ?, ?, ?, ?)";
  db.run(sql, push, actor, at, kept, actorName);
  const rows = function* (): Generator<ColumnRow> {
    for (const { name, oldOid, newOid, forward } of moves) yield { text: name, names: [oldOid, newOid], flag: forward };
  };
  for (const { texts, count, width, columns, flags } of columnChunks(rows())) {
    db.run(
      `INSERT INTO ref_log (push, seq, name, old, new, forward)
        SELECT ?1, ?2 + key, value, substr(?4, key * ?7 + 1, ?7), substr(?5, key * ?7 + 1, ?7), substr(?6, key + 1, 1) = x'01'
        FROM json_each(?3)`,
      push,
      before + 1,
      texts,
      ...columns,
      flags,
      width,
    );
    before += count;
    yield count * NOTE_STEPS;
  }
  return push;
}

/** A row of the log. `seq` rises with each row and is never used again, even by another repository of the same name. */
export type LoggedMove = RefMove & {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  /** The name that the actor's token had then. It is absent if no token pushed. */
  readonly actorName?: string;
  /** Whether it is the first row of its push. The rows of a push follow each other. */
  readonly first: boolean;
};

/** A row of the log with its push's options. */
export type LoggedPush = LoggedMove & { readonly options: readonly string[] };

const MOVE_COLUMNS = `l.seq, l.name, lower(hex(l.old)), lower(hex(l.new)), l.forward, p.at, p.actor,
  (SELECT push FROM ref_log WHERE seq = l.seq - 1) IS NOT l.push, p.actor_name`;

/** Returns the name in a column that has none where no token pushed. */
export function actorNameAt(row: SqlRow, column: number): { readonly actorName?: string } {
  return row[column] === null ? {} : { actorName: textAt(row, column) };
}

function moveOf(row: SqlRow): LoggedMove {
  return {
    seq: integerAt(row, 0),
    name: textAt(row, 1),
    oldOid: textAt(row, 2),
    newOid: textAt(row, 3),
    forward: integerAt(row, 4) === 1,
    at: integerAt(row, 5),
    actor: textAt(row, 6),
    first: integerAt(row, 7) === 1,
    ...actorNameAt(row, 8),
  };
}

/** Returns the rows after a place in the log, in order, at most `limit`. */
export function readRefLog(db: SqlDatabase, after: number, limit: number): LoggedMove[] {
  const rows = db.rows(
    `SELECT ${MOVE_COLUMNS} FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE l.seq > ? ORDER BY l.seq LIMIT ?`,
    after,
    limit,
  );
  return Array.from(rows, moveOf);
}

/** Returns the names of the refs that moved after a place in the log, in order, at most `limit`. */
export function namesMovedSince(db: SqlDatabase, place: number, limit: number): string[] {
  const rows = db.rows("SELECT name FROM ref_log WHERE seq > ? ORDER BY seq LIMIT ?", place, limit);
  return Array.from(rows, (row) => textAt(row, 0));
}

/** Returns one row with its push; `undefined` if there is none. */
export function readLoggedPush(db: SqlDatabase, seq: number): LoggedPush | undefined {
  const row = firstRow(
    db.rows(`SELECT ${MOVE_COLUMNS}, p.options FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE l.seq = ?`, seq),
  );
  if (row === undefined) return undefined;
  const options: unknown = JSON.parse(textAt(row, 9));
  const known = Array.isArray(options) ? options.filter((option) => typeof option === "string") : [];
  return { ...moveOf(row), options: known };
}

/** Returns the newest place in the log, 0 for an empty one, and the place before its oldest row. */
export function refLogEnds(db: SqlDatabase): { readonly newest: number; readonly before: number } {
  // Each is a look-up of its own: together they would read the whole table.
  const ends = firstRow(db.rows("SELECT (SELECT max(seq) FROM ref_log), (SELECT min(seq) FROM ref_log)"));
  if (ends === undefined || ends[0] === null) return { newest: 0, before: 0 };
  return { newest: integerAt(ends, 0), before: integerAt(ends, 1) - 1 };
}

/**
 * Returns the place of the last move before an instant, in milliseconds since the epoch; 0 if there is none. It reads
 * some forty rows at most, since moves lie in the order of their times.
 */
export function placeBefore(db: SqlDatabase, at: number): number {
  let { before: low, newest: high } = refLogEnds(db);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const row = firstRow(
      db.rows(
        `SELECT l.seq, p.at FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE l.seq <= ? ORDER BY l.seq DESC LIMIT 1`,
        middle,
      ),
    );
    if (row === undefined || integerAt(row, 1) < at) low = middle;
    else high = integerAt(row, 0) - 1;
  }
  return low;
}
