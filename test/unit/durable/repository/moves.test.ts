/** Renames between two objects' tables: what arrives, what stays, and what an interruption leaves. */
import { beforeEach, describe, expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import { type Arrival, RepositoryMover } from "../../../../src/durable/repository/repository-mover.ts";
import type { ArrivalStep } from "../../../../src/refs/forward.ts";
import { nodeSql } from "../../../support/node-sql.ts";
import { oid } from "../../../suites/ref-store.ts";

const NEW = { objectFormat: "sha1", visibility: "public", head: "refs/heads/main", description: "d" } as const;
const OPEN = { packs: true, refPrefixes: [] };
let ids = 0;
const database = (): RepositoryDatabase =>
  new RepositoryDatabase(nodeSql(), () => (++ids).toString(16).padStart(32, "0"));

let [from, to] = [database(), database()];
let steps: string[] = [];

/** The other object; `fails` is the step at which it does, before or after it has taken it. */
function arrival(fails?: { readonly at: string; readonly after: boolean }): Arrival {
  return {
    arrive: async (step: ArrivalStep) => {
      steps.push(step.kind);
      if (step.kind === fails?.at && !fails.after) throw new Error("broken off");
      const answer = to.moves.arrive(step);
      if (step.kind === fails?.at) throw new Error("broken off");
      return answer;
    },
  };
}

function move(fails?: { readonly at: string; readonly after: boolean }): Promise<unknown> {
  return new RepositoryMover(from.moves, () => arrival(fails)).move("acme/New", "acme/old");
}

beforeEach(async () => {
  [from, to] = [database(), database()];
  steps = [];
  from.create(NEW, 1);
  from.beginPush({ names: [], packName: "p" }, 1);
  const id = from.describe()?.id ?? "";
  const update = { oldOid: "0".repeat(40), forward: true };
  await from.commitPush(
    {
      id,
      updates: Array.from({ length: 7000 }, (_, n) => ({ ...update, name: `refs/heads/b${n}`, newOid: oid(n + 1) })),
      atomic: false,
      actor: "operator",
      pusher: {},
      signed: false,
      pushOptions: [],
    },
    () => 2,
  );
  from.hooks()?.add({ url: "https://x.example/", events: ["push"], active: true }, "https://h.example", 3);
});

describe("a rename", () => {
  it("takes everything along, under the same id, and leaves a forward", async () => {
    const before = from.open(OPEN);
    const [hook] = from.hooks()?.list() ?? [];
    const log = from.refLog({ limit: 7000 });
    expect(await move()).toMatchObject({ kind: "moved" });
    const after = to.open(OPEN);
    if (before.kind !== "found" || after.kind !== "found") throw new Error("no repository");
    expect(after.record).toMatchObject({ ...before.record, spelled: "acme/New" });
    expect(after.refs).toEqual(before.refs);
    expect(to.hooks()?.list()).toEqual([hook]);
    expect(log?.pushes[0]?.moves).toHaveLength(7000);
    expect(to.refLog({ limit: 7000 })).toEqual(log);
    expect(from.open(OPEN)).toEqual({ kind: "missing", moved: { to: "acme/New", isPublic: true } });
    expect(from.describe()).toBeUndefined();
    // The tenant is told anew what it holds, and its files in the bucket are written anew.
    expect([to.usage.isUsageUnreported, to.dueWork(4).derivedFiles]).toEqual([true, true]);
  });

  it("keeps the id, and the bytes with it, from a repository that is made at the old name", async () => {
    const id = from.describe()?.id ?? "";
    await move();
    expect(from.create({ ...NEW, id }, 5)).toEqual({ kind: "gone" });
    expect(from.confirm(id, 5)).toBeUndefined();
    expect(from.remove(5, id)).toBe(false);
    expect(from.dueWork(Number.MAX_SAFE_INTEGER).doomedPrefixes).toEqual([]);
    expect(from.create(NEW, 6)).toMatchObject({ kind: "created" });
    expect(from.open({})).toMatchObject({ kind: "found" });
    from.remove(7);
    expect(from.open({})).toEqual({ kind: "missing" });
  });

  it("leads there again where the repository that was made at the old name was never used, and not where it was", async () => {
    await move();
    const forward = { kind: "missing", moved: { to: "acme/New", isPublic: true } };
    expect(from.create(NEW, 5)).toMatchObject({ kind: "created" });
    expect(from.open(OPEN)).toMatchObject({ kind: "found" });
    // As where the push that made it was refused.
    expect(from.retract(from.describe()?.id ?? "", 6)).toBe(true);
    expect(from.open(OPEN)).toEqual(forward);
    from.create(NEW, 7);
    from.remove(8);
    expect(from.open(OPEN)).toEqual({ kind: "missing" });
  });

  it("can be taken back", async () => {
    const id = from.describe()?.id;
    await move();
    [from, to] = [to, from];
    expect(await move()).toMatchObject({ kind: "moved", id });
    expect(to.open({})).toMatchObject({ kind: "found", record: { id } });
    to.remove(9);
    expect(to.dueWork(Number.MAX_SAFE_INTEGER).doomedPrefixes).toEqual([{ id, lent: false }]);
  });

  it.each(["begin", "rows", "end"])(
    "back that breaks off at %s leaves the old name leading to the new one",
    async (at) => {
      const id = from.describe()?.id ?? "";
      await move();
      [from, to] = [to, from];
      const old = to;
      await expect(move({ at, after: at !== "end" })).rejects.toThrow("broken off");
      expect(old.open({})).toEqual({ kind: "missing", moved: { to: "acme/New", isPublic: true } });
      expect(old.create({ ...NEW, id }, 5)).toEqual({ kind: "gone" });
      expect(await move()).toMatchObject({ kind: "moved", id });
      expect(old.open(OPEN)).toMatchObject({ kind: "found", record: { id } });
      expect(old.moves.whereIs(id)).toBeUndefined();
    },
  );

  it("that is called off does not change where the name leads", async () => {
    await move();
    const id = "f".repeat(32);
    const forward = from.moves.forward();
    for (const kind of ["begin", "cancel"] as const) from.moves.arrive({ id, kind });
    expect([forward?.to, from.moves.forward()]).toEqual(["acme/New", forward]);
    from.create(NEW, 5);
    from.remove(6);
    expect(from.moves.forward()).toBeUndefined();
  });

  it("is refused where the name is taken, and where there is nothing", async () => {
    to.create(NEW, 1);
    expect(await move()).toEqual({ kind: "taken" });
    expect(from.open({})).toMatchObject({ kind: "found" });
    from.remove(2);
    expect(await move()).toEqual({ kind: "missing" });
  });

  it.each([
    ["begin", false],
    ["begin", true],
    ["rows", true],
    ["end", false],
  ] as const)("that breaks off at %s (done: %s) leaves it where it was", async (at, after) => {
    await expect(move({ at, after })).rejects.toThrow("broken off");
    expect(from.open(OPEN)).toMatchObject({ kind: "found", record: { description: "d" } });
    expect(to.open({})).toEqual({ kind: "missing" });
    // The rest of it is not in the way of another.
    expect(to.create(NEW, 5)).toMatchObject({ kind: "created" });
    const made = to.open(OPEN);
    expect(made.kind === "found" && made.refs).toEqual([]);
    to.remove(6);
    expect(await move()).toMatchObject({ kind: "moved" });
  });

  it("whose last answer is lost has happened", async () => {
    expect(await move({ at: "end", after: true })).toMatchObject({ kind: "moved" });
    expect([from.open({}).kind, to.open({}).kind]).toEqual(["missing", "found"]);
    expect(steps.at(-1)).toBe("cancel");
  });

  it("in which the object dies is ended when it wakes", async () => {
    const id = from.describe()?.id ?? "";
    expect(from.moves.begin("acme/New")).toEqual({ kind: "begun", id });
    const mover = new RepositoryMover(from.moves, () => arrival());
    expect(await mover.settle()).toBe(false);
    expect(from.open({}).kind).toBe("found");
    expect(from.moves.begin("acme/New")).toEqual({ kind: "begun", id });
    to.moves.arrive({ id, kind: "begin" });
    for (const rows of from.moves.rows()) to.moves.arrive({ id, kind: "rows", rows });
    to.moves.arrive({ id, kind: "end", settings: from.moves.settings(), spelled: null, leavesTenant: false });
    expect(await mover.settle()).toBe(true);
    expect([from.open({}).kind, to.open({}).kind]).toEqual(["missing", "found"]);
    expect(await mover.settle()).toBe(false);
  });
});
