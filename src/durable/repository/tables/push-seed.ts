/**
 * Table `push_seed`: the secret from which the nonces of signed pushes are made, if the deployment has none of its own.
 *
 * @packageDocumentation
 */
import { firstRow, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const PUSH_SEED_DDL = `CREATE TABLE IF NOT EXISTS push_seed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seed TEXT NOT NULL
)`;

/** Returns the secret. The first call stores a new one, made by `random`. */
export function readPushSeed(db: SqlDatabase, random: () => string): string {
  const row = firstRow(db.rows("SELECT seed FROM push_seed"));
  if (row !== undefined) return textAt(row, 0);
  const seed = random();
  db.run("INSERT INTO push_seed (one, seed) VALUES (1, ?)", seed);
  return seed;
}
