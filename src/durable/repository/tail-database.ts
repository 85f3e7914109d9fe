/**
 * The tail of a repository, on its tables: whether a push may go into it, and when it is published.
 *
 * @packageDocumentation
 */
import { tailDue, tailRoom } from "../../catalog/tail.ts";
import type { BeginPushAnswer, BeginPushRequest } from "../../refs/ref-store.ts";
import { firstRow, type SqlDatabase } from "../sql/sql-database.ts";
import { derivedDue } from "./due-work.ts";
import { insertLease, LEASE_TIME } from "./tables/leases.ts";
import { readRepository, type RepositoryRow } from "./tables/repository.ts";
import { sumTail } from "./tables/tail-packs.ts";

/** The part of the answer to the beginning of a push that is about its pack. */
type Granted = Pick<Extract<BeginPushAnswer, { kind: "begun" }>, "tailRoom" | "unleased">;

/** The tail in one Durable Object's tables. */
export class TailDatabase {
  readonly #db: SqlDatabase;
  /** How long after its first push a tail is published; 0: no push goes into it. Milliseconds. */
  readonly #publishAfter: number;

  readonly #hasTables: () => boolean;

  constructor(db: SqlDatabase, hasTables: () => boolean, publishAfter: number) {
    this.#db = db;
    this.#hasTables = hasTables;
    this.#publishAfter = publishAfter;
  }

  /** Leases the keys of a push, unless its pack may go into the tail. A part of the caller's transaction. */
  grant({ packName, mayBeSmall = false }: BeginPushRequest, now: number): Granted {
    if (packName === undefined) return {};
    const room = mayBeSmall && this.#publishAfter > 0 ? tailRoom(sumTail(this.#db)) : 0;
    const unleased = room > 0 && this.#isInUse;
    if (!unleased) insertLease(this.#db, packName, now + LEASE_TIME);
    return { ...(room > 0 ? { tailRoom: room } : {}), ...(unleased ? { unleased } : {}) };
  }

  /** Whether something was ever pushed: an empty repository is removed if nothing says that it is being pushed to. */
  get #isInUse(): boolean {
    return firstRow(this.#db.rows("SELECT 1 FROM ref_log LIMIT 1")) !== undefined;
  }

  /** See `RefStore.leasePacks`. */
  lease(id: string, packNames: readonly string[], now: number): boolean {
    if (!this.#hasTables()) return false;
    return this.#db.transaction(() => {
      if (readRepository(this.#db)?.record.id !== id) return false;
      for (const name of packNames) insertLease(this.#db, name, now + LEASE_TIME);
      return true;
    });
  }

  /** Returns when the tail is to be published, in milliseconds since the epoch; `undefined` for an empty one. */
  due(now: number): number | undefined {
    return tailDue(sumTail(this.#db), this.#publishAfter, now);
  }

  /**
   * The time until which the tenant need not be told what the repository holds, in milliseconds since the epoch: while
   * the last push is one of the tail. A larger one is told of at once.
   */
  get untoldUntil(): number {
    const last = firstRow(
      this.#db.rows("SELECT 1 WHERE (SELECT max(push) FROM tail_packs) = (SELECT max(push) FROM ref_log)"),
    );
    // A tail that is published now is due at the time 0.
    return last === undefined ? 0 : (this.due(0) ?? 0);
  }

  /**
   * Returns when the derived files are to be written. They come with the tail, if there is one: their refs must not reach
   * what is not in the bucket.
   */
  derivedDue(row: RepositoryRow, now: number): number {
    const due = derivedDue(row, now);
    return due <= now ? Math.max(due, this.due(now) ?? due) : due;
  }
}
