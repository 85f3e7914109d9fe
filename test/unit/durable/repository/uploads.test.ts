/** Uploads under way: how many, how large, and until when. */
import { expect, it } from "vitest";
import { RepositoryDatabase } from "../../../../src/durable/repository/repository-database.ts";
import {
  MOST_UPLOADS,
  MOST_UPLOADS_OF_ONE,
  type UploadAnswer,
  type UploadRequest,
} from "../../../../src/refs/upload-store.ts";
import type { MirrorSettings } from "../../../../src/refs/mirror-store.ts";
import { CREATION } from "../../../suites/ref-store.ts";
import { nodeSql } from "../../../support/node-sql.ts";

const HOUR = 60 * 60 * 1000;

function repository(): { database: RepositoryDatabase; ask: (request: UploadRequest, now?: number) => UploadAnswer } {
  const database = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  database.create(CREATION, 0);
  return { database, ask: (request, now = 0) => database.upload(request, now) };
}

const written = (name: string, number: number, isWhole = true): UploadRequest => ({
  kind: "written",
  name,
  number,
  isWhole,
});

const announce = (name: string, number: number, bytes: number, most?: number): UploadRequest => ({
  kind: "announce",
  name,
  part: { number, bytes },
  ...(most === undefined ? {} : { most }),
});

it("uploads do not exist without a repository, or under an unknown name", () => {
  const empty = new RepositoryDatabase(nodeSql(), () => "1".repeat(32));
  expect(empty.upload({ kind: "begin", name: "a" }, 0)).toEqual({ kind: "missing" });
  const { ask } = repository();
  for (const request of [{ kind: "show", name: "a" }, { kind: "hold", name: "a" }, announce("a", 1, 1)] as const) {
    expect(ask(request)).toEqual({ kind: "missing" });
  }
});

it("uploads list their parts in order, each with the length announced last", () => {
  const { ask } = repository();
  ask({ kind: "begin", name: "a" });
  for (const [number, bytes] of [
    [3, 30],
    [1, 5],
    [2, 20],
    [1, 10],
  ] as const)
    ask(announce("a", number, bytes));
  expect(ask({ kind: "show", name: "a" })).toMatchObject({
    upload: {
      parts: [
        { number: 1, bytes: 10 },
        { number: 2, bytes: 20 },
        { number: 3, bytes: 30 },
      ],
    },
  });
});

it("uploads share the quota with Git LFS objects, as a mirror's syncs do", () => {
  const { database, ask } = repository();
  const object = { oid: "a".repeat(64), size: 60 };
  database.lfs.answer({ kind: "announce", objects: [object], home: "acme" }, 0);
  database.lfs.answer({ kind: "keep", object }, 0);
  ask({ kind: "begin", name: "a" });
  expect(ask(announce("a", 1, 41, 100))).toEqual({ kind: "over-quota", used: 60 });
  expect(ask(announce("a", 1, 40, 100)).kind).toBe("found");
  const settings: MirrorSettings = {
    upstream: "https://example.com/a.git",
    interval: 0,
    fetchThrough: 0,
    refspecs: [],
    policy: "follow",
    lfs: "requests",
    fsck: { ignore: [], skip: [] },
  };
  database.mirror.configure({ settings, login: "none", hook: "none" }, 0);
  expect(database.mirror.begin("pack", 0)).toMatchObject({ kind: "begun", besideBytes: 100 });
});

it("uploads share the quota", () => {
  const { ask } = repository();
  for (const name of ["a", "b"]) ask({ kind: "begin", name });
  expect(ask(announce("a", 1, 60, 100)).kind).toBe("found");
  expect(ask(announce("b", 1, 41, 100))).toEqual({ kind: "over-quota", used: 60 });
  expect(ask(announce("a", 1, 100, 100)).kind).toBe("found");
  expect(ask(announce("a", 1, 101, 100))).toEqual({ kind: "over-quota", used: 0 });
  for (let n = 0; n < 2; n++) ask(written("a", 1));
  ask({ kind: "end", name: "a" });
  expect(ask(announce("b", 1, 100, 100)).kind).toBe("found");
});

it("uploads count what may be in the bucket at every moment, not what was announced last", () => {
  const { database, ask } = repository();
  const held = (): number | undefined => database.usage.unreportedUsage()?.bytes;
  ask({ kind: "begin", name: "a" });
  ask(announce("a", 1, 90, 100));
  ask(written("a", 1));
  expect(held()).toBe(90);
  // A shorter one is announced and does not come: the longer one lies there.
  ask(announce("a", 1, 1, 100));
  expect(held()).toBe(90);
  expect(ask(announce("a", 2, 11, 100))).toEqual({ kind: "over-quota", used: 90 });
  ask(written("a", 1, false));
  expect(ask(announce("a", 2, 11, 100))).toEqual({ kind: "over-quota", used: 90 });
  // It comes.
  ask(announce("a", 1, 1, 100));
  ask(written("a", 1));
  expect(held()).toBe(1);
  expect(ask(announce("a", 2, 99, 100)).kind).toBe("found");
});

it("uploads count the longest of writings of one part at once: which came last is unknown", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  ask(announce("a", 1, 90));
  ask(announce("a", 1, 1));
  ask(written("a", 1));
  ask(written("a", 1));
  expect(database.usage.unreportedUsage()?.bytes).toBe(90);
  ask(announce("a", 1, 2));
  ask(written("a", 1));
  expect(database.usage.unreportedUsage()?.bytes).toBe(2);
});

it("uploads are reported to the tenant with each change, like packs", () => {
  const { database, ask } = repository();
  const report = (): { version: number; bytes: number } | undefined => {
    const unreported = database.usage.unreportedUsage();
    if (unreported !== undefined) database.usage.usageReported(unreported);
    return unreported;
  };
  expect(report()).toBeUndefined();
  ask({ kind: "begin", name: "a" });
  ask(announce("a", 1, 90));
  const first = report();
  expect(first?.bytes).toBe(90);
  ask(written("a", 1));
  ask({ kind: "end", name: "a" });
  const last = report();
  expect(last?.bytes).toBe(0);
  expect(last?.version).toBeGreaterThan(first?.version ?? 0);
  expect(report()).toBeUndefined();
  ask({ kind: "begin", name: "b" });
  ask(announce("b", 1, 90));
  expect(report()?.bytes).toBe(90);
  database.abandonPush("b");
  expect(report()?.bytes).toBe(0);
});

it("uploads count against other pushes, and not against their own", () => {
  const { database, ask } = repository();
  for (const name of ["a", "b"]) {
    ask({ kind: "begin", name });
    ask(announce(name, 1, 50));
  }
  expect(database.beginPush({ names: [] }, 0)).toMatchObject({ uploadBytes: 100 });
  expect(database.beginPush({ names: [], upload: "a" }, 0)).toMatchObject({ uploadBytes: 50 });
});

it("uploads are bounded in number", () => {
  const { ask } = repository();
  for (let count = 0; count < MOST_UPLOADS; count++)
    expect(ask({ kind: "begin", name: `u${count}` }).kind).toBe("found");
  expect(ask({ kind: "begin", name: "more" })).toEqual({ kind: "full" });
  ask({ kind: "end", name: "u0" });
  expect(ask({ kind: "begin", name: "more" }).kind).toBe("found");
});

it("uploads of one token are bounded in number", () => {
  const { ask } = repository();
  const begin = (count: number, holder: string): UploadRequest => ({
    kind: "begin",
    name: `${holder}${count}`,
    holder,
  });
  for (let count = 0; count < MOST_UPLOADS_OF_ONE; count++) expect(ask(begin(count, "one")).kind).toBe("found");
  expect(ask(begin(MOST_UPLOADS_OF_ONE, "one"))).toEqual({ kind: "share-full" });
  expect(ask(begin(0, "other")).kind).toBe("found");
  ask({ kind: "end", name: "one0" });
  expect(ask(begin(MOST_UPLOADS_OF_ONE, "one")).kind).toBe("found");
});

it("uploads end a day after their last request, and are then swept", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  ask(announce("a", 1, 10), 20 * HOUR);
  expect(database.dueWork(43 * HOUR).expiredPacks).toEqual([]);
  expect(ask({ kind: "show", name: "a" }, 43 * HOUR).kind).toBe("found");
  expect(ask({ kind: "hold", name: "a" }, 44 * HOUR)).toEqual({ kind: "missing" });
  expect(database.dueWork(44 * HOUR).expiredPacks).toEqual(["a"]);
  database.abandonPush("a");
  expect(database.dueWork(44 * HOUR).expiredPacks).toEqual([]);
  for (let count = 0; count < MOST_UPLOADS; count++) ask({ kind: "begin", name: `u${count}` });
  expect(ask({ kind: "show", name: `u${MOST_UPLOADS - 1}` }).kind).toBe("found");
});

it("uploads leave nothing when they end, however many they are", () => {
  const { database, ask } = repository();
  for (let count = 0; count < 1000; count++) {
    ask({ kind: "begin", name: `u${count}` });
    expect(ask({ kind: "end", name: `u${count}` }).kind).toBe("found");
    expect(ask({ kind: "show", name: `u${count}` })).toEqual({ kind: "missing" });
  }
  expect(database.dueWork(25 * HOUR).expiredPacks).toEqual([]);
});

it("uploads that end while a part is being written keep their lease and place until that is over", () => {
  const { database, ask } = repository();
  const begin = (name: string): string => ask({ kind: "begin", name }).kind;
  for (let count = 0; count < MOST_UPLOADS; count++) begin(`u${count}`);
  ask(announce("u0", 1, 10));
  ask(announce("u0", 2, 20));
  ask(written("u0", 2));
  ask({ kind: "end", name: "u0" });
  expect(ask({ kind: "show", name: "u0" })).toEqual({ kind: "missing" });
  expect(database.usage.unreportedUsage()?.bytes).toBe(10);
  expect(begin("more")).toBe("full");
  expect(database.dueWork(25 * HOUR).expiredPacks).toContain("u0");
  // Whoever wrote it is told, deletes it and says so.
  expect(ask(written("u0", 1))).toEqual({ kind: "missing" });
  ask({ kind: "end", name: "u0" });
  expect(database.usage.unreportedUsage()?.bytes).toBe(0);
  expect(database.dueWork(25 * HOUR).expiredPacks).not.toContain("u0");
  expect(begin("more")).toBe("found");
});

it("uploads are deleted with their repository", () => {
  const { database, ask } = repository();
  ask({ kind: "begin", name: "a" });
  database.remove(1);
  database.create(CREATION, 2);
  expect(ask({ kind: "show", name: "a" })).toEqual({ kind: "missing" });
});
