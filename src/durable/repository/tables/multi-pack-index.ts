/**
 * Table `multi_pack_index`: the multi-pack index that was made last, the packs that it names, and the version of the catalog in which it came
 * or was given up. `name` is absent from then on.
 *
 * @packageDocumentation
 */
import type { MadeMultiPackIndex } from "../../../catalog/multi-pack-plan.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const MULTI_PACK_INDEX_DDL = `CREATE TABLE IF NOT EXISTS multi_pack_index (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT,
  bytes INTEGER NOT NULL,
  packs TEXT NOT NULL,
  objects INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  version INTEGER NOT NULL
)`;

/** The row. */
export type MultiPackRow = MadeMultiPackIndex & {
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
  /** The version of the catalog in which it came, or was given up. */
  readonly version: number;
};

/** Returns the row; `undefined` if no index was made yet. */
export function readMultiPackIndex(db: SqlDatabase): MultiPackRow | undefined {
  const row = firstRow(db.rows("SELECT name, bytes, packs, objects, made_at, version FROM multi_pack_index"));
  if (row === undefined) return undefined;
  return {
    ...(row[0] === null ? {} : { name: textAt(row, 0) }),
    bytes: integerAt(row, 1),
    packs: textAt(row, 2).split(" "),
    objects: integerAt(row, 3),
    madeAt: integerAt(row, 4),
    version: integerAt(row, 5),
  };
}

/** Writes the row. */
export function writeMultiPackRow(db: SqlDatabase, row: MultiPackRow): void {
  db.run(
    "INSERT OR REPLACE INTO multi_pack_index (one, name, bytes, packs, objects, made_at, version) VALUES (1, ?, ?, ?, ?, ?, ?)",
    row.name ?? null,
    row.bytes,
    row.packs.join(" "),
    row.objects,
    row.madeAt,
    row.version,
  );
}
