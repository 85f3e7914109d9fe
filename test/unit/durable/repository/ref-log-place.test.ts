/** Where in the ref log an instant lies, and how its rows are numbered. */
import { expect, it } from "vitest";
import { atOnce } from "../../../../src/bytes/pacer.ts";
import { REPOSITORY_SCHEMA, emptyTables } from "../../../../src/durable/repository/schema.ts";
import {
  appendRefLog,
  LOG_ENDS_DDL,
  placeBefore,
  REF_LOG_DDL,
  refLogEnds,
} from "../../../../src/durable/repository/tables/ref-log.ts";
import { Tables } from "../../../../src/durable/sql/migrations.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { statementsOf } from "../../../suites/schema.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const move = (name: string) => ({ name, oldOid: "00", newOid: "01", forward: true });

it("an instant's place is behind the last move before it, whatever is gone from the log", () => {
  const db = nodeSql();
  for (const statement of [...REF_LOG_DDL.split(";"), LOG_ENDS_DDL]) db.run(statement);
  expect(placeBefore(db, 10)).toBe(0);
  const times: number[] = [];
  for (let push = 0; push < 40; push++) {
    const names = Array.from({ length: 1 + (push % 3) }, (_, at) => `refs/heads/${at}`);
    atOnce(appendRefLog(db, { actor: "operator", at: 10 * push, options: [] }, names.map(move)));
    times.push(...names.map(() => 10 * push));
  }
  const expected = (at: number): number => times.filter((time) => time < at).length;
  for (let at = -5; at < 420; at += 5) expect(`${at}: ${placeBefore(db, at)}`).toBe(`${at}: ${expected(at)}`);
  db.run("DELETE FROM ref_log WHERE seq <= 20");
  for (let at = -5; at < 420; at += 5) expect(placeBefore(db, at)).toBe(Math.max(20, expected(at)));
});

/** Adds a push of two moves. Returns its number and that of its last move. */
function append(db: SqlDatabase): [number, number] {
  const entry = { actor: "operator", at: 1, options: [] };
  const push = atOnce(appendRefLog(db, entry, ["refs/heads/a", "refs/heads/b"].map(move)));
  return [push, refLogEnds(db).newest];
}

it("numbers rise, and are not used again after the repository is removed", () => {
  const db = nodeSql();
  new Tables(db, REPOSITORY_SCHEMA).make();
  expect([append(db), append(db)]).toEqual([
    [1, 2],
    [2, 4],
  ]);
  for (let removals = 0; removals < 2; removals++) emptyTables(db);
  expect(refLogEnds(db).newest).toBe(0);
  expect([append(db), append(db)]).toEqual([
    [3, 6],
    [4, 8],
  ]);
});

it("numbers go on in a database of an earlier build, whose log may be empty by now", () => {
  for (const isEmptied of [false, true]) {
    const db = nodeSql();
    for (const statement of statementsOf("repository", 36)) db.run(statement);
    for (let push = 1; push <= 3; push++) {
      db.run("INSERT INTO pushes (actor, at, options) VALUES ('operator', 6, '[]')");
      db.run("INSERT INTO ref_log (push, name, old, new, forward) VALUES (?, 'refs/heads/a', x'00', x'01', 1)", push);
    }
    if (isEmptied) for (const table of ["pushes", "ref_log"]) db.run(`DELETE FROM ${table}`);
    expect(new Tables(db, REPOSITORY_SCHEMA).exist).toBe(true);
    expect([...db.rows("SELECT seq, push, name FROM ref_log")]).toHaveLength(isEmptied ? 0 : 3);
    expect(append(db)).toEqual([4, 5]);
  }
});
