/**
 * Table `metrics`: the deployment's counters, in one row as JSON. One row is written each time, however many counters
 * there are.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import { firstRow, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const METRICS_DDL = `CREATE TABLE IF NOT EXISTS metrics (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  counters TEXT NOT NULL
)`;

/** Counters by their names with labels. */
export type Counters = Readonly<Record<string, number>>;

function parse(text: string): Counters {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw new CorruptStore("the counters are no object");
  const counters: Record<string, number> = {};
  for (const [name, value] of Object.entries(json)) {
    if (typeof value !== "number") throw new CorruptStore(`the counter ${name} is not a number`);
    counters[name] = value;
  }
  return counters;
}

/** Returns the counters. */
export function readMetrics(db: SqlDatabase): Counters {
  const row = firstRow(db.rows("SELECT counters FROM metrics"));
  return row === undefined ? {} : parse(textAt(row, 0));
}

/** Adds to the counters. */
export function addMetrics(db: SqlDatabase, added: Counters): void {
  const counters: Record<string, number> = { ...readMetrics(db) };
  for (const [name, value] of Object.entries(added)) {
    counters[name] = (counters[name] ?? 0) + value; // A new counter begins here.
  }
  db.run("INSERT OR REPLACE INTO metrics (one, counters) VALUES (1, ?)", JSON.stringify(counters));
}
