/**
 * A repository's kept blobs on its SQL database.
 *
 * @packageDocumentation
 */
import type { KeptBlobAnswer, KeptBlobRequest } from "../../refs/kept-blobs.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { answerKeptBlobs } from "./tables/kept-blobs.ts";
import { areObjectsKept, expireObjects, firstExpiry } from "./tables/kept-objects.ts";
import { readRepository } from "./tables/repository.ts";

/** The kept blobs of one repository. */
export class KeptBlobDatabase {
  readonly #db: SqlDatabase;
  readonly #isEmpty: () => boolean;
  /** No object's day is over before; `undefined` if that has to be looked up. Milliseconds since the epoch. */
  #firstExpiry: number | undefined;

  /** `isEmpty` tells whether the database has no tables yet. */
  constructor(db: SqlDatabase, isEmpty: () => boolean) {
    this.#db = db;
    this.#isEmpty = isEmpty;
  }

  /** See `KeptBlobStore`. */
  answer(request: KeptBlobRequest, now: number): KeptBlobAnswer {
    if (this.#isEmpty() || readRepository(this.#db) === undefined) return { kind: "gone" };
    return this.#db.transaction(() => answerKeptBlobs(this.#db, request, now));
  }

  /** Returns when an object's day is over, or when to look again; `undefined` if none is kept. */
  nextDue(): number | undefined {
    if (this.#isEmpty() || !areObjectsKept(this.#db)) return undefined;
    return (this.#firstExpiry ??= firstExpiry(this.#db));
  }

  /** Drops objects whose day is over. */
  expire(now: number): void {
    const due = this.nextDue();
    if (due === undefined || due > now) return;
    expireObjects(this.#db, now);
    this.#firstExpiry = undefined;
  }
}
