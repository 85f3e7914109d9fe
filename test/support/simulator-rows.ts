/**
 * What the local simulators of objects and of R2 keep in their databases.
 *
 * @packageDocumentation
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Returns the rows of a table in each of the databases below a directory of state that have it. R2's objects are in `_mf_objects`. */
export function rowsOf(state: string, table: string): Record<string, unknown>[] {
  const files = readdirSync(state, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".sqlite"))
    .flatMap((name) => {
      const db = new DatabaseSync(join(state, name), { readOnly: true });
      const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) !== undefined;
      const rows = isThere ? db.prepare(`SELECT * FROM ${table}`).all() : [];
      db.close();
      return rows;
    });
}
