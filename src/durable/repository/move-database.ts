/**
 * The departure of a repository from one object's tables, and its arrival in another's.
 *
 * @packageDocumentation
 */
import type { ArrivalAnswer, ArrivalStep, Forward, MovedRows } from "../../refs/forward.ts";
import { assert } from "../../bytes/assert.ts";
import { firstRow, integerAt, type SqlDatabase, type SqlRow, textAt } from "../sql/sql-database.ts";
import type { Tables } from "../sql/migrations.ts";
import { copyTenantHooks } from "./copied-hooks.ts";
import { EMPTIED_TABLES, emptyTables } from "./schema.ts";
import { isDoomed } from "./tables/doomed-prefixes.ts";
import {
  changeMoves,
  deleteMove,
  dropArrival,
  hasMoved,
  readArrival,
  readMove,
  whereMoved,
  writeArrival,
  writeMove,
} from "./tables/moved.ts";
import { readRepository } from "./tables/repository.ts";

/** The most rows of a repository that can be renamed: all of them go in one step, in which it answers nobody. */
export const MOST_MOVED_ROWS = 300_000;
/** Rows of one call, and the bytes after which a call gets no further row. */
const ROWS_A_CALL = 5000;
const BYTES_A_CALL = 4 * 1024 * 1024;

/** The table whose row makes a repository exist. It comes last. */
const SETTINGS = "repository";
const MOVED_TABLES = EMPTIED_TABLES.filter((table) => table !== SETTINGS);

function columnsOf(db: SqlDatabase, table: string): string[] {
  return Array.from(db.rows("SELECT name FROM pragma_table_info(?)", table), (row) => textAt(row, 0));
}

function bytesOf(row: SqlRow): number {
  // A number takes eight bytes at most.
  return row.reduce<number>((sum, value) => sum + (value === null || typeof value === "number" ? 8 : value.length), 0);
}

/** Returns the next rows of a table, as many as one call takes. */
function rowsFrom(db: SqlDatabase, table: string, columns: readonly string[], offset: number): SqlRow[] {
  const taken: SqlRow[] = [];
  let bytes = 0;
  const sql = `SELECT ${columns.join(", ")} FROM ${table} LIMIT ? OFFSET ?`;
  for (const row of db.rows(sql, ROWS_A_CALL, offset)) {
    taken.push(row);
    bytes += bytesOf(row);
    if (bytes >= BYTES_A_CALL) break;
  }
  return taken;
}

function insertRows(db: SqlDatabase, { table, columns, rows }: MovedRows): void {
  const known = columnsOf(db, table);
  assert([...MOVED_TABLES, SETTINGS].includes(table), "a table of a repository");
  assert(
    columns.every((column) => known.includes(column)),
    "columns of that table",
  );
  const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
  for (const row of rows) db.run(sql, ...row);
}

/** The beginning of a move, or why there is none. */
export type BegunMove = { readonly kind: "begun"; readonly id: string } | { readonly kind: "missing" | "too-large" };

/** Returns where a missing repository went, as a part of the answer. */
export function forwardOf(moves: MoveDatabase): { readonly moved?: Forward } {
  const moved = moves.forward();
  return moved === undefined ? {} : { moved };
}

/** The moves of one object's repository. */
export class MoveDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;

  constructor(db: SqlDatabase, tables: Tables) {
    this.#db = db;
    this.#tables = tables;
  }

  /** Returns where the repository went that was here; `undefined` if the name never had one, or has another now. */
  forward(): Forward | undefined {
    const found = this.#tables.exist ? readMove(this.#db, "forwarding") : undefined;
    return found === undefined ? undefined : { to: found.to, isPublic: found.isPublic };
  }

  /** Returns where the repository with this id went that was here; `undefined` if none was. */
  whereIs(id: string): string | undefined {
    return this.#tables.exist ? whereMoved(this.#db, id) : undefined;
  }

  /** Whether the repository with this id lives on elsewhere, so that its bytes must stay. */
  isElsewhere(id: string): boolean {
    return hasMoved(this.#db, id);
  }

  /** Whether the repository with this id was deleted, or lives on elsewhere: none may be made here with the id. */
  isSpent(id: string): boolean {
    return this.#tables.exist && (isDoomed(this.#db, id) || hasMoved(this.#db, id));
  }

  /** Notes that the name is taken: it leads nowhere else now, and what has half arrived is dropped. */
  nameTaken(): void {
    this.#dropArriving();
    changeMoves(this.#db, "forwarding", "covered");
  }

  /**
   * Notes that the repository that took the name is removed. If it was never used, as where the push that made it was
   * refused, the name leads where it led before.
   */
  nameLeft(wasUsed: boolean): void {
    changeMoves(this.#db, "covered", wasUsed ? "gone" : "forwarding");
  }

  /** Returns the move that has begun and has not ended. */
  leaving(): (Forward & { readonly id: string }) | undefined {
    return this.#tables.exist ? readMove(this.#db, "leaving") : undefined;
  }

  /** Begins a move. Nothing may change the repository until it ends. */
  begin(to: string): BegunMove {
    return this.#tables.transaction(() => {
      const row = this.#tables.exist ? readRepository(this.#db) : undefined;
      if (row === undefined) return { kind: "missing" };
      if (this.#countRows() > MOST_MOVED_ROWS) return { kind: "too-large" };
      writeMove(this.#db, row.record.id, "leaving", { to, isPublic: row.record.visibility === "public" });
      return { kind: "begun", id: row.record.id };
    });
  }

  /** Yields all rows but those of the settings, as many in each piece as one call takes. */
  *rows(): Generator<MovedRows> {
    for (const table of MOVED_TABLES) {
      const columns = columnsOf(this.#db, table);
      for (let offset = 0; ;) {
        const rows = rowsFrom(this.#db, table, columns, offset);
        if (rows.length === 0) break;
        yield { table, columns, rows };
        offset += rows.length;
      }
    }
  }

  /** Returns the row of the settings. */
  settings(): MovedRows {
    const columns = columnsOf(this.#db, SETTINGS);
    return { table: SETTINGS, columns, rows: rowsFrom(this.#db, SETTINGS, columns, 0) };
  }

  /** Ends the move: the repository is elsewhere. */
  end(): void {
    this.#tables.transaction(() => {
      emptyTables(this.#db);
      changeMoves(this.#db, "covered", "gone");
      changeMoves(this.#db, "leaving", "forwarding");
    });
  }

  /** Calls the move off: the repository stays. */
  cancel(): void {
    const found = this.leaving();
    if (found !== undefined) deleteMove(this.#db, found.id);
  }

  /** Takes a step of an arrival. */
  arrive(step: ArrivalStep): ArrivalAnswer {
    return this.#tables.transaction(() => {
      this.#tables.make();
      const present = readRepository(this.#db)?.record.id;
      switch (step.kind) {
        case "begin":
          if (present !== undefined) return "taken";
          this.#dropArriving();
          // The name leads where it led before until the repository is here: the move may be called off.
          writeArrival(this.#db, step.id);
          return "done";
        case "rows":
          assert(readArrival(this.#db) === step.id, "the arrival that has begun");
          insertRows(this.#db, step.rows);
          return "done";
        case "end":
          assert(readArrival(this.#db) === step.id, "the arrival that has begun");
          this.#settle(step.settings, step.spelled);
          if (step.leavesTenant) copyTenantHooks(this.#db, []);
          deleteMove(this.#db, step.id);
          changeMoves(this.#db, "forwarding", "gone");
          return "done";
        case "cancel":
          if (present === step.id) return "arrived";
          if (readArrival(this.#db) === step.id) this.#dropArriving();
          return "done";
      }
    });
  }

  /** Makes what has arrived visible. Whatever was under way at the old name is done anew. */
  #settle(settings: MovedRows, spelled: string | null): void {
    insertRows(this.#db, settings);
    this.#db.run(
      `UPDATE repository SET spelled = ?, version = version + 1, derived_version = -1, derived_job_at = NULL,
        usage_version = -1`,
      spelled,
    );
    this.#db.run("UPDATE hooks SET job_at = NULL, taken_at = NULL");
    this.#db.run("UPDATE maintenance SET job_at = NULL");
    this.#db.run("UPDATE mirror SET running = NULL, running_until = NULL, asked = 0, next_sync = 0");
  }

  #dropArriving(): void {
    if (readArrival(this.#db) === undefined) return;
    emptyTables(this.#db);
    dropArrival(this.#db);
  }

  #countRows(): number {
    const counts = MOVED_TABLES.map((table) => `(SELECT count(*) FROM ${table})`).join(" + ");
    const row = firstRow(this.#db.rows(`SELECT ${counts}`));
    return row === undefined ? 0 : integerAt(row, 0);
  }
}
