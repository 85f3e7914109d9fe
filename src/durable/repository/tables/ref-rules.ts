/**
 * Table `ref_rules`: what pushes may do to which refs, in the order the rules were given.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../../bytes/failure.ts";
import { MOST_PUSHERS, MOST_REQUIRED, MOST_RULES, type RefRule } from "../../../refs/ref-policy.ts";
import { integerAt, type SqlDatabase, type SqlRow, textAt } from "../../sql/sql-database.ts";

export const REF_RULES_DDL = `CREATE TABLE IF NOT EXISTS ref_rules (
  seq INTEGER PRIMARY KEY,
  pattern TEXT NOT NULL,
  allow_force_push INTEGER NOT NULL,
  allow_deletion INTEGER NOT NULL,
  pushers TEXT,
  require_signed INTEGER NOT NULL,
  contexts TEXT
)`;

/** Returns the texts of a column; `undefined` where it has no list. */
function listAt(row: SqlRow, column: number): readonly string[] | undefined {
  if (row[column] === null) return undefined;
  const list: unknown = JSON.parse(textAt(row, column));
  if (!Array.isArray(list)) throw new CorruptStore("a list of a rule");
  return list.filter((item) => typeof item === "string");
}

function pushersAt(row: SqlRow, column: number): { pushers?: readonly string[] } {
  const pushers = listAt(row, column);
  return pushers === undefined ? {} : { pushers };
}

function contextsAt(row: SqlRow, column: number): { requiredContexts?: readonly string[] } {
  const requiredContexts = listAt(row, column);
  return requiredContexts === undefined ? {} : { requiredContexts };
}

/** Returns all rules. */
export function listRules(db: SqlDatabase): RefRule[] {
  const rows = db.rows(
    "SELECT pattern, allow_force_push, allow_deletion, pushers, require_signed, contexts FROM ref_rules ORDER BY seq",
  );
  return Array.from(rows, (row) => ({
    pattern: textAt(row, 0),
    allowForcePush: integerAt(row, 1) === 1,
    allowDeletion: integerAt(row, 2) === 1,
    ...pushersAt(row, 3),
    requireSigned: integerAt(row, 4) === 1,
    ...contextsAt(row, 5),
  }));
}

/**
 * Replaces all rules.
 *
 * @throws RangeError if there are too many. The API refuses a client's list before it comes here.
 */
export function replaceRules(db: SqlDatabase, rules: readonly RefRule[]): void {
  const crowded = rules.some(
    ({ pushers = [], requiredContexts = [] }) =>
      pushers.length > MOST_PUSHERS || requiredContexts.length > MOST_REQUIRED,
  );
  if (crowded || rules.length > MOST_RULES) throw new RangeError("too many rules, or pushers or contexts in one");
  db.run("DELETE FROM ref_rules");
  for (const [seq, rule] of rules.entries()) {
    db.run(
      `INSERT INTO ref_rules (seq, pattern, allow_force_push, allow_deletion, pushers, require_signed, contexts)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      seq,
      rule.pattern,
      rule.allowForcePush ? 1 : 0,
      rule.allowDeletion ? 1 : 0,
      rule.pushers === undefined ? null : JSON.stringify(rule.pushers),
      rule.requireSigned ? 1 : 0,
      rule.requiredContexts === undefined ? null : JSON.stringify(rule.requiredContexts),
    );
  }
}
