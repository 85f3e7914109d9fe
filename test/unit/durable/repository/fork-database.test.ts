/** Forks and their loans on two databases, the borrower's and the lender's: no call loses a loan that is in use. */
import { beforeEach, describe, expect, it } from "vitest";
import type { PackRecord } from "../../../../src/catalog/pack-record.ts";
import { LenderDatabase } from "../../../../src/durable/lender/lender-database.ts";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { CreateRequest } from "../../../../src/refs/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const HOUR = 60 * 60_000;
const PARENT = "2".repeat(32);
const FORK = { id: "1".repeat(32), name: "acme/fork" };

/** Returns a pack of the parent, as the fork's catalog begins with it. */
const pack = (name: string): PackRecord => ({
  name,
  checksum: "c".repeat(40),
  objects: 3,
  ownObjects: 3,
  packBytes: 500,
  ownBytes: 480,
  indexBytes: 1100,
  indexHead: new Uint8Array(1100),
  marked: true,
  source: "receive",
  createdAt: 1,
  loan: { home: PARENT, state: "lent" },
});

const request = (...packs: string[]): CreateRequest => ({
  id: FORK.id,
  objectFormat: "sha1",
  visibility: "private",
  head: "refs/heads/main",
  description: "",
  fork: { origin: { id: PARENT, name: "acme/parent", isPublic: false }, refs: [], packs: packs.map(pack) },
});

let sql = nodeSql();
function database(): RepositoryDatabase {
  sql = nodeSql();
  return new RepositoryDatabase(sql, () => "3".repeat(32));
}
let borrower = database();
let lender = new LenderDatabase(nodeSql());
beforeEach(() => {
  borrower = database();
  lender = new LenderDatabase(nodeSql());
});

function prepare(now: number, ...packs: string[]): boolean {
  return borrower.forks.prepare(
    FORK.id,
    packs.map((name) => ({ pack: name, home: PARENT })),
    now,
  );
}

/** Makes the fork, as far as it is prepared. Returns the kind of the answer. */
function fork(now: number, ...packs: string[]): string {
  if (prepare(now, ...packs)) lender.lend(FORK, packs);
  return borrower.create(request(...packs), now).kind;
}

/** Tells the lender what is due. With `isLost`, its answers don't come back. */
function settle(now: number, isLost = false): string[] {
  const told = borrower.forks.due(now);
  for (const due of told) {
    const { home: _, ...settlement } = due;
    lender.settle(settlement);
    if (!isLost) borrower.forks.told(due);
  }
  if (isLost) borrower.forks.postpone(now);
  return told.flatMap(({ returned }) => returned);
}

/** Tells the borrowers what the lender has to say. The fork is the only one with tables. */
function tell(now: number): void {
  for (const due of lender.notices(now)) {
    if (due.notice.borrower === FORK.id) borrower.forks.notice(due.notice, now);
    lender.noticed(due);
  }
}

describe("a lender's notice", () => {
  const notice = { borrower: FORK.id, abandoned: ["p"], demanded: [] };

  it("finds the fork where it lives after a rename back was called off, and while that is under way", () => {
    fork(0, "p");
    borrower.moves.begin("acme/other");
    borrower.moves.end();
    const moved = { kind: "moved", to: "acme/other" };
    expect(borrower.forks.notice(notice, 1)).toEqual(moved);
    borrower.moves.arrive({ id: FORK.id, kind: "begin" });
    expect(borrower.forks.notice(notice, 2)).toEqual(moved);
    borrower.moves.arrive({ id: FORK.id, kind: "cancel" });
    expect(borrower.forks.notice(notice, 3)).toEqual(moved);
  });

  it("is not answered by an object that knows nothing of the borrower, or to which it is just coming", () => {
    expect(() => borrower.forks.notice(notice, 0)).toThrow("nothing is known here");
    borrower.moves.arrive({ id: FORK.id, kind: "begin" });
    expect(() => borrower.forks.notice(notice, 1)).toThrow("nothing is known here");
  });

  it("is given again to a fork that is made after an attempt that a notice has ended", () => {
    lender.lend({ id: "o", name: "acme/o" }, ["p"]);
    lender.retire(["p"]);
    prepare(0, "p");
    lender.lend(FORK, ["p"]);
    tell(1);
    expect(fork(2, "p")).toBe("stale");
    settle(3);
    expect(fork(4, "p")).toBe("created");
    tell(5);
    const opened = borrower.open({ packs: true });
    expect(opened.kind === "found" && opened.packs).toMatchObject([{ name: "p", loan: { state: "own" } }]);
  });

  it("hears that a borrower is over once it was deleted, and all of its packs were returned", () => {
    fork(0, "p");
    borrower.remove(1);
    expect(borrower.forks.notice(notice, 2)).toEqual({ kind: "noted" });
    expect(settle(3)).toEqual(["p"]);
    expect(borrower.forks.notice(notice, 4)).toEqual({ kind: "unknown" });
  });
});

describe("the note of a fork's loans", () => {
  it("has them returned in an hour if the fork is not made, and is taken back if it is", () => {
    expect(prepare(0, "p")).toBe(true);
    expect([settle(HOUR - 1), settle(HOUR), settle(2 * HOUR)]).toEqual([[], ["p"], []]);
    expect(fork(3 * HOUR, "p")).toBe("created");
    expect(settle(9 * HOUR)).toEqual([]);
  });

  it("is not made for a fork that exists: another request was first", () => {
    expect(fork(0, "p")).toBe("created");
    expect(prepare(1, "p")).toBe(false);
    expect(borrower.create(request("p"), 2).kind).toBe("exists");
    expect(settle(2 * HOUR)).toEqual([]);
    expect(lender.retire(["p"])).toEqual([]);
  });

  it("of an earlier build does not end the loans of a fork that lives", () => {
    fork(0, "p");
    const row = "INSERT INTO pack_returns (pack, borrower, home, kind, due_at) VALUES ('p', ?, ?, 'returned', 1)";
    sql.run(row, FORK.id, PARENT);
    sql.run(row, "5".repeat(32), PARENT);
    expect(borrower.forks.due(2).map(({ borrower: id }) => id)).toEqual(["5".repeat(32)]);
  });

  it("stays for packs that the request which was first did not borrow", () => {
    expect(prepare(0, "p", "q")).toBe(true);
    lender.lend(FORK, ["p", "q"]);
    expect(fork(1, "p")).toBe("created");
    expect(settle(2 * HOUR)).toEqual(["q"]);
    expect(lender.retire(["p", "q"])).toEqual(["q"]);
  });

  it("is not made for a fork that was deleted, or lives elsewhere", () => {
    fork(0, "p");
    borrower.moves.begin("acme/other");
    borrower.moves.end();
    expect(prepare(1, "p")).toBe(false);
    expect(borrower.create(request("p"), 1).kind).toBe("gone");
    borrower = database();
    fork(2, "p");
    borrower.remove(3);
    expect(prepare(4, "p")).toBe(false);
    expect(borrower.create(request("p"), 4).kind).toBe("gone");
    expect(settle(5)).toEqual(["p"]);
  });

  it("stays for all packs where the fork can't be made with some of them", () => {
    prepare(0, "p");
    expect(borrower.create(request("p", "q"), 1).kind).toBe("stale");
    expect(settle(HOUR)).toEqual(["p"]);
  });

  it.each([
    ["that a notice has ended", (): void => tell(150), 151],
    ["whose time is up", (): void => undefined, HOUR],
  ])("does not count again %s, though the lender's answer is lost", (_, end, now) => {
    lender.lend({ id: "o", name: "acme/o" }, ["p"]);
    lender.retire(["p"]);
    prepare(0, "p");
    lender.lend(FORK, ["p"]);
    end();
    expect(settle(now, true)).toEqual(["p"]);
    expect(borrower.create(request("p"), now + 1).kind).toBe("stale");
    // Another request does not bring it back: the loan is over, or is about to be.
    expect(fork(now + 2, "p")).toBe("stale");
    expect(settle(now + 30_000)).toEqual(["p"]);
    expect(fork(now + 30_001, "p")).toBe("created");
    lender.settle({ borrower: "o", returned: ["p"], kept: [] });
    expect(lender.doomedPacks()).toEqual([]);
  });
});
