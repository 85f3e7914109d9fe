/**
 * Table `commit_graphs`: the layers of the commit-graph, the lowest first. Those that are dropped are told to no reader: they have commits
 * that nothing reaches any more. The next graph is made with their help.
 *
 * Table `commit_graph_way`: the raw names of commits from which the next step that makes a layer goes on, one after the other, if the last step
 * has left some.
 *
 * @packageDocumentation
 */
import type { CommitGraphRecord } from "../../../catalog/commit-graph-record.ts";
import { blobAt, firstRow, integerAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";

export const COMMIT_GRAPHS_DDL = `CREATE TABLE IF NOT EXISTS commit_graphs (
  level INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  commits INTEGER NOT NULL,
  filters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS commit_graph_way (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  names BLOB NOT NULL
)`;

/** Returns the names of the commits from which the next step goes on; `undefined` if it begins at refs. */
export function readGraphWay(db: SqlDatabase): Uint8Array | undefined {
  const row = firstRow(db.rows("SELECT names FROM commit_graph_way"));
  return row === undefined ? undefined : blobAt(row, 0);
}

/** Sets what {@link readGraphWay} returns. */
export function writeGraphWay(db: SqlDatabase, names: Uint8Array | undefined): void {
  if (names === undefined) db.run("DELETE FROM commit_graph_way");
  else db.run("INSERT OR REPLACE INTO commit_graph_way (one, names) VALUES (1, ?)", names);
}

/** Returns the layers: those that readers are told of, or those that were dropped. */
export function listGraphs(db: SqlDatabase, which: "shown" | "dropped" = "shown"): CommitGraphRecord[] {
  const rows = db.rows(
    "SELECT name, checksum, commits, filters, bytes FROM commit_graphs WHERE dropped = ? ORDER BY level",
    which === "dropped" ? 1 : 0,
  );
  return Array.from(rows, (row) => ({
    name: textAt(row, 0),
    checksum: textAt(row, 1),
    commits: integerAt(row, 2),
    filters: integerAt(row, 3),
    bytes: integerAt(row, 4),
  }));
}

/** Drops the layers from number `kept` on. */
export function dropGraphs(db: SqlDatabase, kept: number): void {
  db.run("UPDATE commit_graphs SET dropped = 1 WHERE level >= ?", kept);
}

/** Removes the layers from number `kept` on. */
export function deleteGraphs(db: SqlDatabase, kept: number): void {
  db.run("DELETE FROM commit_graphs WHERE level >= ?", kept);
}

/** Adds a layer on top of `level` others. */
export function insertGraph(db: SqlDatabase, level: number, record: CommitGraphRecord): void {
  const { name, checksum, commits, filters, bytes } = record;
  db.run(
    "INSERT INTO commit_graphs (level, name, checksum, commits, filters, bytes) VALUES (?, ?, ?, ?, ?, ?)",
    level,
    name,
    checksum,
    commits,
    filters,
    bytes,
  );
}
