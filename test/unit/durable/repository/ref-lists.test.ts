/** Lists of refs that are read in parts: what is looked at for a part has a bound, whatever comes of it. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromHex } from "../../../../src/bytes/hex.ts";
import { refPage } from "../../../../src/durable/repository/open-page.ts";
import { askedRefs } from "../../../../src/durable/repository/tables/refs-at.ts";
import { REF_LOG_DDL } from "../../../../src/durable/repository/tables/ref-log.ts";
import { REFS_DDL } from "../../../../src/durable/repository/tables/refs.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { decodeRefRows } from "../../../../src/refs/ref-rows.ts";
import type { OpenRequest } from "../../../../src/refs/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const MANY = 30_000;
const raw = (number: number): Uint8Array => fromHex(number.toString(16).padStart(40, "0")) ?? new Uint8Array(0);
const nameAt = (at: number): string => `refs/heads/${String(at).padStart(6, "0")}`;

let db: SqlDatabase;
/** The rows that were taken, and the characters of all parameters. */
let [rows, characters] = [0, 0];

/** Rows are handed out one at a time, as Cloudflare does it, and counted. */
function counted(sql: SqlDatabase): SqlDatabase {
  return {
    ...sql,
    *rows(statement, ...parameters) {
      for (const parameter of parameters) characters += typeof parameter === "string" ? parameter.length : 0;
      for (const row of sql.rows(statement, ...parameters)) {
        rows++;
        yield row;
      }
    },
  };
}

/** Reads a list to its end. Returns its names, and the most rows of `refs` that were taken for one part. */
function read(request: OpenRequest): { names: string[]; parts: number; mostRows: number } {
  const list = askedRefs(db, request, {});
  const work = refPage(list, "");
  let [parts, mostRows] = [0, 0];
  rows = 0;
  for (;;) {
    const before = rows;
    const next = work.next();
    parts++;
    mostRows = Math.max(mostRows, rows - before);
    if (next.done !== true) continue;
    return { names: Array.from(decodeRefRows(next.value.refs, 20), ({ name }) => name), parts, mostRows };
  }
}

beforeAll(() => {
  const sql = nodeSql();
  for (const statement of [...REFS_DDL.split(";"), ...REF_LOG_DDL.split(";")]) sql.run(statement);
  sql.run("INSERT INTO pushes (seq, actor, at, options) VALUES (1, 'a', 1, '[]'), (2, 'a', 100, '[]')");
  sql.transaction(() => {
    for (let at = 0; at < MANY; at++) {
      sql.run("INSERT INTO refs (name, oid) VALUES (?, ?)", nameAt(at), raw(at + 1));
      // Every thousandth was there from the beginning, under another value.
      const moved = [nameAt(at), at % 1000 === 0 ? raw(7) : raw(0), raw(at + 1)] as const;
      sql.run("INSERT INTO ref_log (push, name, old, new, forward) VALUES (2, ?, ?, ?, 1)", ...moved);
    }
  });
  db = counted(sql);
});

beforeEach(() => {
  characters = 0;
});

describe("a list of refs", () => {
  it("at an instant ends a part by the refs that it passes over", () => {
    const { names, parts, mostRows } = read({ refPrefixes: [], at: 50 });
    expect(names).toEqual(Array.from({ length: MANY / 1000 }, (_, at) => nameAt(at * 1000)));
    expect(parts).toBeGreaterThan(2);
    expect(mostRows).toBeLessThan(12_000);
  });

  it("of very many prefixes sends each to the database about once, and ends a part by prefixes, too", () => {
    const prefixes = Array.from({ length: MANY }, (_, at) => nameAt(at));
    const { names, parts, mostRows } = read({ refPrefixes: prefixes });
    expect(names).toHaveLength(MANY);
    expect(names).toEqual(prefixes);
    expect(parts).toBeGreaterThan(5);
    expect(mostRows).toBeLessThan(12_000);
    const sent = JSON.stringify(prefixes.map((prefix) => [prefix, prefix])).length;
    expect(characters).toBeLessThan(1.5 * sent);

    const none = read({ refPrefixes: prefixes.map((prefix) => `${prefix}x`) });
    expect(none.names).toEqual([]);
    expect(none.parts).toBeGreaterThan(2);
  });

  it("goes on behind the last name of a part, also where a prefix ends there or has bytes that are no text", () => {
    const odd = "refs/heads/\\%E9";
    db.run("INSERT INTO refs (name, oid) VALUES (?, ?)", "refs/heads/\u00e9a", raw(9));
    const prefixes = [...Array.from({ length: 3000 }, (_, at) => nameAt(at * 10).slice(0, -1)), odd];
    const { names } = read({ refPrefixes: prefixes.toReversed() });
    expect(names).toEqual([...Array.from({ length: MANY }, (_, at) => nameAt(at)), `${odd}a`]);
  });
});
