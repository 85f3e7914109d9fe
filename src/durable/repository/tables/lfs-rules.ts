/**
 * Table `lfs_rules`: what pushes have to do about Git LFS. Without a row there are no rules.
 *
 * @packageDocumentation
 */
import { DEFAULT_LFS_RULES, type LfsRules } from "../../../refs/lfs-rules.ts";
import { firstRow, integerAt, type SqlDatabase } from "../../sql/sql-database.ts";

export const LFS_RULES_DDL = `CREATE TABLE IF NOT EXISTS lfs_rules (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  require_objects INTEGER NOT NULL,
  above INTEGER NOT NULL
)`;

/** Reads the rules. */
export function readLfsRules(db: SqlDatabase): LfsRules {
  const row = firstRow(db.rows("SELECT require_objects, above FROM lfs_rules"));
  return row === undefined ? DEFAULT_LFS_RULES : { requireObjects: integerAt(row, 0) === 1, above: integerAt(row, 1) };
}

/** Changes the given rules. */
export function changeLfsRules(db: SqlDatabase, change: Partial<LfsRules> = {}): void {
  if (Object.keys(change).length === 0) return;
  const { requireObjects, above } = { ...readLfsRules(db), ...change };
  db.run(
    "INSERT OR REPLACE INTO lfs_rules (one, require_objects, above) VALUES (1, ?, ?)",
    Number(requireObjects),
    above,
  );
}
