/**
 * The tables of forks. `fork_origin` says what a fork was forked from, and `borrowed_packs` which packs of its catalog,
 * and of those that were replaced lately, lie below another repository's prefix. `lending` has a row once the
 * repository has lent packs itself. `pack_returns` has what lenders are still to be told. It outlives the repository.
 *
 * A row of `pack_returns` has one of three kinds. `pending`: a fork that is being made may come to borrow the pack.
 * `returned`: the lender is told that the pack is not read any more, and may know it already. `kept`: the lender is told
 * that a demanded pack stays. A pending row becomes a returned one when its time is up. It never becomes pending again,
 * since the loan may have ended although the lender's answer was lost.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import type { LoanState, PackLoan } from "../../../catalog/pack-record.ts";
import type { ForkOrigin, PackHome } from "../../../refs/fork-store.ts";
import { firstRow, integerAt, jsonChunks, textAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const FORKS_DDL = `CREATE TABLE IF NOT EXISTS fork_origin (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  is_public INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS borrowed_packs (
  pack TEXT PRIMARY KEY,
  home TEXT NOT NULL,
  state TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lending (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  purge_state TEXT NOT NULL,
  purge_at INTEGER NOT NULL,
  purge_began INTEGER NOT NULL,
  waiting INTEGER NOT NULL
)`;

export const PACK_RETURNS_DDL = `CREATE TABLE IF NOT EXISTS pack_returns (
  pack TEXT NOT NULL,
  borrower TEXT NOT NULL,
  home TEXT NOT NULL,
  kind TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (pack, borrower)
) WITHOUT ROWID`;

/** Returns the state of a loan. */
export function loanStateOf(text: string): LoanState {
  if (text === "lent" || text === "own" || text === "demanded") return text;
  throw new CorruptStore(`state of a loan ${text}`);
}

/** Returns what the repository was forked from; `undefined` if it is no fork. */
export function readOrigin(db: SqlDatabase): ForkOrigin | undefined {
  const row = firstRow(db.rows("SELECT id, name, is_public FROM fork_origin"));
  if (row === undefined) return undefined;
  return { id: textAt(row, 0), name: textAt(row, 1), isPublic: integerAt(row, 2) === 1 };
}

/** Notes what the repository was forked from. */
export function insertOrigin(db: SqlDatabase, { id, name, isPublic }: ForkOrigin): void {
  db.run("INSERT INTO fork_origin (one, id, name, is_public) VALUES (1, ?, ?, ?)", id, name, Number(isPublic));
}

/** Notes that a pack is borrowed. */
export function insertBorrowed(db: SqlDatabase, pack: string, { home }: PackLoan): void {
  db.run("INSERT INTO borrowed_packs (pack, home, state) VALUES (?, ?, 'lent')", pack, home);
}

/** Whether the repository borrows any of these packs. */
export function areAnyBorrowed(db: SqlDatabase, packs: readonly string[]): boolean {
  const sql = "SELECT 1 FROM borrowed_packs WHERE pack IN (SELECT value FROM json_each(?))";
  for (const chunk of jsonChunks(packs)) if (firstRow(db.rows(sql, chunk)) !== undefined) return true;
  return false;
}

/**
 * Moves borrowed packs from one of these states to another. Those that are in none of them stay as they are. Returns
 * whether any has moved.
 */
export function changeLoans(
  db: SqlDatabase,
  packs: readonly string[],
  from: readonly LoanState[],
  to: LoanState,
): boolean {
  const where = "pack IN (SELECT value FROM json_each(?)) AND state IN (SELECT value FROM json_each(?))";
  const states = JSON.stringify(from);
  let isAny = false;
  for (const chunk of jsonChunks(packs)) {
    isAny ||= firstRow(db.rows(`SELECT 1 FROM borrowed_packs WHERE ${where}`, chunk, states)) !== undefined;
    db.run(`UPDATE borrowed_packs SET state = ? WHERE ${where}`, to, chunk, states);
  }
  return isAny;
}

/** Whether a borrowed pack is demanded. */
export function isAnyDemanded(db: SqlDatabase): boolean {
  return firstRow(db.rows("SELECT 1 FROM borrowed_packs WHERE state = 'demanded'")) !== undefined;
}

/** Ends the leases of replaced packs that are demanded: they don't stay for a day. */
export function endDemandedLeases(db: SqlDatabase, now: number): void {
  db.run(
    `UPDATE leases SET expires_at = min(expires_at, ?), replaced = 0
      WHERE replaced = 1 AND pack IN (SELECT pack FROM borrowed_packs WHERE state = 'demanded')`,
    now,
  );
}

/** Notes that a lender is to be told that demanded packs stay. */
export function insertKept(db: SqlDatabase, borrower: string, packs: readonly string[], now: number): void {
  for (const chunk of jsonChunks(packs)) {
    db.run(
      `INSERT OR REPLACE INTO pack_returns (pack, borrower, home, kind, due_at)
        SELECT pack, ?, home, 'kept', ? FROM borrowed_packs WHERE pack IN (SELECT value FROM json_each(?))`,
      borrower,
      now,
      chunk,
    );
  }
}

/** Whether a lender is being told something of this borrower about any of these packs. */
export function areAnyReturning(db: SqlDatabase, borrower: string, packs: readonly string[]): boolean {
  const sql = `SELECT 1 FROM pack_returns
    WHERE borrower = ? AND kind <> 'pending' AND pack IN (SELECT value FROM json_each(?)) LIMIT 1`;
  for (const chunk of jsonChunks(packs)) if (firstRow(db.rows(sql, borrower, chunk)) !== undefined) return true;
  return false;
}

/**
 * Notes that a repository may come to borrow packs, and has them returned at `dueAt` if it does not. None of them may
 * be one of which a lender is being told: see {@link areAnyReturning}.
 */
export function insertPending(db: SqlDatabase, borrower: string, packs: readonly PackHome[], dueAt: number): void {
  for (const chunk of jsonChunks(packs.map(({ pack, home }) => [pack, home]))) {
    db.run(
      `INSERT OR REPLACE INTO pack_returns (pack, borrower, home, kind, due_at)
        SELECT value ->> 0, ?, value ->> 1, 'pending', ? FROM json_each(?)`,
      borrower,
      dueAt,
      chunk,
    );
  }
}

/** Whether what {@link insertPending} noted is still true of all the packs. */
export function areAllPending(db: SqlDatabase, borrower: string, packs: readonly string[], now: number): boolean {
  let found = 0;
  for (const chunk of jsonChunks(packs)) {
    const sql = `SELECT count(*) FROM pack_returns
      WHERE borrower = ? AND kind = 'pending' AND due_at > ? AND pack IN (SELECT value FROM json_each(?))`;
    const row = firstRow(db.rows(sql, borrower, now, chunk));
    found += row === undefined ? 0 : integerAt(row, 0);
  }
  return found === packs.length;
}

/** Takes back what {@link insertPending} noted: the repository is made, and borrows these packs. */
export function deletePending(db: SqlDatabase, borrower: string, packs: readonly string[]): void {
  const sql = `DELETE FROM pack_returns
    WHERE borrower = ? AND kind = 'pending' AND pack IN (SELECT value FROM json_each(?))`;
  for (const chunk of jsonChunks(packs)) db.run(sql, borrower, chunk);
}

/** Has packs returned at once that a repository which is not made yet may come to borrow. */
export function endPending(db: SqlDatabase, borrower: string, packs: readonly string[], now: number): void {
  for (const chunk of jsonChunks(packs)) {
    db.run(
      `UPDATE pack_returns SET kind = 'returned', due_at = min(due_at, ?)
        WHERE borrower = ? AND kind = 'pending' AND pack IN (SELECT value FROM json_each(?))`,
      now,
      borrower,
      chunk,
    );
  }
}

/** Whether something is noted that lenders are to be told of this borrower. */
export function hasReturns(db: SqlDatabase, borrower: string): boolean {
  return firstRow(db.rows("SELECT 1 FROM pack_returns WHERE borrower = ? LIMIT 1", borrower)) !== undefined;
}

const TO_RETURN = `INSERT OR REPLACE INTO pack_returns (pack, borrower, home, kind, due_at)
  SELECT pack, ?, home, 'returned', ? FROM borrowed_packs`;

/** Has all borrowed packs returned: the repository is removed. */
export function returnAll(db: SqlDatabase, borrower: string, now: number): void {
  db.run(TO_RETURN, borrower, now);
}

/** Has those borrowed packs returned that left the catalog, and whose time for earlier readers is up. */
export function returnExpired(db: SqlDatabase, borrower: string, now: number): void {
  const expired =
    "pack IN (SELECT b.pack FROM borrowed_packs b JOIN leases l ON l.pack = b.pack WHERE l.expires_at <= ?)";
  db.run(`${TO_RETURN} WHERE ${expired}`, borrower, now, now);
  db.run(`DELETE FROM borrowed_packs WHERE ${expired}`, now);
  db.run(
    "DELETE FROM leases WHERE pack IN (SELECT pack FROM pack_returns WHERE borrower = ? AND kind = 'returned')",
    borrower,
  );
}

/** Something that a lender is to be told: of one borrower, about packs below one prefix. */
export type DueReturn = {
  readonly home: string;
  readonly borrower: string;
  readonly returned: readonly string[];
  readonly kept: readonly string[];
};

/** Has those packs returned whose time is up, and that no repository has come to borrow. */
export function endExpiredPending(db: SqlDatabase, now: number): void {
  db.run("UPDATE pack_returns SET kind = 'returned' WHERE kind = 'pending' AND due_at <= ?", now);
}

/** Takes back the return of packs that the repository which lives here borrows: they are in use. */
export function deleteFalseReturns(db: SqlDatabase, borrower: string): void {
  const sql = `DELETE FROM pack_returns
    WHERE borrower = ? AND kind <> 'kept' AND pack IN (SELECT pack FROM borrowed_packs)`;
  db.run(sql, borrower);
}

/** Returns what lenders are to be told now, about at most `limit` packs. */
export function dueReturns(db: SqlDatabase, now: number, limit: number): DueReturn[] {
  const found = new Map<string, { home: string; borrower: string; returned: string[]; kept: string[] }>();
  const sql = `SELECT home, borrower, pack, kind FROM pack_returns
    WHERE due_at <= ? AND kind <> 'pending' ORDER BY due_at LIMIT ?`;
  for (const row of db.rows(sql, now, limit)) {
    const [home, borrower] = [textAt(row, 0), textAt(row, 1)];
    const key = `${home}/${borrower}`;
    const due = found.get(key) ?? { home, borrower, returned: [], kept: [] };
    found.set(key, due);
    (textAt(row, 3) === "kept" ? due.kept : due.returned).push(textAt(row, 2));
  }
  return [...found.values()];
}

/** Notes that a lender was told. */
export function deleteReturns(db: SqlDatabase, { borrower, returned, kept }: DueReturn): void {
  const sql = "DELETE FROM pack_returns WHERE borrower = ? AND kind = ? AND pack IN (SELECT value FROM json_each(?))";
  for (const chunk of jsonChunks(returned)) db.run(sql, borrower, "returned", chunk);
  for (const chunk of jsonChunks(kept)) db.run(sql, borrower, "kept", chunk);
}

/** Puts off what could not be told. */
export function postponeReturns(db: SqlDatabase, now: number, until: number): void {
  db.run("UPDATE pack_returns SET due_at = ? WHERE due_at <= ? AND kind <> 'pending'", until, now);
}

/** Returns when a lender is to be told something; `undefined` if there is nothing. */
export function nextReturn(db: SqlDatabase): number | undefined {
  const row = firstRow(db.rows("SELECT min(due_at) FROM pack_returns"));
  return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
}

/**
 * How far a purge of a repository that lends has come. `none`: there is none. `begins`: the lender is to be told of it.
 * `waits`: `waiting` packs are not back yet.
 */
export type LendingRow = {
  readonly purge: "none" | "begins" | "waits";
  /** When the lender is to be asked again. */
  readonly purgeAt: number;
  /** When it began. */
  readonly purgeBegan: number;
  readonly waiting: number;
};

/** The row of a repository that has lent nothing, or that has not purged anything since. */
export const LENT_NOTHING: LendingRow = { purge: "none", purgeAt: 0, purgeBegan: 0, waiting: 0 };

/** Returns the row; `undefined` if the repository has lent nothing. */
export function readLending(db: SqlDatabase): LendingRow | undefined {
  const row = firstRow(db.rows("SELECT purge_state, purge_at, purge_began, waiting FROM lending"));
  if (row === undefined) return undefined;
  const state = textAt(row, 0);
  const purge = state === "begins" || state === "waits" ? state : "none";
  return { purge, purgeAt: integerAt(row, 1), purgeBegan: integerAt(row, 2), waiting: integerAt(row, 3) };
}

/** Notes that the repository lends packs. */
export function noteLending(db: SqlDatabase): void {
  db.run(
    "INSERT OR IGNORE INTO lending (one, purge_state, purge_at, purge_began, waiting) VALUES (1, 'none', 0, 0, 0)",
  );
}

/** Changes the row. */
export function writeLending(db: SqlDatabase, { purge, purgeAt, purgeBegan, waiting }: LendingRow): void {
  const sql = "UPDATE lending SET purge_state = ?, purge_at = ?, purge_began = ?, waiting = ?";
  db.run(sql, purge, purgeAt, purgeBegan, waiting);
}
