/** Git LFS objects of a repository: announced, kept, counted, and what becomes of those that nobody has any more. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import type { LfsLinkDatabase } from "../../../../src/durable/tenant/lfs-link-database.ts";
import { TenantDatabase } from "../../../../src/durable/tenant/tenant-database.ts";
import { DEFAULT_TENANT } from "../../../../src/access/directory.ts";
import type { LfsLinks } from "../../../../src/access/lfs-links.ts";
import { shareLfsObjects } from "../../../../src/lfs/share.ts";
import { sweepLfsObjects } from "../../../../src/lfs/sweep.ts";
import { type LockAnswer, type LockRequest, MOST_LOCKS } from "../../../../src/refs/lfs-locks.ts";
import { ANNOUNCED_TIME, type LfsAnswer, type LfsRequest, MOST_ANNOUNCED } from "../../../../src/refs/lfs-store.ts";
import { CREATION } from "../../../suites/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const oid = (text: string | number): string => createHash("sha256").update(String(text)).digest("hex");
const object = (text: string | number, size = 10): { oid: string; size: number } => ({ oid: oid(text), size });

type Asked = { database: RepositoryDatabase; ask: (request: LfsRequest, now?: number) => LfsAnswer };

function repository(id = "1".repeat(32), creation: Partial<typeof CREATION> = {}): Asked {
  const database = new RepositoryDatabase(nodeSql(), () => id);
  database.create({ ...CREATION, ...creation }, 0);
  return { database, ask: (request, now = 0) => database.lfs.answer(request, now) };
}

const kindsOf = (answer: LfsAnswer): string[] =>
  answer.kind === "found" ? answer.outcomes.map(({ kind }) => kind) : [answer.kind];
const announce = (objects: readonly { oid: string; size: number }[], most?: number): LfsRequest => ({
  kind: "announce",
  objects,
  home: "acme",
  ...(most === undefined ? {} : { most }),
});

it("an object is there once it was announced and kept, and counts with its bytes", () => {
  const { database, ask } = repository();
  expect(kindsOf(ask({ kind: "find", oids: [oid("a")] }))).toEqual(["missing"]);
  expect(kindsOf(ask({ kind: "keep", object: object("a") }))).toEqual(["missing"]);
  expect(kindsOf(ask(announce([object("a"), object("b"), object("a")])))).toEqual([
    "announced",
    "announced",
    "announced",
  ]);
  expect(database.usage.unreportedUsage()).toBeUndefined();
  expect(kindsOf(ask({ kind: "keep", object: object("a") }))).toEqual(["stored"]);
  expect(kindsOf(ask({ kind: "find", oids: [oid("a"), oid("b"), oid("c")] }))).toEqual([
    "stored",
    "announced",
    "missing",
  ]);
  expect(database.usage.unreportedUsage()?.bytes).toBe(10);
  // Once more changes nothing.
  expect(kindsOf(ask({ kind: "keep", object: object("a") }))).toEqual(["stored"]);
  expect(database.usage.unreportedUsage()?.bytes).toBe(10);
  const begun = database.beginPush({ names: [] }, 0);
  expect(begun.kind === "begun" && begun.uploadBytes).toBe(10);
});

it("a private repository is missing for those who may only read public ones", () => {
  const { ask } = repository(undefined, { visibility: "private" });
  expect(ask({ kind: "find", oids: [], publicOnly: true })).toMatchObject({ kind: "missing" });
  const none = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  expect(none.lfs.answer({ kind: "find", oids: [] }, 0)).toEqual({ kind: "missing" });
  expect(none.isEmpty).toBe(true);
});

it("objects beyond the quota are refused, those that fit are taken", () => {
  const { ask } = repository();
  const asked = ask(announce([object("a", 60), object("b", 60), object("c", 40)], 100));
  expect(kindsOf(asked)).toEqual(["announced", "over-quota", "announced"]);
  expect(kindsOf(ask({ kind: "keep", object: object("a", 60), most: 100 }))).toEqual(["stored"]);
  // The quota may be less by now.
  expect(kindsOf(ask({ kind: "keep", object: object("c", 40), most: 99 }))).toEqual(["over-quota"]);
  expect(kindsOf(ask({ kind: "keep", object: object("c", 40), most: 100 }))).toEqual(["stored"]);
  expect(kindsOf(ask(announce([object("d", 1), object("a", 60)], 100)))).toEqual(["over-quota", "stored"]);
});

it("what is announced takes room until it is swept, and no more when it is announced again", () => {
  const { database, ask } = repository();
  const one = (text: string, size: number, now = 0): string =>
    kindsOf(ask(announce([object(text, size)], 100), now)).join(" ");
  expect([one("a", 60), one("b", 60), one("a", 60)]).toEqual(["announced", "over-quota", "announced"]);
  // A smaller size frees nothing: the bytes of the first may be in the bucket.
  expect([one("a", 0), one("b", 41), one("b", 40)]).toEqual(["announced", "over-quota", "announced"]);
  expect(kindsOf(ask(announce([object("a", 61), object("c", 1)], 100)))).toEqual(["over-quota", "over-quota"]);
  expect(kindsOf(ask({ kind: "keep", object: object("b", 40), most: 100 }))).toEqual(["stored"]);
  expect([one("c", 1), one("a", 60)]).toEqual(["over-quota", "announced"]);
  expect(one("c", 1, ANNOUNCED_TIME)).toBe("over-quota");
  expect(database.lfs.leaving(10, ANNOUNCED_TIME)).toHaveLength(1);
  expect([one("c", 61, ANNOUNCED_TIME), one("c", 60, ANNOUNCED_TIME)]).toEqual(["over-quota", "announced"]);
});

it("an object that one batch names twice takes the room of its larger size", () => {
  const { ask } = repository();
  const twice = announce([object("a", 100), object("a", 0), object("b", 1)], 100);
  expect(kindsOf(ask(twice))).toEqual(["announced", "announced", "over-quota"]);
  expect(kindsOf(ask(announce([object("b", 1)], 100)))).toEqual(["over-quota"]);
});

it("sizes beyond all numbers are over a quota that is set later", () => {
  const { ask } = repository();
  const huge = Array.from({ length: 2000 }, (_, index) => object(index, Number.MAX_SAFE_INTEGER));
  expect(new Set(kindsOf(ask(announce(huge))))).toEqual(new Set(["announced"]));
  expect(kindsOf(ask(announce([object("a", 1)], 100)))).toEqual(["over-quota"]);
});

it("a read-only repository announces nothing", () => {
  const { database, ask } = repository();
  database.change({ readOnly: true }, 0);
  expect(kindsOf(ask(announce([object("a")])))).toEqual([]);
  expect(kindsOf(ask({ kind: "find", oids: [oid("a")] }))).toEqual(["missing"]);
});

it("no more objects are announced than may be", { tags: "thorough" }, () => {
  const { ask } = repository();
  const most = Array.from({ length: MOST_ANNOUNCED }, (_, index) => object(index));
  expect(ask(announce(most)).kind).toBe("found");
  expect(ask(announce([object("more")])).kind).toBe("full");
  // After their time there is room again.
  expect(ask({ kind: "find", oids: [oid(1)] }, ANNOUNCED_TIME)).toMatchObject({ outcomes: [{ kind: "missing" }] });
});

/** A tenant's links, and the bytes that are in its bucket. */
function tenant(now: () => number = () => 0): { links: LfsLinks; database: LfsLinkDatabase; bytes: Set<string> } {
  const inner = new TenantDatabase(nodeSql(), "acme", () => "f".repeat(32));
  inner.create(DEFAULT_TENANT, 0);
  const { lfs: database } = inner;
  const links: LfsLinks = {
    linkLfs: async (name, id) => database.link(name, id),
    linkAllLfs: async (names, id) => database.linkAll(names, id),
    unlinkLfs: async (names, id) => database.unlink(names, id, now()),
    lfsDeleted: async (names) => database.deleted(names),
  };
  return { links, database, bytes: new Set() };
}

type Swept = ReturnType<typeof tenant>;

function sweep({ database }: Asked, { links, bytes }: Swept, now: number): Promise<boolean> {
  return sweepLfsObjects(
    {
      store: {
        leavingLfs: async (limit) => database.lfs.leaving(limit, now),
        lfsLeft: async (objects) => database.lfs.left(objects),
      },
      links: () => links,
      files: () => ({
        delete: async (names) => {
          for (const name of names) bytes.delete(name);
        },
      }),
    },
    10,
  );
}

/** Uploads an object as the routes do. */
async function upload({ ask }: Asked, { links, bytes }: Swept, text: string, id: string): Promise<void> {
  ask(announce([object(text)]));
  expect(await links.linkLfs(oid(text), id)).toBe("linked");
  bytes.add(oid(text));
  expect(kindsOf(ask({ kind: "keep", object: object(text) }))).toEqual(["stored"]);
}

it("the bytes of an object go with the last repository that has it", async () => {
  const all = tenant();
  const [one, other] = [repository("1".repeat(32)), repository("2".repeat(32))];
  for (const text of ["both", "mine"]) await upload(one, all, text, "1".repeat(32));
  await upload(other, all, "both", "2".repeat(32));
  expect(one.database.dueWork(1).lfsSweep).toBe(false);
  one.database.remove(1);
  expect(one.database.dueWork(1).lfsSweep).toBe(true);
  expect(await sweep(one, all, 1)).toBe(true);
  expect([...all.bytes]).toEqual([oid("both")]);
  expect(one.database.dueWork(1).lfsSweep).toBe(false);
  other.database.remove(1);
  expect(await sweep(other, all, 1)).toBe(true);
  expect(all.bytes.size).toBe(0);
});

it("what was announced and never came is swept after its time, with what a broken upload left", async () => {
  const all = tenant();
  const one = repository();
  one.ask(announce([object("broken"), object("fresh")]));
  await all.links.linkLfs(oid("broken"), "1".repeat(32));
  all.bytes.add(oid("broken"));
  expect(one.database.nextDue(1)).toBeLessThanOrEqual(ANNOUNCED_TIME);
  one.ask(announce([object("fresh")]), 5000);
  expect(one.database.dueWork(ANNOUNCED_TIME).lfsSweep).toBe(true);
  expect(await sweep(one, all, ANNOUNCED_TIME)).toBe(true);
  expect(all.bytes.size).toBe(0);
  expect(kindsOf(one.ask({ kind: "find", oids: [oid("broken"), oid("fresh")] }, ANNOUNCED_TIME))).toEqual([
    "missing",
    "announced",
  ]);
});

it("an upload that comes while its object is being deleted waits, and loses nothing", async () => {
  let now = 0;
  const all = tenant(() => now);
  const one = repository();
  await upload(one, all, "a", "1".repeat(32));
  one.database.remove(1);
  // The job dies after it has begun.
  const leaving = one.database.lfs.leaving(10, 1);
  expect(await all.links.unlinkLfs([oid("a")], "1".repeat(32))).toEqual({ gone: [oid("a")], held: [] });
  expect(await all.links.linkLfs(oid("a"), "2".repeat(32))).toBe("busy");
  // A second job does not touch what the first may still delete.
  expect(await all.links.unlinkLfs([oid("a")], "1".repeat(32))).toEqual({ gone: [], held: [oid("a")] });
  expect(await sweep(one, all, 1)).toBe(false);
  expect(leaving).toHaveLength(1);
  now = 60 * 60_000;
  expect(await sweep(one, all, now)).toBe(true);
  expect(all.bytes.size).toBe(0);
  expect(await all.links.linkLfs(oid("a"), "2".repeat(32))).toBe("linked");
});

it("bytes that come after their repository was removed are swept when no upload can bring more", async () => {
  const all = tenant();
  const one = repository();
  await upload(one, all, "here", "1".repeat(32));
  one.ask(announce([object("late")]));
  one.database.remove(1);
  expect(await sweep(one, all, 1)).toBe(true);
  expect(all.bytes.size).toBe(0);
  // The upload that was under way ends.
  all.bytes.add(oid("late"));
  expect(one.database.dueWork(1).lfsSweep).toBe(false);
  expect(one.database.lfs.jobDue(1)).toBe(ANNOUNCED_TIME);
  expect(one.database.dueWork(ANNOUNCED_TIME).lfsSweep).toBe(true);
  expect(await sweep(one, all, ANNOUNCED_TIME)).toBe(true);
  expect(all.bytes.size).toBe(0);
  expect(one.database.lfs.jobDue(ANNOUNCED_TIME)).toBeUndefined();
});

it("an object that is leaving may be announced again only when it has left", async () => {
  const all = tenant();
  const one = repository();
  one.ask(announce([object("a")]));
  expect(one.database.lfs.leaving(10, ANNOUNCED_TIME)).toHaveLength(1);
  expect(kindsOf(one.ask(announce([object("a")]), ANNOUNCED_TIME))).toEqual(["leaving"]);
  expect(await sweep(one, all, ANNOUNCED_TIME)).toBe(true);
  expect(kindsOf(one.ask(announce([object("a")]), ANNOUNCED_TIME))).toEqual(["announced"]);
});

it("ten thousand locks are listed in pages, in the order of their making", () => {
  const { database } = repository();
  const owner = { key: "token:alice", name: "alice" };
  const locks = (request: LockRequest): LockAnswer | undefined =>
    database.lfs.reply({ kind: "locks", request }, 0).locks;
  for (let at = 0; at < 10_000; at++) locks({ kind: "lock", path: `files/${at}.bin`, owner });
  const seen: string[] = [];
  let pages = 0;
  for (let after = "0"; ; pages++) {
    const page = locks({ kind: "list", query: { limit: 1000, after } });
    if (page?.kind !== "found" || page.locks.length === 0) break;
    seen.push(...page.locks.map(({ path }) => path));
    expect(page.more).toBe(seen.length < 10_000);
    after = page.locks.at(-1)?.id ?? "";
  }
  expect([pages, seen.length, seen[9999]]).toEqual([10, 10_000, "files/9999.bin"]);
  // A pusher is told of those of others, and pays for none of its own.
  const begun = (lockOwner: string): number | undefined => {
    const answer = database.beginPush({ names: [], lockOwner }, 0);
    return answer.kind === "begun" ? answer.locks?.length : undefined;
  };
  expect([begun("token:alice"), begun("token:bob")]).toEqual([undefined, 10_000]);
});

it("no more files are locked than may be", { tags: "thorough" }, () => {
  const { database } = repository();
  const owner = { key: "token:alice", name: "alice" };
  const lock = (path: string): unknown => {
    const { locks } = database.lfs.reply({ kind: "locks", request: { kind: "lock", path, owner } }, 0);
    return locks?.kind === "found" ? locks.outcome?.kind : locks?.kind;
  };
  for (let at = 0; at < MOST_LOCKS; at++) lock(String(at));
  expect([lock("more"), lock("0")]).toEqual(["full", "taken"]);
});

it("a fork has what its parent had, and the bytes stay until neither has them", async () => {
  const all = tenant();
  const [parent, fork] = [repository("1".repeat(32)), repository("2".repeat(32))];
  for (const text of ["a", "b"]) await upload(parent, all, text, "1".repeat(32));
  parent.ask(announce([object("not there yet")]));
  await shareLfsObjects(
    {
      parent: {
        sharedLfs: async (after, limit) => parent.database.lfs.reply({ kind: "shared", after, limit }, 0).shared ?? [],
      },
      fork: {
        adoptLfs: async (objects, as) => void fork.database.lfs.reply({ kind: "adopt", objects, as }, 0),
      },
      links: () => all.links,
    },
    "2".repeat(32),
  );
  const oids = [oid("a"), oid("b"), oid("not there yet")];
  expect(kindsOf(fork.ask({ kind: "find", oids }))).toEqual(["stored", "stored", "missing"]);
  expect(fork.database.lfs.bytes).toBe(20);
  parent.database.remove(1);
  expect(await sweep(parent, all, 1)).toBe(true);
  expect(all.bytes.size).toBe(2);
  fork.database.remove(1);
  expect(await sweep(fork, all, 1)).toBe(true);
  expect(all.bytes.size).toBe(0);
});

/** Reports what a look that began at `since` found: the objects of `stored` of which `unnamed` have no pointer. */
function look(
  database: RepositoryDatabase,
  unnamed: readonly string[],
  { now, since = now, purges = false, ahead = 0 }: { now: number; since?: number; purges?: boolean; ahead?: number },
): string {
  const { version = 0, id = "" } = database.open({}) as { version?: number; id?: string; record?: { id: string } };
  const record = database.describe();
  const report = {
    id: record?.id ?? id,
    version: version + ahead,
    since,
    purges,
    from: "",
    upTo: "f".repeat(64),
    isLast: true,
  };
  return database.maintenance.reportLfs({ ...report, unnamed: unnamed.map(oid) }, now).kind;
}

const DAY = 24 * 60 * 60_000;

function kept(...names: string[]): Asked & { here: (now: number) => string[] } {
  const asked = repository();
  asked.ask(announce(names.map((name) => object(name))), 1);
  for (const name of names) asked.ask({ kind: "keep", object: object(name) }, 1);
  return { ...asked, here: (now) => kindsOf(asked.ask({ kind: "find", oids: names.map(oid) }, now)) };
}

it("objects without a pointer leave when the grace period is over, and those with one stay", () => {
  const { database, here } = kept("named", "unnamed");
  expect(look(database, ["unnamed"], { now: DAY })).toBe("done");
  expect(here(DAY)).toEqual(["stored", "stored"]);
  expect(look(database, ["unnamed"], { now: 15 * DAY - 1 })).toBe("done");
  expect(here(15 * DAY - 1)).toEqual(["stored", "stored"]);
  // The whole time counts from when it was first seen without one.
  expect(look(database, ["unnamed"], { now: 15 * DAY })).toBe("done");
  expect(here(15 * DAY)).toEqual(["stored", "missing"]);
  expect(database.lfs.bytes).toBe(10);
  expect(database.lfs.leaving(10, 15 * DAY)).toMatchObject([{ oid: oid("unnamed"), home: "acme" }]);
});

it("an object that no look has judged begins its grace period with the first one", () => {
  const { database, ask, here } = kept("a");
  // Its pointer came with a push that not all was reached of, so that nothing noted it, and has gone just now.
  expect(database.maintenance.nextDue(14 * DAY)).toBe(14 * DAY + 1);
  expect(look(database, ["a"], { now: 14 * DAY + 1 })).toBe("done");
  expect(here(14 * DAY + 1)).toEqual(["stored"]);
  expect(database.maintenance.nextDue(14 * DAY + 1)).toBe(28 * DAY + 1);
  // An upload that asks for it puts that off, and is no judgement.
  ask(announce([object("a")]), 20 * DAY);
  expect(database.maintenance.nextDue(20 * DAY)).toBe(34 * DAY);
  expect(look(database, ["a"], { now: 34 * DAY })).toBe("done");
  expect(here(34 * DAY)).toEqual(["missing"]);
});

it("an object that has got its pointer back begins anew", () => {
  const { database, here } = kept("a");
  look(database, ["a"], { now: DAY });
  look(database, [], { now: 13 * DAY });
  look(database, ["a"], { now: 15 * DAY });
  expect(here(15 * DAY)).toEqual(["stored"]);
  look(database, ["a"], { now: 29 * DAY });
  expect(here(29 * DAY)).toEqual(["missing"]);
});

it("a look that others have overtaken changes nothing", () => {
  const { database, here } = kept("a");
  expect(look(database, ["a"], { now: 20 * DAY, ahead: 1, purges: true })).toBe("stale");
  expect(here(20 * DAY)).toEqual(["stored"]);
  expect(
    database.maintenance.reportLfs(
      { id: "other", version: 0, since: 0, purges: true, from: "", upTo: "f", unnamed: [], isLast: true },
      0,
    ).kind,
  ).toBe("gone");
});

it("a purge takes what no upload has asked for within a day, and no other", () => {
  const { database, ask, here } = kept("old", "asked");
  ask(announce([object("asked")]), 2 * DAY);
  look(database, ["old", "asked"], { now: 2 * DAY + 1, purges: true });
  expect(here(2 * DAY + 1)).toEqual(["missing", "stored"]);
  look(database, ["asked"], { now: 4 * DAY, purges: true });
  expect(here(4 * DAY)).toEqual(["missing", "missing"]);
});

it("an object that came after a look began is not judged by it", () => {
  const { database, ask, here } = kept("first");
  ask(announce([object("later")]), 20 * DAY);
  ask({ kind: "keep", object: object("later") }, 20 * DAY);
  look(database, [], { now: 20 * DAY + 5, since: 20 * DAY - 5 });
  expect(here(20 * DAY)).toEqual(["stored"]);
  // It still has no pointer that is known: a look is due when its time is up.
  expect(database.maintenance.nextDue(20 * DAY + 5)).toBe(34 * DAY);
});

it("no look is due where a push has named all objects", () => {
  const { database } = kept("a");
  expect(database.maintenance.nextDue(DAY)).toBe(14 * DAY + 1);
  look(database, [], { now: DAY });
  expect(database.maintenance.nextDue(DAY)).toBeUndefined();
});
