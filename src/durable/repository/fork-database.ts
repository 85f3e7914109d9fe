/**
 * Forks, on the tables of one repository: what it borrows from the prefixes of others, and what it lends itself.
 *
 * @packageDocumentation
 */
import type { ForkContent, LoanNotice, LoanNoticeAnswer, PackHome } from "../../refs/fork-store.ts";
import { objectFormat } from "../../object/object-id.ts";
import type { CreateRequest } from "../../refs/ref-store.ts";
import { decodeRefRows, type RefRow } from "../../refs/ref-rows.ts";
import { toHex } from "../../bytes/hex.ts";
import type { Tables } from "../sql/migrations.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import type { MoveDatabase } from "./move-database.ts";
import {
  areAllPending,
  areAnyReturning,
  changeLoans,
  deleteFalseReturns,
  deletePending,
  deleteReturns,
  type DueReturn,
  dueReturns,
  endDemandedLeases,
  endExpiredPending,
  endPending,
  hasReturns,
  insertBorrowed,
  insertOrigin,
  insertPending,
  nextReturn,
  noteLending,
  postponeReturns,
  readLending,
  returnAll,
  returnExpired,
  writeLending,
} from "./tables/forks.ts";
import { isDoomed } from "./tables/doomed-prefixes.ts";
import { leaseEnd } from "./tables/leases.ts";
import { askForWalk } from "./tables/maintenance.ts";
import { insertPack, markWithAllRefs } from "./tables/packs.ts";
import { type RefValue, writeRefs } from "./tables/ref-writes.ts";
import { bumpCatalogVersion, readRepository, type RepositoryRow } from "./tables/repository.ts";

/** How long a fork may take to be made once packs are lent for it. Milliseconds. */
const FORK_TIME = 60 * 60_000;
/** How long after a failure a lender is called again. Milliseconds. */
const RETRY_TIME = 30_000;
/**
 * How long after an answer a lender is asked again for the packs that a purge waits for: half the time that the purge has
 * taken so far, within these bounds. Milliseconds.
 */
const LEAST_PURGE_PAUSE = 2000;
const MOST_PURGE_PAUSE = 10 * 60_000;
/** The most packs that lenders are told of in one go. */
const RETURNS_AT_ONCE = 1000;

/** Returns the values of encoded rows. */
function* valuesOf(refs: readonly Uint8Array[], rawSize: number): Generator<RefValue> {
  const valueOf = ({ name, oid, peeled }: RefRow): RefValue => ({
    name,
    oid: toHex(oid),
    ...(peeled === undefined ? {} : { peeled: toHex(peeled) }),
  });
  for (const row of decodeRefRows(refs, rawSize)) yield valueOf(row);
}

function unknownBorrower(id: string): Error {
  return new Error(`nothing is known here of the borrower ${id}`);
}

/** The forks' side of one Durable Object's tables. */
export class ForkDatabase {
  readonly #db: SqlDatabase;
  readonly #tables: Tables;
  readonly #moves: Pick<MoveDatabase, "isSpent" | "whereIs">;

  constructor(db: SqlDatabase, tables: Tables, moves: Pick<MoveDatabase, "isSpent" | "whereIs">) {
    this.#db = db;
    this.#tables = tables;
    this.#moves = moves;
  }

  /** See `ForkStore.prepareFork`. `now` is in milliseconds since the epoch. */
  prepare(id: string, packs: readonly PackHome[], now: number): boolean {
    return this.#tables.transaction(() => {
      this.#tables.make();
      // The note would have the loans of a living fork returned.
      if (this.#hasRepository(id) || this.#moves.isSpent(id)) return false;
      const names = packs.map(({ pack }) => pack);
      if (areAnyReturning(this.#db, id, names)) return false;
      insertPending(this.#db, id, packs, now + FORK_TIME);
      return true;
    });
  }

  #hasRepository(id: string): boolean {
    return readRepository(this.#db)?.record.id === id;
  }

  /** Whether the packs of a fork are lent to it, so that it can be made. A part of the caller's transaction. */
  isReady({ id = "", fork }: Pick<CreateRequest, "id" | "fork">, now: number): boolean {
    const names = fork?.packs.map(({ name }) => name) ?? [];
    return this.#tables.exist && areAllPending(this.#db, id, names, now);
  }

  /** Fills a repository that was just made. A part of the caller's transaction. Yields the steps of it. */
  *fill({ record }: RepositoryRow, { origin, refs, packs }: ForkContent): Generator<number, void, undefined> {
    insertOrigin(this.#db, origin);
    const names = packs.map(({ name }) => name);
    deletePending(this.#db, record.id, names);
    for (const pack of packs) {
      insertPack(this.#db, { ...pack, marked: pack.marked && pack.source === "copy" });
      if (pack.loan !== undefined) insertBorrowed(this.#db, pack.name, pack.loan);
    }
    const marked = packs.filter((pack) => pack.marked && pack.source !== "copy");
    markWithAllRefs(
      this.#db,
      marked.map(({ name }) => name),
    );
    yield* writeRefs(this.#db, valuesOf(refs, objectFormat(record.objectFormat).rawSize));
    bumpCatalogVersion(this.#db);
  }

  /**
   * Notes what a lender says of packs that are lent to a repository.
   *
   * @throws Error if the repository was never here, or is just arriving: it may live elsewhere, and keeps its loans.
   */
  notice({ borrower, abandoned, demanded }: LoanNotice, now: number): LoanNoticeAnswer {
    if (!this.#tables.exist) throw unknownBorrower(borrower);
    return this.#tables.transaction(() => {
      const isHere = this.#hasRepository(borrower);
      const to = isHere ? undefined : this.#moves.whereIs(borrower);
      if (to !== undefined) return { kind: "moved", to };
      // A fork that is being made has to begin anew, with a catalog that does not name the packs.
      endPending(this.#db, borrower, [...abandoned, ...demanded], now);
      if (!isHere) return this.#answerFor(borrower);
      const isMore = changeLoans(this.#db, abandoned, ["lent"], "own");
      const isLess = changeLoans(this.#db, demanded, ["lent", "own"], "demanded");
      endDemandedLeases(this.#db, now);
      if (isLess) askForWalk(this.#db, now);
      if (isMore || isLess) bumpCatalogVersion(this.#db);
      return { kind: "noted" };
    });
  }

  /** Answers a lender for a repository that is not here. */
  #answerFor(borrower: string): LoanNoticeAnswer {
    if (hasReturns(this.#db, borrower)) return { kind: "noted" };
    if (isDoomed(this.#db, borrower)) return { kind: "unknown" };
    throw unknownBorrower(borrower);
  }

  /** Notes that the repository lends packs from now on. */
  lend(): void {
    if (this.lends) return;
    this.#tables.transaction(() => noteLending(this.#db));
  }

  /** Has everything returned, since the repository is removed. Returns whether it has lent packs itself. */
  end(id: string, now: number): boolean {
    returnAll(this.#db, id, now);
    return this.lends;
  }

  /** Whether the repository has lent packs. */
  get lends(): boolean {
    return this.#tables.exist && readLending(this.#db) !== undefined;
  }

  /** Has borrowed packs returned that are not read any more. */
  expire(now: number, id: string | undefined): void {
    if (id !== undefined) returnExpired(this.#db, id, now);
  }

  /** Returns what lenders are to be told now. From then on no fork is made with the packs that it has returned. */
  due(now: number): DueReturn[] {
    if (!this.#tables.exist) return [];
    return this.#tables.transaction(() => {
      const id = readRepository(this.#db)?.record.id;
      if (id !== undefined) deleteFalseReturns(this.#db, id);
      endExpiredPending(this.#db, now);
      return dueReturns(this.#db, now, RETURNS_AT_ONCE);
    });
  }

  /** Notes that a lender was told. */
  told(due: DueReturn): void {
    deleteReturns(this.#db, due);
  }

  /** Puts off what lenders could not be told. */
  postpone(now: number): void {
    postponeReturns(this.#db, now, now + RETRY_TIME);
  }

  /**
   * Returns how the lender is to be asked for the packs that a purge waits for; `undefined` if it is not to be asked
   * now. It is asked once the purged packs have been given up.
   */
  purgeDue(now: number): "begins" | "waits" | undefined {
    const row = this.#tables.exist ? readLending(this.#db) : undefined;
    if (row === undefined || row.purge === "none" || row.purgeAt > now) return undefined;
    return (leaseEnd(this.#db, "next") ?? Number.POSITIVE_INFINITY) > now ? row.purge : undefined;
  }

  /** Notes how many packs a purge still waits for; `undefined` if that could not be found out. */
  purgeAsked(waiting: number | undefined, now: number): void {
    const row = readLending(this.#db);
    if (row === undefined) return;
    if (waiting === undefined) {
      writeLending(this.#db, { ...row, purgeAt: now + RETRY_TIME });
      return;
    }
    const pause = Math.min(Math.max((now - row.purgeBegan) / 2, LEAST_PURGE_PAUSE), MOST_PURGE_PAUSE);
    writeLending(this.#db, {
      ...row,
      purge: waiting === 0 ? "none" : "waits",
      purgeAt: now + Math.floor(pause),
      waiting,
    });
  }

  /** Returns when there is something to do; `undefined` if there is nothing. */
  nextDue(): number | undefined {
    const next = nextReturn(this.#db);
    const row = readLending(this.#db);
    if (row === undefined || row.purge === "none") return next;
    return Math.min(next ?? Number.POSITIVE_INFINITY, row.purgeAt);
  }
}
