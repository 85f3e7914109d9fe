/** The loans of the packs below one prefix, without its Durable Object. */
import { beforeEach, describe, expect, it } from "vitest";
import { LenderDatabase } from "../../../../src/durable/lender/lender-database.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const A = { id: "a", name: "acme/a" };
const B = { id: "b", name: "acme/b" };

let lender: LenderDatabase;
beforeEach(() => {
  lender = new LenderDatabase(nodeSql());
});

/** Tells all borrowers what is due. Gives what they were told. */
function tellAll(now = 0): unknown[] {
  const due = lender.notices(now);
  for (const notice of due) lender.noticed(notice);
  return due.map(({ notice }) => notice);
}

const returned = (borrower: string, ...packs: string[]): void => lender.settle({ borrower, returned: packs, kept: [] });
const kept = (borrower: string, ...packs: string[]): void => lender.settle({ borrower, returned: [], kept: packs });

describe("a lender", () => {
  it("writes nothing before it lends", () => {
    expect([lender.notices(0), lender.doomedPacks(), lender.nextDue(0)]).toEqual([[], [], undefined]);
  });

  it("gives packs up only when nobody borrows them, and lends them no more then", () => {
    expect(lender.lend(A, ["p", "q"])).toBe(true);
    expect(lender.lend(B, ["q"])).toBe(true);
    expect(lender.retire(["p", "q", "r"])).toEqual(["r"]);
    expect(lender.lend(B, ["q", "r"])).toBe(false);
    // What is borrowed still may be borrowed by a fork of the fork.
    expect(lender.lend(B, ["p"])).toBe(true);
    returned("a", "p", "q");
    expect(lender.doomedPacks()).toEqual([]);
    returned("b", "p", "q");
    expect(lender.doomedPacks()).toEqual(["p", "q"]);
    expect(lender.nextDue(5)).toBe(5);
    expect(lender.lend(A, ["p"])).toBe(false);
    lender.packDeleted("p");
    lender.packDeleted("q");
    expect(lender.lend(A, ["p"])).toBe(false);
    expect(lender.nextDue(5)).toBeUndefined();
  });

  it("gives up nothing that a restored repository needs, and lends it again", () => {
    lender.revive(["p"]);
    expect(lender.lend(A, ["p", "q"])).toBe(true);
    lender.doom();
    returned("a", "p", "q");
    expect(lender.doomedPacks()).toEqual(["p", "q"]);
    lender.revive(["p"]);
    expect(lender.doomedPacks()).toEqual(["q"]);
    expect(lender.lend(B, ["p", "r"])).toBe(true);
    returned("b", "p", "r");
    expect(lender.doomedPacks()).toEqual(["q"]);
  });

  it("keeps what is borrowed of a prefix that is deleted, and lends nothing else of it", () => {
    lender.lend(A, ["p"]);
    expect(lender.doom()).toEqual(["p"]);
    expect(lender.doom()).toEqual(["p"]);
    expect(lender.lend(B, ["q"])).toBe(false);
    expect(lender.lend(B, ["p", "q"])).toBe(false);
    expect(lender.lend(B, ["p"])).toBe(true);
    expect(tellAll()).toEqual([
      { borrower: "a", abandoned: ["p"], demanded: [] },
      { borrower: "b", abandoned: ["p"], demanded: [] },
    ]);
    expect(tellAll()).toEqual([]);
    returned("a", "p");
    expect(lender.doom()).toEqual(["p"]);
    returned("b", "p");
    expect(lender.doomedPacks()).toEqual(["p"]);
    expect(lender.doom()).toEqual([]);
  });

  it("waits for a purge until every borrower has answered, and every file is gone", () => {
    lender.lend(A, ["p", "q"]);
    lender.lend(B, ["p"]);
    lender.retire(["p", "q"]);
    expect(lender.purge(true)).toBe(2);
    expect(tellAll()).toEqual([
      { borrower: "a", abandoned: [], demanded: ["p", "q"] },
      { borrower: "b", abandoned: [], demanded: ["p"] },
    ]);
    kept("a", "p");
    returned("a", "q");
    expect(lender.purge(false)).toBe(2);
    kept("b", "p");
    expect(lender.purge(false)).toBe(1);
    lender.packDeleted("q");
    expect(lender.purge(false)).toBe(0);
    // The next purge asks again.
    expect(lender.purge(true)).toBe(1);
    expect(tellAll()).toHaveLength(2);
  });

  it("tells a borrower again that has not answered, and one that could not be told later", () => {
    lender.lend(A, ["p"]);
    lender.retire(["p"]);
    lender.purge(true);
    expect(tellAll()).toHaveLength(1);
    expect(lender.purge(false)).toBe(1);
    lender.postpone("a", 1000);
    expect(tellAll(1000)).toEqual([]);
    const due = lender.nextDue(1000) ?? 0;
    expect(due).toBeGreaterThan(1000);
    expect(tellAll(due)).toHaveLength(1);
  });

  it("lends to a repository that has come back also what was given up, and takes it back in the end", () => {
    lender.lend(A, ["p", "q"]);
    lender.retire(["p"]);
    returned("a", "p", "q");
    expect(lender.doomedPacks()).toEqual(["p"]);
    expect(lender.relend(A, ["p", "q"])).toBe(false);
    expect(lender.retire(["q"])).toEqual(["q"]);
    lender.packDeleted("p");
    expect(lender.relend(A, ["p", "q"])).toBe(true);
    expect(lender.relend(A, ["p", "q"])).toBe(true);
    // The owner has neither any more, and says so again.
    expect(lender.retire(["p", "q"])).toEqual([]);
    expect(lender.doom()).toEqual(["p", "q"]);
    expect(lender.relend(B, ["r"])).toBe(true);
    returned("a", "p", "q");
    expect(lender.doomedPacks()).toEqual(["p", "q"]);
    returned("b", "r");
    expect(lender.doomedPacks()).toEqual(["p", "q", "r"]);
  });

  it("finds a borrower under its new name, and forgets one that is gone", () => {
    lender.lend(A, ["p"]);
    lender.lend(B, ["q"]);
    lender.retire(["p", "q"]);
    lender.postpone("a", 0);
    lender.renamed("a", "acme/new");
    expect(lender.notices(0).map(({ name }) => name)).toEqual(["acme/new", "acme/b"]);
    lender.forget("a");
    expect(lender.doomedPacks()).toEqual(["p"]);
    expect(lender.notices(0).map(({ name }) => name)).toEqual(["acme/b"]);
  });
});
