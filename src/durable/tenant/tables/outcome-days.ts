/**
 * Table `outcome_days`: how the requests of each day ended, of the whole deployment.
 *
 * @packageDocumentation
 */
import type { OutcomeDay } from "../../../access/usage.ts";
import { firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";
import type { Counters } from "./metrics.ts";

export const OUTCOME_DAYS_DDL = `CREATE TABLE IF NOT EXISTS outcome_days (
  day INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (day, outcome)
) WITHOUT ROWID`;

/** Days that are kept. */
export const OUTCOME_DAYS = 92;

const REQUESTS = /^thinpack_requests_total\{.*outcome="(\w+)"\}$/;

/** Sums up requests by their outcomes. */
function outcomesIn(counters: Counters): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, value] of Object.entries(counters)) {
    const outcome = REQUESTS.exec(name)?.[1];
    if (outcome !== undefined) sums.set(outcome, (sums.get(outcome) ?? 0) + value); // An outcome begins here.
  }
  return sums;
}

/** Adds the requests among counters to a day. The first of a day drops old days. */
export function addOutcomes(db: SqlDatabase, counters: Counters, day: number): void {
  const sums = outcomesIn(counters);
  if (sums.size === 0) return;
  if (firstRow(db.rows("SELECT 1 FROM outcome_days WHERE day = ? LIMIT 1", day)) === undefined)
    db.run("DELETE FROM outcome_days WHERE day <= ?", day - OUTCOME_DAYS);
  for (const [outcome, requests] of sums)
    db.run(
      `INSERT INTO outcome_days (day, outcome, requests) VALUES (?, ?, ?)
       ON CONFLICT (day, outcome) DO UPDATE SET requests = requests + excluded.requests`,
      day,
      outcome,
      requests,
    );
}

/** Returns how the requests of the days from `from` on ended. */
export function listOutcomes(db: SqlDatabase, from: number): OutcomeDay[] {
  const rows = db.rows("SELECT day, outcome, requests FROM outcome_days WHERE day >= ? ORDER BY day, outcome", from);
  return Array.from(rows, (row) => ({ day: integerAt(row, 0), outcome: textAt(row, 1), requests: integerAt(row, 2) }));
}
