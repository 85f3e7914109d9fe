/**
 * A repository's kept blobs on its SQL database.
 *
 * @packageDocumentation
 */
import type { KeptBlobAnswer, KeptBlobRequest } from "../../refs/kept-blobs.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { answerKeptBlobs } from "./tables/kept-blobs.ts";
import { readRepository } from "./tables/repository.ts";

/** The kept blobs of one repository. */
export class KeptBlobDatabase {
  readonly #db: SqlDatabase;
  readonly #isEmpty: () => boolean;

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
}
