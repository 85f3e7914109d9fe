/** What becomes of a repository's tables when they come from a backup. */
import { beforeEach, describe, expect, it } from "vitest";
import { atOnce } from "../../../../src/bytes/pacer.ts";
import { KEPT_TABLES, REPOSITORY_SCHEMA } from "../../../../src/durable/repository/schema.ts";
import { setStatus } from "../../../../src/durable/repository/tables/commit-statuses.ts";
import { appendRefLog } from "../../../../src/durable/repository/tables/ref-log.ts";
import {
  expiredLeases,
  hasLease,
  insertReplaced,
  LEASE_TIME,
} from "../../../../src/durable/repository/tables/leases.ts";
import {
  leaseStrays,
  settleRestored,
  VERSION_JUMP,
  whereabouts,
} from "../../../../src/durable/repository/tables/restored.ts";
import { Tables } from "../../../../src/durable/sql/migrations.ts";
import { integerAt, type SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const NOW = 1_800_000_000_000;
const status = {
  context: "ci",
  state: "success",
  description: "",
  targetUrl: "",
  actor: "operator",
  at: 0,
} as const;

let db: SqlDatabase;
beforeEach(() => {
  db = nodeSql();
  const tables = new Tables(db, REPOSITORY_SCHEMA);
  tables.transaction(() => tables.make());
  db.run(`INSERT INTO repository (one, id, object_format, visibility, head, description, read_only, created_at, version, derived_version)
    VALUES (1, 'here', 'sha1', 'private', 'refs/heads/main', '', 0, 0, 7, 7)`);
});

const number = (sql: string): number => integerAt(Array.from(db.rows(sql))[0] ?? [], 0);
const texts = (sql: string): unknown[] => Array.from(db.rows(sql), ([value]) => value);
const push = (): number => atOnce(appendRefLog(db, { actor: "a", at: 0, options: [] }, []));

describe("a restored repository", () => {
  it("gives out no number that was given out since an earlier restore", () => {
    settleRestored(db, 10);
    expect(number("SELECT version FROM repository")).toBe(7 + VERSION_JUMP);
    settleRestored(db, NOW);
    expect(number("SELECT version FROM repository")).toBe(NOW);
    expect(push()).toBe(NOW + 1);
    settleRestored(db, NOW - 5);
    expect(push()).toBe(NOW + 2);
    db.run("INSERT INTO lfs_locks (path, owner, owner_name, at) VALUES ('a', 'b', 'c', 0)");
    expect(number("SELECT seq FROM lfs_locks")).toBe(NOW + 1);
  });

  it("keeps the statuses of its commits when the next one comes", () => {
    setStatus(db, "11".repeat(20), status);
    settleRestored(db, NOW);
    setStatus(db, "22".repeat(20), status);
    expect(number("SELECT count(*) FROM commit_statuses")).toBe(2);
  });

  it("has files deleted in a day that came later, and lands nothing with them", () => {
    insertReplaced(db, "replaced", NOW + LEASE_TIME + 1);
    db.run("INSERT INTO clone_twin (one, packs, day, clones, name, bytes) VALUES (1, '', 0, 0, 'twin', 1)");
    leaseStrays(db, ["replaced", "twin", "later"], NOW);
    expect(expiredLeases(db, NOW + LEASE_TIME - 1)).toEqual([]);
    expect(expiredLeases(db, NOW + LEASE_TIME)).toEqual(["later"]);
    expect(["replaced", "later"].map((pack) => hasLease(db, pack, NOW))).toEqual([true, false]);
  });

  it("is neither deleted nor elsewhere, whatever was noted of it, and others stay as they are", () => {
    expect(KEPT_TABLES).toEqual(expect.arrayContaining(["moved", "doomed_prefixes", "pack_returns", "lfs_leaving"]));
    for (const id of ["here", "gone", "away"])
      db.run("INSERT INTO doomed_prefixes (id, due_at, leased_until) VALUES (?, 0, 0)", id);
    for (const id of ["here", "away"])
      db.run("INSERT INTO moved (id, state, target, is_public) VALUES (?, 'forwarding', 'acme/new', 0)", id);
    db.run("INSERT INTO moved (id, state, target, is_public) VALUES ('part', 'arriving', '', 0)");
    for (const [pack, borrower] of [
      ["p", "here"],
      ["q", "here"],
      ["p", "gone"],
    ] as const)
      db.run(
        "INSERT INTO pack_returns (pack, borrower, home, kind, due_at) VALUES (?, ?, 'h', 'returned', 0)",
        pack,
        borrower,
      );
    db.run("INSERT INTO borrowed_packs (pack, home, state) VALUES ('p', 'h', 'lent')");
    settleRestored(db, NOW);
    expect(texts("SELECT id FROM doomed_prefixes")).toEqual(["gone"]);
    expect(Array.from(db.rows("SELECT id, state FROM moved"))).toEqual([["away", "gone"]]);
    expect(texts("SELECT pack || borrower FROM pack_returns ORDER BY 1")).toEqual(["pgone", "qhere"]);
    expect(["here", "gone", "away", "other"].map((id) => whereabouts(db, id))).toEqual([
      { kind: "here" },
      { kind: "doomed" },
      { kind: "moved", to: "acme/new" },
      { kind: "unknown" },
    ]);
  });
});
