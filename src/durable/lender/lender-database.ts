/**
 * The loans of the packs below one prefix, on a SQL database. `loans` says which repositories borrow which packs, and
 * `borrowers` where these are found. `retired_packs` has the packs that the prefix's own repository does not need any
 * more. It is synchronous: no other call comes in between within a method.
 *
 * ```text
 * retired pack := held (borrowed still) → doomed (its files are to be deleted) → gone
 * ```
 *
 * A pack that is gone keeps its row, so that a fork that is being made from an older catalog is not lent it.
 *
 * @packageDocumentation
 */
import type { Borrower, LoanNotice, LoanSettlement } from "../../refs/fork-store.ts";
import { type Schema, Tables } from "../sql/migrations.ts";
import { firstRow, integerAt, jsonChunks, textAt, type SqlDatabase } from "../sql/sql-database.ts";

/** The schema. `level` counts purges: a borrower is told of each, and answers it. */
export const LENDER_SCHEMA: Schema = {
  first: "lender",
  tables: [
    `CREATE TABLE IF NOT EXISTS lender (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  doomed INTEGER NOT NULL,
  purges INTEGER NOT NULL
)`,
    `CREATE TABLE IF NOT EXISTS loans (
  pack TEXT NOT NULL,
  borrower TEXT NOT NULL,
  told INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  PRIMARY KEY (pack, borrower)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS loans_borrower ON loans (borrower)`,
    `CREATE TABLE IF NOT EXISTS borrowers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  retry_at INTEGER NOT NULL
) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS retired_packs (
  pack TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  level INTEGER NOT NULL
) WITHOUT ROWID`,
  ],
  steps: [
    // The first build with forks.
    () => undefined,
  ],
};

/** How long after a failure a borrower is told again. Milliseconds. */
const RETRY_TIME = 30_000;
/** The most packs that a borrower is told of in one call, and whose files are deleted in one go. */
const MOST_PACKS = 1000;
/** The level of what was never told or answered, and that of a pack that is retired without a purge. */
const NEVER = -1;
const RETIRED = 0;

/** Loans of which a borrower has not been told that they were retired, or purged. */
const UNTOLD = "FROM loans l JOIN retired_packs r ON r.pack = l.pack WHERE r.state = 'held' AND l.told < r.level";

/** A notice, the borrower's name, and the level of each pack that it tells of. */
export type DueNotice = {
  readonly name: string;
  readonly notice: LoanNotice;
  readonly levels: ReadonlyMap<string, number>;
};

/** The tables of one lender. */
export class LenderDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;

  constructor(db: SqlDatabase) {
    this.#db = db;
    this.#tables = new Tables(db, LENDER_SCHEMA);
  }

  #change<T>(work: () => T): T {
    return this.#tables.transaction(() => {
      this.#tables.make();
      this.#db.run("INSERT OR IGNORE INTO lender (one, doomed, purges) VALUES (1, 0, 0)");
      return work();
    });
  }

  get #isDoomed(): boolean {
    const row = firstRow(this.#db.rows("SELECT doomed FROM lender"));
    return row !== undefined && integerAt(row, 0) === 1;
  }

  #count(sql: string, ...parameters: (string | number)[]): number {
    const row = firstRow(this.#db.rows(sql, ...parameters));
    return row === undefined ? 0 : integerAt(row, 0);
  }

  /** See `PackLender.lend`. */
  lend({ id, name }: Borrower, packs: readonly string[]): boolean {
    return this.#change(() => {
      for (const chunk of jsonChunks(packs)) {
        const gone =
          "SELECT count(*) FROM retired_packs WHERE state <> 'held' AND pack IN (SELECT value FROM json_each(?))";
        if (this.#count(gone, chunk) > 0) return false;
        // Below a doomed prefix only what is borrowed already is there for good.
        const held = "SELECT count(*) FROM json_each(?) WHERE value IN (SELECT pack FROM loans)";
        const asked = "SELECT count(*) FROM json_each(?)";
        if (this.#isDoomed && this.#count(held, chunk) < this.#count(asked, chunk)) return false;
      }
      this.#lend({ id, name }, packs);
      return true;
    });
  }

  #lend({ id, name }: Borrower, packs: readonly string[]): void {
    for (const chunk of jsonChunks(packs)) {
      this.#db.run(
        "INSERT OR IGNORE INTO loans (pack, borrower, told, answered) SELECT value, ?, ?, ? FROM json_each(?)",
        id,
        NEVER,
        NEVER,
        chunk,
      );
    }
    this.#db.run("INSERT OR REPLACE INTO borrowers (id, name, retry_at) VALUES (?, ?, 0)", id, name);
  }

  /** See `PackLender.relend`. Packs that their owner does not need are held for the borrower alone. */
  relend(borrower: Borrower, packs: readonly string[]): boolean {
    return this.#change(() => {
      const named = "pack IN (SELECT value FROM json_each(?))";
      for (const chunk of jsonChunks(packs)) {
        // Their files are being deleted just now.
        if (this.#count(`SELECT count(*) FROM retired_packs WHERE state = 'doomed' AND ${named}`, chunk) > 0)
          return false;
      }
      for (const chunk of jsonChunks(packs)) {
        this.#db.run(
          `UPDATE retired_packs SET state = 'held', level = ? WHERE state = 'gone' AND ${named}`,
          RETIRED,
          chunk,
        );
        if (!this.#isDoomed) continue;
        const held =
          "INSERT OR IGNORE INTO retired_packs (pack, state, level) SELECT value, 'held', ? FROM json_each(?)";
        this.#db.run(held, RETIRED, chunk);
      }
      this.#lend(borrower, packs);
      return true;
    });
  }

  /** Notes that the owner does not need these packs any more. Returns those that nobody borrows: they may be deleted. */
  retire(packs: readonly string[]): string[] {
    return this.#change(() => {
      const free: string[] = [];
      for (const chunk of jsonChunks(packs)) {
        const rows = this.#db.rows("SELECT value FROM json_each(?) WHERE value NOT IN (SELECT pack FROM loans)", chunk);
        free.push(...Array.from(rows, (row) => textAt(row, 0)));
        this.#db.run(
          `INSERT OR IGNORE INTO retired_packs (pack, state, level)
            SELECT value, iif(value IN (SELECT pack FROM loans), 'held', 'gone'), ? FROM json_each(?)`,
          RETIRED,
          chunk,
        );
      }
      return free;
    });
  }

  /** See `PackLender.doom`. */
  doom(): string[] {
    return this.#change(() => {
      this.#db.run("UPDATE lender SET doomed = 1");
      this.#db.run(
        "INSERT OR IGNORE INTO retired_packs (pack, state, level) SELECT DISTINCT pack, 'held', ? FROM loans",
        RETIRED,
      );
      return Array.from(this.#db.rows("SELECT DISTINCT pack FROM loans"), (row) => textAt(row, 0));
    });
  }

  /** See `PackLender.revive`. */
  revive(packs: readonly string[]): void {
    if (!this.#tables.exist) return;
    this.#change(() => {
      this.#db.run("UPDATE lender SET doomed = 0");
      for (const chunk of jsonChunks(packs)) {
        this.#db.run("DELETE FROM retired_packs WHERE pack IN (SELECT value FROM json_each(?))", chunk);
      }
    });
  }

  /**
   * Demands the retired packs back, for a purge that begins, and returns how many a purge still waits for. The owner
   * has retired what it purges before.
   */
  purge(begins: boolean): number {
    return this.#change(() => {
      if (begins) {
        this.#db.run("UPDATE lender SET purges = purges + 1");
        this.#db.run("UPDATE retired_packs SET level = (SELECT purges FROM lender) WHERE state = 'held'");
      }
      // A borrower's answer may have been lost: it is told again, which does nothing where it is at it.
      this.#db.run(
        `UPDATE loans SET told = ? FROM retired_packs r WHERE r.pack = loans.pack AND r.level > ? AND answered < r.level`,
        NEVER,
        RETIRED,
      );
      return (
        this.#count(
          `SELECT count(DISTINCT l.pack) FROM loans l JOIN retired_packs r ON r.pack = l.pack
          WHERE r.level > ? AND l.answered < r.level`,
          RETIRED,
        ) + this.#count("SELECT count(*) FROM retired_packs WHERE state = 'doomed' AND level > ?", RETIRED)
      );
    });
  }

  /** Notes what a borrower says. */
  settle({ borrower, returned, kept }: LoanSettlement): void {
    this.#change(() => {
      const named = "borrower = ? AND pack IN (SELECT value FROM json_each(?))";
      // The borrower reaches all of these, whichever purge it has heard of.
      for (const chunk of jsonChunks(kept)) {
        this.#db.run(
          `UPDATE loans SET answered = r.level FROM retired_packs r WHERE r.pack = loans.pack AND borrower = ?
            AND loans.pack IN (SELECT value FROM json_each(?))`,
          borrower,
          chunk,
        );
      }
      for (const chunk of jsonChunks(returned)) this.#db.run(`DELETE FROM loans WHERE ${named}`, borrower, chunk);
      this.#drop();
    });
  }

  /** Dooms the packs that nobody needs any more. */
  #drop(): void {
    this.#db.run(
      "UPDATE retired_packs SET state = 'doomed' WHERE state = 'held' AND pack NOT IN (SELECT pack FROM loans)",
    );
    this.#db.run("DELETE FROM borrowers WHERE id NOT IN (SELECT borrower FROM loans)");
  }

  /** Returns the notices that are due. */
  notices(now: number): DueNotice[] {
    if (!this.#tables.exist) return [];
    const rows = this.#db.rows(
      `SELECT b.id, b.name FROM borrowers b WHERE b.retry_at <= ? AND EXISTS (SELECT 1 ${UNTOLD} AND l.borrower = b.id)`,
      now,
    );
    return Array.from(rows, (row) => this.#noticeTo(textAt(row, 0), textAt(row, 1)));
  }

  #noticeTo(borrower: string, name: string): DueNotice {
    const rows = this.#db.rows(`SELECT l.pack, r.level ${UNTOLD} AND l.borrower = ? LIMIT ?`, borrower, MOST_PACKS);
    const levels = new Map(Array.from(rows, (row) => [textAt(row, 0), integerAt(row, 1)]));
    const packs = [...levels.keys()];
    const isDemanded = (pack: string): boolean => (levels.get(pack) ?? RETIRED) > RETIRED;
    return {
      name,
      levels,
      notice: {
        borrower,
        abandoned: packs.filter((pack) => !isDemanded(pack)),
        demanded: packs.filter((pack) => isDemanded(pack)),
      },
    };
  }

  /** Notes that a borrower has been told. */
  noticed({ notice: { borrower }, levels }: DueNotice): void {
    this.#change(() => {
      for (const chunk of jsonChunks(levels)) {
        this.#db.run(
          `UPDATE loans SET told = j.value ->> 1 FROM json_each(?) j WHERE loans.pack = j.value ->> 0 AND borrower = ?`,
          chunk,
          borrower,
        );
      }
    });
  }

  /** Notes that a borrower has another name, where it is told at once. */
  renamed(borrower: string, name: string): void {
    this.#db.run("UPDATE borrowers SET name = ?, retry_at = 0 WHERE id = ?", name, borrower);
  }

  /** Has a borrower that could not be told be told later. */
  postpone(borrower: string, now: number): void {
    this.#db.run("UPDATE borrowers SET retry_at = ? WHERE id = ?", now + RETRY_TIME, borrower);
  }

  /** Ends all loans of a borrower that is gone. */
  forget(borrower: string): void {
    this.#change(() => {
      this.#db.run("DELETE FROM loans WHERE borrower = ?", borrower);
      this.#drop();
    });
  }

  /** Returns packs whose files are to be deleted. */
  doomedPacks(): string[] {
    if (!this.#tables.exist) return [];
    const rows = this.#db.rows("SELECT pack FROM retired_packs WHERE state = 'doomed' LIMIT ?", MOST_PACKS);
    return Array.from(rows, (row) => textAt(row, 0));
  }

  /** Notes that no file of a pack is left. */
  packDeleted(pack: string): void {
    this.#db.run("UPDATE retired_packs SET state = 'gone' WHERE pack = ?", pack);
  }

  /** Returns when there is something to do; `undefined` if there is nothing. */
  nextDue(now: number): number | undefined {
    if (!this.#tables.exist) return undefined;
    if (this.doomedPacks().length > 0) return now;
    const row = firstRow(
      this.#db.rows(`SELECT min(retry_at) FROM borrowers b WHERE EXISTS (SELECT 1 ${UNTOLD} AND l.borrower = b.id)`),
    );
    return row === undefined || row[0] === null ? undefined : integerAt(row, 0);
  }
}
