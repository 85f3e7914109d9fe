/**
 * The ports' suites on what is deployed: the Durable Object and R2, in workerd.
 *
 * @packageDocumentation
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MaintenanceAnswer, MaintenanceCall } from "../../src/durable/repository/maintenance-call.ts";
import type { BeginPushRequest, CommitPushRequest, OpenRequest } from "../../src/refs/ref-store.ts";
import { decodeRefRows } from "../../src/refs/ref-rows.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { packStorageSuite } from "../suites/pack-storage.ts";
import { refLogSuite } from "../suites/ref-log.ts";
import { packCatalogSuite } from "../suites/pack-catalog.ts";
import type { PackCatalog } from "../../src/refs/pack-catalog.ts";
import { unbornHeadSuite } from "../suites/unborn-head.ts";
import { refNameSuite } from "../suites/ref-names.ts";
import { create, oid, packRecord, push, refStoreSuite, type RefStoreUnderTest } from "../suites/ref-store.ts";
import { tenantSuite, type TenantUnderTest } from "../suites/tenant.ts";
import { schemaSuite, type WakeFresh } from "../suites/schema.ts";
import { repositoryLifeSuite } from "../suites/repository-life.ts";
import type { Woken } from "../support/wake.ts";
import { packKey } from "../../src/catalog/pack-keys.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { lfsObject } from "../support/lfs-client.ts";
import { type RemotePackStorage, remotePackStorage } from "./remote-pack-storage.ts";

let host: RunningHost;
let storage: RemotePackStorage;
let count = 0;

beforeAll(async () => {
  host = await startTestHost({ entry: join(dirname(fileURLToPath(import.meta.url)), "ports-entry.ts") });
  storage = await remotePackStorage(host.base);
});

afterAll(async () => {
  storage.close();
  await host.stop();
});

/** A Durable Object of its own, with what `ports-entry.ts` adds. */
type TestObject = RefStoreUnderTest &
  PackCatalog & {
    alarmAfterLeases(): Promise<void>;
    rowsReadBy(requests: readonly (OpenRequest | undefined)[]): Promise<number[]>;
    rowsWrittenBy(
      begin: BeginPushRequest,
      commit: Omit<CommitPushRequest, "id">,
    ): Promise<[statement: string, rows: number][]>;
  };

async function openObject(): Promise<TestObject> {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  count += 1;
  const object = namespace.get(namespace.idFromName(`test/${count}`)) as unknown as TestObject & {
    maintenance(call: MaintenanceCall): Promise<MaintenanceAnswer>;
  };
  return {
    alarmAfterLeases: () => object.alarmAfterLeases(),
    rowsWrittenBy: (begin, commit) => object.rowsWrittenBy(begin, commit),
    rowsReadBy: (requests) => object.rowsReadBy(requests),
    open: (request) => object.open(request),
    beginPush: (request) => object.beginPush(request),
    commitPush: (request) => object.commitPush(request),
    replacePacks: async (request) =>
      (await object.maintenance({ kind: "packs", request })).replaced ?? { kind: "gone" },
    leasePacks: (id, packNames) => object.leasePacks(id, packNames),
    abandonPush: (packName) => object.abandonPush(packName),
    describe: (publicOnly) => object.describe(publicOnly),
    create: (request) => object.create(request),
    change: (change, tags) => object.change(change, tags),
    move: (to) => object.move(to),
    forward: () => object.forward(),
    refLog: (query) => object.refLog(query),
    pushCertificate: (id) => object.pushCertificate(id),
    remove: (id) => object.remove(id),
    derivedFilesWritten: (id, version) => object.derivedFilesWritten(id, version),
    prefixDeleted: (id) => object.prefixDeleted(id),
  };
}

async function openTenant(): Promise<TenantUnderTest> {
  const namespace = await host.miniflare.getDurableObjectNamespace("TENANTS");
  count += 1;
  const object = namespace.get(namespace.idFromName(`tenant-${count}`)) as unknown as TenantUnderTest;
  return {
    check: (hash, repo) => object.check(hash, repo),
    facts: (repo) => object.facts(repo),
    issue: (request) => object.issue(request),
    tokens: (after, limit) => object.tokens(after, limit),
    revoke: (id, withChildren) => object.revoke(id, withChildren),
    describe: () => object.describe(),
    create: (settings) => object.create(settings),
    change: (change) => object.change(change),
    remove: () => object.remove(),
    register: (request) => object.register(request),
    removeRepo: (repo) => object.removeRepo(repo),
    retractRepo: (repo, id) => object.retractRepo(repo, id),
    doubtRepo: (repo) => object.doubtRepo(repo),
    repoArrived: (repo, arrived) => object.repoArrived(repo, arrived),
    repoDeparted: (repo, id) => object.repoDeparted(repo, id),
    noteOffload: (repo, offloadFrom) => object.noteOffload(repo, offloadFrom),
    noteVisibility: (repo, visibility) => object.noteVisibility(repo, visibility),
    allowance: (repo) => object.allowance(repo),
    noteUsage: (report) => object.noteUsage(report),
    audit: (entry) => object.audit(entry),
    auditLog: (query) => object.auditLog(query),
    hooks: () => object.hooks(),
    addHook: (hook) => object.addHook(hook),
    changeHook: (id, change) => object.changeHook(id, change),
    removeHook: (id) => object.removeHook(id),
    mirrors: (query) => object.mirrors(query),
    belongings: () => object.belongings(),
    takeOver: (belongings) => object.takeOver(belongings),
    repos: (after, limit) => object.repos(after, limit),
  };
}

const wakeFresh: WakeFresh = async (kind, statements) => {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  count += 1;
  const object = namespace.get(namespace.idFromName(`test/${count}`)) as unknown as {
    wake: (...asked: Parameters<WakeFresh>) => Promise<Woken | { failure: string }>;
  };
  const woken = await object.wake(kind, statements);
  if ("failure" in woken) throw new Error(woken.failure);
  return woken;
};

refStoreSuite("Durable Object", openObject);
refNameSuite("Durable Object", openObject);
packCatalogSuite("Durable Object", openObject);
repositoryLifeSuite("Durable Object", openObject);
tenantSuite("Durable Object", openTenant);
refLogSuite("Durable Object", openObject);
unbornHeadSuite("Durable Object", openObject);
schemaSuite("Durable Object", wakeFresh);

packStorageSuite("R2", async () => storage);

describe("a small push", () => {
  it("writes 8 rows", async () => {
    const object = await openObject();
    const pack = { ...packRecord("small"), packBytes: 300, indexBytes: 1100, indexHead: new Uint8Array(1100) };
    const small = { ...pack, kinds: new Uint8Array(3), tail: new Uint8Array(300), ownBytes: 280 };
    await push(object, [create("refs/heads/main", oid(1))]);
    const written = await object.rowsWrittenBy(
      { names: ["refs/heads/main"], packName: "small", mayBeSmall: true },
      {
        pack: small,
        updates: [{ name: "refs/heads/main", oldOid: oid(1), newOid: oid(2), forward: true }],
        atomic: false,
        actor: "tester",
        pusher: {},
        signed: false,
        pushOptions: [],
      },
    );
    const rows = written.reduce((sum, [, some]) => sum + some, 0);
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThanOrEqual(8);
  });
});

describe("the alarm", () => {
  it("deletes the files of uploads whose lease has ended, and lets them land no more", async () => {
    const object = await openObject();
    const landed = packRecord("landed");
    await push(object, [create("refs/heads/main", oid(1))], { pack: landed });
    const begun = await object.beginPush({ names: [], packName: "late" });
    if (begun.kind !== "begun") throw new Error("not begun");
    const { id } = begun.record;
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const folder = `repos/${id}.git/objects/pack/`;
    for (const name of ["pack-late.pack", "pack-late.scratch-7", "pack-later.pack", "pack-landed.pack"])
      await bucket.put(folder + name, "bytes");

    await object.alarmAfterLeases();
    const left = await bucket.list({ prefix: folder });
    expect(left.objects.map(({ key }) => key.slice(folder.length))).toEqual(["pack-landed.pack", "pack-later.pack"]);
    const answer = await object.commitPush({
      id,
      pack: packRecord("late"),
      updates: [create("refs/heads/late", oid(2))],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    });
    expect(answer).toMatchObject({ packKept: false, outcomes: [{ why: { kind: "unpacker-error" } }] });
  });
});

describe("a push of very many refs", () => {
  const MANY = 12_000;
  const names = Array.from({ length: MANY }, (_, index) => `refs/many/${index % 10}/${index}`);

  it("is seen whole or not at all, and others land beside it", async () => {
    const object = await openObject();
    await push(object, [create("refs/heads/main", oid(1))]);
    const seen = new Set<number>();
    const state = { isOver: false };
    const all = names.map((name) => create(name, oid(2)));
    const landing = push(object, all, { atomic: true }).finally(() => (state.isOver = true));
    const others: string[] = [];
    for (let other = 0; !state.isOver; other++) {
      const page = await object.open({ refPrefixes: ["refs/many/"] });
      if (page.kind !== "found") throw new Error(page.kind);
      seen.add(Array.from(decodeRefRows(page.refs, 20)).length);
      others.push(...(await push(object, [create(`refs/heads/${other}`, oid(3))])).kinds);
    }
    expect(new Set((await landing).kinds)).toEqual(new Set(["ok"]));
    expect([...seen].filter((refs) => refs !== 0 && refs !== MANY)).toEqual([]);
    expect(new Set(others)).toEqual(new Set(["ok"]));
    const found = await object.open({ refPrefixes: [] });
    expect(found.kind === "found" ? Array.from(decodeRefRows(found.refs, 20)) : []).toHaveLength(
      1 + others.length + MANY,
    );
  });
});

describe("a private repository for one who may read public ones only", () => {
  /** `LONG=1` takes a hundred thousand. */
  const MANY = process.env["LONG"] === undefined ? 2000 : 100_000;
  const all = { packs: true, refPrefixes: [], wants: new Uint8Array(200 * 20), wantRefs: ["HEAD", "refs/heads/1"] };
  const requests = [{}, all, { ...all, at: Date.now() }, { refNames: ["refs/heads/1"] }, { pushSeed: true }];
  const refused = [...requests.map((request) => ({ ...request, publicOnly: true })), undefined];

  it("costs the same few rows however much is in it", async () => {
    const [missing, few, many, gone] = [await openObject(), await openObject(), await openObject(), await openObject()];
    for (const [object, refs] of [
      [few, 1],
      [many, MANY],
      [gone, 1],
    ] as const) {
      const updates = Array.from({ length: refs }, (_, index) => create(`refs/heads/${index}`, oid(index)));
      expect((await push(object, updates, { pack: packRecord("p0") })).kinds.every((kind) => kind === "ok")).toBe(true);
    }
    for (let pack = 1; pack < 20; pack++)
      await push(many, [create(`refs/tags/${pack}`, oid(pack))], { pack: packRecord(`p${pack}`) });
    await gone.remove();

    // The row that says that it is private, and the look for one of a mirror.
    const two = refused.map(() => 2);
    expect(await many.rowsReadBy(refused)).toEqual(two);
    expect(await few.rowsReadBy(refused)).toEqual(two);
    // A table that was emptied counts as one row, and so does the look for where the repository may have moved.
    expect(await gone.rowsReadBy(refused)).toEqual(refused.map((request) => (request === undefined ? 1 : 2)));
    expect(await missing.rowsReadBy(refused)).toEqual(refused.map(() => 0));
    expect(Math.max(...(await many.rowsReadBy(requests)))).toBeGreaterThan(MANY);
  });
});

it("a Git LFS object past what the bucket takes at once is made of its parts, and of no others", async () => {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const parts = [noise(5 * 1024 * 1024, 1), noise(5 * 1024 * 1024, 2), noise(1000, 3)];
  const upload = { name: "u", parts: parts.map((part, at) => ({ number: at + 1, bytes: part.length })) };
  for (const [at, part] of parts.entries())
    await bucket.put(packKey("assembled", { pack: "u", extension: `part-${at + 1}` }), new Uint8Array(part));
  const object = lfsObject(Buffer.concat(parts));
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  const stub = namespace.get(namespace.idFromName("test/assembled")) as unknown as {
    assembled(of: typeof upload, wanted: typeof object, mostBytes: number): Promise<string>;
  };
  const other = { ...object, oid: lfsObject("other").oid };
  expect(await stub.assembled(upload, other, 1000)).toBe("false");
  expect(await stub.assembled(upload, other, 1_000_000_000)).toContain("10037");
  expect(await bucket.head(`lfs/test/${other.oid}`)).toBeNull();
  for (const mostBytes of [1000, 1_000_000_000]) {
    expect(await stub.assembled(upload, object, mostBytes)).toBe("true");
    const stored = await bucket.get(`lfs/test/${object.oid}`);
    expect(lfsObject(new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer(0)))).toEqual(object);
    await bucket.delete(`lfs/test/${object.oid}`);
  }
  expect(await stub.assembled({ ...upload, name: "gone" }, object, 1000)).toContain("is missing");
});
