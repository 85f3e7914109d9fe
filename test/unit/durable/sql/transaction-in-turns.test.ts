/** How a large transaction pauses, and when it does not. */
import { afterEach, expect, it, vi } from "vitest";
import { inTransaction } from "../../../../src/durable/sql/transaction-in-turns.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const PARTS = 10;
/** More than one turn takes. */
const STEPS = 3_000_000;

function* work(): Generator<number, string, undefined> {
  for (let part = 0; part < PARTS; part++) yield STEPS;
  return "done";
}

/** Returns how often a transaction waits for a later turn. */
async function pausesOf(isSmall: boolean): Promise<number> {
  const timers = vi.spyOn(globalThis, "setTimeout");
  expect(await inTransaction(nodeSql(), isSmall, work)).toBe("done");
  return timers.mock.calls.length;
}

afterEach(() => void vi.restoreAllMocks());

it("pauses after each turn, and not at all where it is small", async () => {
  expect(await pausesOf(false)).toBe(PARTS);
  vi.restoreAllMocks();
  expect(await pausesOf(true)).toBe(0);
});

it("does the rest in one turn once its pauses have taken ten seconds: the object would be reset", async () => {
  let now = 0;
  vi.spyOn(Date, "now").mockImplementation(() => (now += 3000));
  expect(await pausesOf(false)).toBe(3);
});
