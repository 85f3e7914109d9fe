import { expect, it } from "vitest";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { create, createdRecord, oid, packRecord, push } from "../../../suites/ref-store.ts";

const DAY = 24 * 60 * 60 * 1000;
const CREATION = { objectFormat: "sha1", visibility: "private", head: "refs/heads/main", description: "" } as const;

it("the alarm has nothing to do if there never was a repository", () => {
  const { database } = memoryRefStore();
  expect(database.nextDue(0)).toBeUndefined();
  expect(database.dueWork(0)).toEqual({
    derivedFiles: false,
    expiredPacks: [],
    doomedPrefixes: [],
    hooks: [],
    maintenance: false,
    lfsSweep: false,
    mirrorSync: false,
    staleSnapshot: false,
  });
});

it("the alarm sends a job for derived files after a change, once, until that job is taken for lost", async () => {
  let now = 1000;
  const store = memoryRefStore(() => now);
  await push(store, [create("refs/heads/main", oid(1))]);
  const { database } = store;
  expect(database.dueWork(now).derivedFiles).toBe(true);
  database.derivedJobSent(now);
  expect(database.dueWork(now).derivedFiles).toBe(false);
  const lost = database.nextDue(now) ?? 0;
  expect(lost).toBeGreaterThan(now);
  expect(database.dueWork(lost).derivedFiles).toBe(true);
  const opened = await store.open({});
  if (opened.kind === "missing") throw new Error("missing");
  await store.derivedFilesWritten(opened.record.id, opened.version);
  expect(database.dueWork(lost + DAY).derivedFiles).toBe(false);
  expect(database.nextDue(now)).toBeUndefined();
  now = 2000;
  await push(store, [create("refs/heads/b", oid(1))]);
  expect(database.dueWork(now).derivedFiles).toBe(true);
});

it("the alarm sends a job for derived files again when an older writer finishes last", async () => {
  const store = memoryRefStore(() => 1000);
  await push(store, [create("refs/heads/main", oid(1))]);
  const older = await store.open({});
  await push(store, [create("refs/heads/b", oid(1))]);
  const newer = await store.open({});
  if (older.kind === "missing" || newer.kind === "missing") throw new Error("missing");
  await store.derivedFilesWritten(newer.record.id, newer.version);
  expect(store.database.dueWork(1000).derivedFiles).toBe(false);
  await store.derivedFilesWritten(older.record.id, older.version);
  expect(store.database.dueWork(1000).derivedFiles).toBe(true);
  await store.derivedFilesWritten("another repository", newer.version);
  expect(store.database.dueWork(1000).derivedFiles).toBe(true);
});

it("the alarm ends the leases of pushes that never landed, after a day", async () => {
  let now = 1000;
  const store = memoryRefStore(() => now);
  const begun = await store.beginPush({ names: [], packName: "crashed", create: CREATION });
  await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("landed") });
  await store.beginPush({ names: [], packName: "given-up" });
  await store.abandonPush("given-up");
  expect(store.database.dueWork(now + DAY - 1).expiredPacks).toEqual([]);
  now += DAY;
  expect(store.database.dueWork(now).expiredPacks).toEqual(["crashed"]);
  // Refused from this moment, not from when the files are gone.
  expect(
    await store.commitPush({
      id: begun.kind === "begun" ? begun.record.id : "",
      pack: packRecord("crashed"),
      updates: [create("refs/heads/late", oid(2))],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    }),
  ).toMatchObject({ packKept: false, outcomes: [{ why: { kind: "unpacker-error" } }] });
  await store.abandonPush("crashed");
  expect(store.database.dueWork(now).expiredPacks).toEqual([]);
});

it("the prefix of a removed repository is doomed until it is empty, and longer while uploads may go on", async () => {
  let now = 1000;
  const store = memoryRefStore(() => now);
  const record = await createdRecord(store, CREATION);
  await store.beginPush({ names: [], packName: "late" });
  await store.remove();
  const { database } = store;
  expect(database.dueWork(now).doomedPrefixes).toEqual([{ id: record.id, lent: false }]);
  database.prefixJobSent(record.id, now);
  expect(database.dueWork(now).doomedPrefixes).toEqual([]);
  await store.prefixDeleted(record.id);
  expect(database.nextDue(now)).toBe(now + DAY);
  now += DAY;
  expect(database.dueWork(now).doomedPrefixes).toEqual([{ id: record.id, lent: false }]);
  await store.prefixDeleted(record.id);
  expect(database.nextDue(now)).toBeUndefined();
});

it("the alarm sends a job for a doomed prefix again if no job reports that it is done", async () => {
  const store = memoryRefStore(() => 1000);
  const record = await createdRecord(store, CREATION);
  await store.remove();
  store.database.prefixJobSent(record.id, 1000);
  const due = store.database.nextDue(1000) ?? 0;
  expect(due).toBeGreaterThan(1000);
  expect(store.database.dueWork(due).doomedPrefixes).toEqual([{ id: record.id, lent: false }]);
});
