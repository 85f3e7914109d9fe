/** Calls about very many refs: others get a turn before they are answered, and the answers are of the present all the same. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { concat } from "../../../../src/bytes/chunk.ts";
import { fromHex, toHex } from "../../../../src/bytes/hex.ts";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { decodeRefRows } from "../../../../src/refs/ref-rows.ts";
import type { CommitPushAnswer } from "../../../../src/refs/ref-store.ts";
import type { RefUpdate } from "../../../../src/refs/ref-update.ts";
import { nodeSql } from "../../../support/node-sql.ts";
import { NEW_REPOSITORY } from "../../service/memory-service.ts";

const nothing = async (): Promise<unknown> => undefined;
/** What is done in each pause, when all that could run has run; and what that failed with. */
const pausing: { act: typeof nothing; failed?: Error } = { act: nothing };

/** Has the pauses of what is tested, which are timers of no time, do what is asked before they end. */
function watchPauses(): void {
  const wait = globalThis.setTimeout;
  const paused = (then: () => void, milliseconds?: number): ReturnType<typeof setTimeout> => {
    if (milliseconds !== 0) return wait(then, milliseconds);
    const acting = async (): Promise<void> => {
      try {
        await pausing.act();
      } catch (error) {
        pausing.failed ??= error instanceof Error ? error : new Error(String(error));
      }
      then();
    };
    return wait(() => void acting(), 0);
  };
  vi.spyOn(globalThis, "setTimeout").mockImplementation(paused);
}

const MANY = 30_000;
const ZERO = "0".repeat(40);
const oid = (number: number): string => number.toString(16).padStart(40, "0");
const NAMES = Array.from(
  { length: MANY },
  (_, at) => `refs/heads/a-topic-with-a-name-that-is-rather-long-as-some-are/${at}`,
);
const creation = (name: string, at = 0): RefUpdate => ({ name, oldOid: ZERO, newOid: oid(at + 1), forward: true });
const CREATIONS = NAMES.map((name, at) => creation(name, at));
const DELETIONS = CREATIONS.map(({ name, newOid }) => ({ name, oldOid: newOid, newOid: ZERO, forward: false }));

let database: RepositoryDatabase;
/** The statements since the last transaction began, and of those whether one reads refs. */
let inTransaction: string[] = [];
/** Where lists of refs were read from. */
let places: string[] = [];
/** Whether a transaction is under way that pauses. */
let isInTurns = false;
/** A statement that fails in the transaction, by what it begins with, and how often it is run before. */
let failing = { statement: "", after: 0 };

function watched(): SqlDatabase {
  const sql = nodeSql();
  const note = (statement: string): void => {
    inTransaction.push(statement);
    const fails = failing.statement !== "" && statement.startsWith(failing.statement) && failing.after-- === 0;
    if (fails) throw new Error("no room");
  };
  return {
    run: (statement, ...parameters) => (note(statement), sql.run(statement, ...parameters)),
    rows: (statement, ...parameters) => {
      note(statement);
      if (statement.includes("peeled")) places.push(parameters.join(" "));
      return sql.rows(statement, ...parameters);
    },
    transaction: (work) => {
      inTransaction = [];
      return sql.transaction(work);
    },
    transactionInTurns: async (work) => {
      inTransaction = [];
      isInTurns = true;
      return await sql.transactionInTurns(work).finally(() => (isInTurns = false));
    },
  };
}

async function land(updates: readonly RefUpdate[]): Promise<CommitPushAnswer> {
  const by = { actor: "tok_1", pusher: { identities: ["tok_1"] }, signed: false, pushOptions: [] };
  const id = database.describe()?.id ?? "";
  return await database.commitPush({ id, updates, atomic: false, ...by }, () => 1);
}

const kinds = (answer: CommitPushAnswer): string[] =>
  answer.kind === "done" ? answer.outcomes.map((each) => (each.kind === "ok" ? "ok" : each.why.kind)) : [answer.kind];

const looksRefsUp = (): boolean => inTransaction.some((statement) => statement.includes("JOIN refs"));

/** Runs work that gives way, and does something in each of its pauses. Returns how many these were. */
async function during<T>(work: Promise<T>, meanwhile: () => Promise<unknown>): Promise<{ answer: T; pauses: number }> {
  let pauses = 0;
  pausing.act = async () => {
    pauses++;
    await meanwhile();
  };
  const answer = await work.finally(() => (pausing.act = nothing));
  if (pausing.failed !== undefined) throw pausing.failed;
  return { answer, pauses };
}

function opened(): Extract<ReturnType<RepositoryDatabase["open"]>, { kind: "found" }> {
  const page = database.open({ refPrefixes: [] });
  if (page.kind !== "found") throw new Error(page.kind);
  return page;
}

beforeEach(() => {
  database = new RepositoryDatabase(watched(), () => "id");
  database.create(NEW_REPOSITORY, 1);
  failing = { statement: "", after: 0 };
  delete pausing.failed;
  watchPauses();
});
afterEach(() => vi.restoreAllMocks());

describe("a push of very many refs", () => {
  it("finds out what they come to before its transaction, and gives way meanwhile", async () => {
    const { answer, pauses } = await during(land(CREATIONS), nothing);
    expect(new Set(kinds(answer))).toEqual(new Set(["ok"]));
    expect(pauses).toBeGreaterThan(3);
    expect(looksRefsUp()).toBe(false);
    // The log has each move with its values, in order.
    expect(database.refLog({ limit: 2 })?.pushes[0]?.moves).toMatchObject([
      { seq: MANY, name: NAMES[MANY - 1], oldOid: ZERO, newOid: oid(MANY) },
      { seq: MANY - 1, name: NAMES[MANY - 2], oldOid: ZERO, newOid: oid(MANY - 1) },
    ]);
  });

  it("is judged by the refs that there are when it lands, whoever moved them meanwhile", async () => {
    const other = { name: NAMES[5] ?? "", oldOid: ZERO, newOid: oid(99), forward: true };
    let isDone = false;
    const { answer } = await during(land(CREATIONS), async () => {
      if (!isDone) expect(kinds(await land([other]))).toEqual(["ok"]);
      isDone = true;
    });
    expect(kinds(answer)[5]).toBe("exists");
    expect(kinds(answer).filter((kind) => kind === "ok")).toHaveLength(MANY - 1);
    expect(looksRefsUp()).toBe(true);
  });

  it("pauses within its transaction, and so does one that deletes them", async () => {
    let pauses = 0;
    const count = async (): Promise<void> => void (isInTurns && pauses++);
    await during(land(CREATIONS), count);
    expect(pauses).toBeGreaterThan(5);
    pauses = 0;
    // HEAD has come to point to the first.
    const { answer } = await during(land(DELETIONS.slice(1)), count);
    expect(new Set(kinds(answer))).toEqual(new Set(["ok"]));
    expect(pauses).toBeGreaterThan(5);
    expect(Array.from(decodeRefRows(opened().refs, 20), ({ name }) => name)).toEqual([NAMES[0]]);
  });

  it("leaves nothing where it fails after some of its pauses, and lands afterwards", async () => {
    const { version } = opened();
    for (const statement of ["INSERT INTO refs ", "INSERT INTO ref_log "]) {
      failing = { statement, after: 4 };
      await expect(land(CREATIONS)).rejects.toThrow("no room");
      expect(opened()).toMatchObject({ version, refs: [] });
      expect(database.refLog({ limit: 1 })?.pushes).toEqual([]);
    }
    expect(new Set(kinds(await land(CREATIONS)))).toEqual(new Set(["ok"]));
  });

  it("is not found out anew where only refs move that it has nothing to do with", async () => {
    // Otherwise the first branch that is made moves HEAD, which a push has to do with.
    await land([creation("refs/heads/main")]);
    const others = ["refs/heads/b", "refs/heads/a-topic/1", "refs/tags/a", "refs/headsman/a"];
    await during(land(CREATIONS), async () => {
      const name = others.pop();
      if (name !== undefined && !isInTurns) expect(kinds(await land([creation(name)]))).toEqual(["ok"]);
    });
    expect(others).toEqual([]);
    expect(looksRefsUp()).toBe(false);
    expect(database.refLog({ limit: 1, before: 6 })?.pushes[0]?.moves[0]?.name).toBe("refs/heads/b");
  });

  it("is found out anew, with pauses, where the names that move meanwhile have very many directories", async () => {
    const deep = Array.from({ length: 400 }, (_, at) => `refs/heads/${"b/".repeat(1500)}${at}`);
    const others = deep.map((name) => creation(name));
    let isDone = false;
    const { answer, pauses } = await during(land(CREATIONS), async () => {
      if (isDone) return;
      isDone = true;
      expect(new Set(kinds(await land(others)))).toEqual(new Set(["ok"]));
    });
    expect(new Set(kinds(answer))).toEqual(new Set(["ok"]));
    // Without the bound their directories would be all that it looks at.
    expect(looksRefsUp()).toBe(true);
    expect(pauses).toBeGreaterThan(20);
  });

  it.each([
    ["that is a directory of one", `${NAMES[9]}/x/y`, NAMES[9] ?? "", `${NAMES[9]}/x/y`],
    ["below one", NAMES[9] ?? "", `${NAMES[9]}/x/y`, NAMES[9] ?? ""],
  ])("is found out anew where a ref is made meanwhile %s", async (_, pushed, made, refused) => {
    const updates = [...CREATIONS.filter(({ name }) => name !== NAMES[9]), creation(pushed)];
    let isDone = false;
    const { answer } = await during(land(updates), async () => {
      if (!isDone) expect(kinds(await land([creation(made)]))).toEqual(["ok"]);
      isDone = true;
    });
    const refusals = answer.kind === "done" ? answer.outcomes.filter(({ kind }) => kind !== "ok") : [];
    expect(refusals).toEqual([{ name: refused, kind: "rejected", why: { kind: "directory-conflict", other: made } }]);
  });

  it("is begun with the values of the refs as they are then", async () => {
    await land(CREATIONS);
    const request = { names: NAMES };
    const { answer: ahead, pauses } = await during(database.ahead.valuesFor(request), nothing);
    expect(pauses).toBeGreaterThan(0);
    const update = { name: NAMES[7] ?? "", oldOid: oid(8), newOid: oid(1000), forward: true };
    const current = (): readonly string[] => {
      const begun = database.beginPush(request, 1, [], ahead);
      return begun.kind === "begun" ? begun.current : [];
    };
    expect(current()[7]).toBe(oid(8));
    expect(looksRefsUp()).toBe(false);
    await land([update]);
    expect(current()[7]).toBe(oid(1000));
    expect(current()[8]).toBe(oid(9));
    // What has moved is read, and nothing else.
    expect(inTransaction.filter((statement) => statement.includes("JOIN refs"))).toHaveLength(1);
  });
});

describe("a fetch of very many wants", () => {
  it("has them looked up again in turns where a ref moves meanwhile", async () => {
    await land(CREATIONS);
    const wants = concat(Array.from({ length: MANY }, (_, at) => fromHex(oid(at + 1)) ?? new Uint8Array(0)));
    let isDone = false;
    await during(database.ahead.lookFor({ wants }), async () => {
      if (!isDone) await land([{ name: NAMES[3] ?? "", oldOid: oid(4), newOid: ZERO, forward: false }]);
      isDone = true;
    });
    inTransaction = [];
    const page = database.open({ wants });
    expect(inTransaction.some((statement) => statement.includes("WHERE oid ="))).toBe(false);
    expect(page.kind === "found" ? page.wantIsTip.indexOf(0) : page.kind).toBe(3);
  });

  it("has them looked up before it is answered, and anew when a ref has moved since", async () => {
    await land(CREATIONS);
    const wants = concat(Array.from({ length: MANY }, (_, at) => fromHex(oid(at + 2)) ?? new Uint8Array(0)));
    const { pauses } = await during(database.ahead.lookFor({ wants }), nothing);
    expect(pauses).toBeGreaterThan(0);
    const look = (): readonly [tips: number, uncovered: number] => {
      const page = database.open({ wants });
      if (page.kind !== "found") throw new Error(page.kind);
      return [page.wantIsTip.reduce((sum, each) => sum + each, 0), page.uncoveredTips];
    };
    inTransaction = [];
    expect(look()).toEqual([MANY - 1, 1]);
    expect(inTransaction.some((statement) => statement.includes("WHERE oid ="))).toBe(false);
    await land([{ name: NAMES[3] ?? "", oldOid: oid(4), newOid: ZERO, forward: false }]);
    expect(look()).toEqual([MANY - 2, 1]);
  });
});

describe("a list of very many refs", () => {
  const listed = (page: ReturnType<typeof database.open>): Map<string, string> => {
    if (page.kind !== "found") throw new Error(page.kind);
    return new Map(Array.from(decodeRefRows(page.refs, 20), (row) => [row.name, toHex(row.oid)]));
  };

  it.each([
    ["all", []],
    ["those below prefixes", ["refs/tags/", "refs/heads/a-topic", "refs/heads/a-topic-with"]],
  ])("is read before it is answered, %s, in parts between which others get a turn", async (_, refPrefixes) => {
    await land(CREATIONS);
    const { answer: ahead, pauses } = await during(database.ahead.refsFor({ refPrefixes }), nothing);
    expect(pauses).toBeGreaterThan(1);
    inTransaction = [];
    const names = [...listed(database.open({ refPrefixes }, "", [], ahead)).keys()];
    expect(names).toEqual(NAMES.toSorted());
    expect(
      inTransaction.some((statement) => /FROM refs|JOIN refs/.test(statement) && statement.includes("peeled")),
    ).toBe(false);
  });

  it("begins anew where refs move meanwhile, and is of the present if they move all the time", async () => {
    await land(CREATIONS);
    let moves = 0;
    const move = async (): Promise<void> => {
      const [old, next] = [oid(moves === 0 ? 4 : 100_000 + moves), oid(100_001 + moves)];
      moves++;
      expect(kinds(await land([{ name: NAMES[3] ?? "", oldOid: old, newOid: next, forward: true }]))).toEqual(["ok"]);
    };
    const request = { refPrefixes: [] };
    const { answer: ahead, pauses } = await during(database.ahead.refsFor(request), move);
    expect([moves, pauses > 2]).toEqual([pauses, true]);
    const refs = listed(database.open(request, "", [], ahead));
    expect([refs.size, refs.get(NAMES[3] ?? "")]).toEqual([MANY, oid(100_000 + moves)]);
  });

  it("is read after those that were asked for before, so that few are held at once", async () => {
    await land(CREATIONS);
    places = [];
    const asked = Array.from({ length: 4 }, () => database.ahead.refsFor({ refPrefixes: [] }));
    const lists = await Promise.all(asked);
    expect(lists.map((ahead) => listed(database.open({ refPrefixes: [] }, "", [], ahead)).size)).toEqual(
      lists.map(() => MANY),
    );
    // Each has read its first part, and waited until those before it were read to their ends.
    const [first = "", second = "", third = "", fourth = "", ...later] = places;
    expect(new Set([first, second, third, fourth]).size).toBe(1);
    const parts = later.length / asked.length;
    expect(parts).toBeGreaterThan(3);
    const runs = lists.map((_, at) => later.slice(at * parts, (at + 1) * parts));
    expect(runs).toEqual(runs.map(() => [...new Set(later)]));
  });

  it("has nothing read for it where the caller may not read, or asks for no refs", async () => {
    await land(CREATIONS);
    inTransaction = [];
    expect(await database.ahead.refsFor({ refPrefixes: [], publicOnly: true })).toBeUndefined();
    expect(await database.ahead.refsFor({ packs: true })).toBeUndefined();
    expect(inTransaction.filter((statement) => statement.includes("FROM refs"))).toEqual([]);
  });
});
