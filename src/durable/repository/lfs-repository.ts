/**
 * The part of a repository's tables that its Git LFS objects and its locks need.
 *
 * @packageDocumentation
 */
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { MoveDatabase } from "./move-database.ts";
import type { RepositoryRow } from "./tables/repository.ts";

/** The repository, as far as it is needed. */
export interface LfsRepository {
  /** Whether there are tables. */
  hasTables(): boolean;
  /** Returns the repository's row; `undefined` if there is no repository. */
  read(): RepositoryRow | undefined;
  record(row: RepositoryRow): RepositoryRecord;
  readonly moves: MoveDatabase;
}
