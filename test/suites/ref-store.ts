/**
 * What every ref store has to do. Run on the tables in memory and on the Durable Object in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { decodeRefRows } from "../../src/refs/ref-rows.ts";
import type { CommitPushRequest, RefStore, DescribedRepository } from "../../src/refs/ref-store.ts";
import type { RefUpdate } from "../../src/refs/ref-update.ts";
import type { RepositorySettings } from "../../src/refs/repository-settings.ts";
import type { PackRecord } from "../../src/catalog/pack-record.ts";

/** What the suite runs on. */
export type RefStoreUnderTest = RefStore & RepositorySettings;

const ZERO = "0".repeat(40);
const RAW_SIZE = 20;

/** An object name that reads as its number. */
export const oid = (number: number): string => number.toString(16).padStart(40, "a");

const raw = (...hex: string[]): Uint8Array => fromHex(hex.join("")) ?? new Uint8Array(0);

/** A command that makes a ref. */
export const create = (name: string, newOid: string): RefUpdate => ({ name, oldOid: ZERO, newOid, forward: true });
export const move = (name: string, oldOid: string, newOid: string, forward = true): RefUpdate => ({
  name,
  oldOid,
  newOid,
  forward,
});
/** A command that deletes a ref. */
export const remove = (name: string, oldOid: string): RefUpdate => ({ name, oldOid, newOid: ZERO, forward: false });

export const CREATION = {
  objectFormat: "sha1",
  visibility: "private",
  head: "refs/heads/main",
  description: "",
} as const;

/** A pack's record. */
export function packRecord(name: string, more: Partial<PackRecord> = {}): PackRecord {
  return {
    name,
    checksum: name.padEnd(40, "0"),
    objects: 3,
    ownObjects: 3,
    packBytes: 1000,
    ownBytes: 980,
    indexBytes: 1100,
    indexHead: new Uint8Array(1100).fill(7),
    marked: true,
    source: "receive",
    createdAt: 1_700_000_000_000,
    ...more,
  };
}

const RULE = { pattern: "main", allowForcePush: false, allowDeletion: false, requireSigned: false } as const;

/** Makes a repository, or finds it made. */
export async function createdRecord(
  store: RefStoreUnderTest,
  request: Parameters<RefStoreUnderTest["create"]>[0] = CREATION,
): Promise<DescribedRepository> {
  const answer = await store.create(request);
  if (answer.kind === "gone" || answer.kind === "stale") throw new Error(answer.kind);
  return answer.record;
}

async function idOf(store: RefStoreUnderTest): Promise<string> {
  return (await createdRecord(store)).id;
}

/** Begins and lands a push; gives what became of each command. */
export async function push(
  store: RefStoreUnderTest,
  updates: readonly RefUpdate[],
  more: Partial<CommitPushRequest> = {},
): Promise<{ kinds: string[]; packKept: boolean }> {
  const { pack } = more;
  const begun = await store.beginPush({
    names: updates.map((update) => update.name),
    create: CREATION,
    ...(pack === undefined ? {} : { packName: pack.name }),
  });
  if (begun.kind !== "begun") throw new Error("not begun");
  const answer = await store.commitPush({
    id: begun.record.id,
    updates,
    atomic: false,
    actor: "tester",
    pusher: {},
    signed: false,
    pushOptions: [],
    ...more,
  });
  if (answer.kind !== "done") return { kinds: [answer.kind], packKept: false };
  expect(answer.outcomes.map((outcome) => outcome.name)).toEqual(updates.map((update) => update.name));
  const kinds = answer.outcomes.map((outcome) => (outcome.kind === "ok" ? "ok" : outcome.why.kind));
  return { kinds, packKept: answer.packKept };
}

async function refsOf(store: RefStoreUnderTest, prefixes: readonly string[] = []): Promise<[string, string][]> {
  const answer = await store.open({ refPrefixes: prefixes });
  if (answer.kind === "missing") throw new Error("missing");
  return Array.from(decodeRefRows(answer.refs, RAW_SIZE), (row) => [row.name, toHex(row.oid)]);
}

async function packsOf(store: RefStoreUnderTest): Promise<readonly PackRecord[]> {
  const answer = await store.open({ packs: true });
  return answer.kind === "missing" ? [] : answer.packs;
}

async function marksOf(store: RefStoreUnderTest): Promise<Record<string, boolean>> {
  return Object.fromEntries((await packsOf(store)).map((pack) => [pack.name, pack.marked]));
}

/** Declares the suite; `open` gives a name that has no repository yet. */
export function refStoreSuite(title: string, open: () => Promise<RefStoreUnderTest>): void {
  describe(`ref store: ${title}`, () => {
    describe("life", () => {
      lifeCases(open);
    });
    describe("pushes", () => {
      pushCases(open);
    });
    describe("names in each other's way", () => {
      conflictCases(open);
    });
    describe("snapshots", () => {
      snapshotCases(open);
    });
    describe("packs", () => {
      packCases(open);
    });
  });
}

function lifeCases(open: () => Promise<RefStoreUnderTest>): void {
  it("answers that a repository is missing if it was never made", async () => {
    const store = await open();
    expect(await store.open({ packs: true, refPrefixes: [], wants: raw(oid(1)) })).toEqual({ kind: "missing" });
    expect(await store.beginPush({ names: ["refs/heads/main"] })).toEqual({ kind: "missing" });
    expect(await store.describe()).toBeUndefined();
    expect(await store.change({ description: "x" })).toBeUndefined();
    expect(await store.remove()).toBe(false);
    await store.abandonPush("none");
    const commit = {
      id: "none",
      updates: [],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    };
    expect(await store.commitPush(commit)).toEqual({ kind: "gone" });
  });

  it("makes a repository once", async () => {
    const store = await open();
    const made = await store.create({ ...CREATION, visibility: "public", description: "as made" });
    if (made.kind !== "created") throw new Error(made.kind);
    expect(made.record).toMatchObject({
      objectFormat: "sha1",
      visibility: "public",
      head: "refs/heads/main",
      description: "as made",
      readOnly: false,
      rules: [],
      sizeBytes: 0,
    });
    expect(made.record.id).toMatch(/^[0-9a-f]{32}$/);
    expect(made.record.pushedAt).toBeUndefined();
    const again = await store.create({ ...CREATION, description: "other" });
    expect(again).toEqual({ kind: "exists", record: made.record });
  });

  it("changes the given settings and leaves the rest", async () => {
    const store = await open();
    const record = await createdRecord(store, { ...CREATION, description: "kept" });
    const changed = await store.change({ visibility: "public", head: "refs/heads/trunk" });
    expect(changed).toMatchObject({ ...record, visibility: "public", head: "refs/heads/trunk", headChosen: true });
    expect(await store.describe()).toEqual(changed);
  });

  it("keeps rules in their order, and replaces them all", async () => {
    const store = await open();
    const record = await createdRecord(store);
    expect(record.rules).toEqual([]);
    const rules = [RULE, { ...RULE, pattern: "release/*", allowForcePush: true, pushers: ["tok_1", "d\u00e9ploy"] }];
    expect(await store.change({ rules })).toEqual({ ...record, rules });
    expect(await store.change({ description: "kept" })).toMatchObject({ rules });
    const begun = await store.beginPush({ names: [] });
    expect(begun).toMatchObject({ record: { rules } });
    expect(await store.change({ rules: [{ ...RULE, pushers: [] }] })).toMatchObject({
      rules: [{ ...RULE, pushers: [] }],
    });
    expect(await store.change({ rules: [] })).toMatchObject({ rules: [] });
    await store.change({ rules });
    await store.remove();
    expect((await createdRecord(store)).rules).toEqual([]);
  });

  it("forgets everything when it is removed, and is another when made anew", async () => {
    const store = await open();
    const id = await idOf(store);
    await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("p1") });
    expect(await store.remove()).toBe(true);
    expect(await store.open({})).toEqual({ kind: "missing" });
    const next = await idOf(store);
    expect(next).not.toBe(id);
    expect(await refsOf(store)).toEqual([]);
    expect(await packsOf(store)).toEqual([]);
  });

  it("refuses a push that began before the repository was removed", async () => {
    const store = await open();
    const begun = await store.beginPush({ names: [], create: CREATION, packName: "late" });
    if (begun.kind !== "begun") throw new Error("not begun");
    await store.remove();
    await store.create(CREATION);
    const answer = await store.commitPush({
      id: begun.record.id,
      pack: packRecord("late"),
      updates: [create("refs/heads/main", oid(1))],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    });
    expect(answer).toEqual({ kind: "gone" });
    expect(await refsOf(store)).toEqual([]);
  });
}

function pushCases(open: () => Promise<RefStoreUnderTest>): void {
  it("enforces rules within the transaction", async () => {
    const store = await open();
    const main = "refs/heads/main";
    await push(store, [create(main, oid(1)), create("refs/heads/free", oid(1))]);
    await store.change({ rules: [RULE] });
    expect(
      await push(store, [move(main, oid(1), oid(2), false), move("refs/heads/free", oid(1), oid(2), false)]),
    ).toEqual({ kinds: ["rule", "ok"], packKept: false });
    expect((await push(store, [remove("refs/heads/free", oid(2)), remove(main, oid(1))])).kinds).toEqual([
      "ok",
      "rule",
    ]);
    expect((await push(store, [move(main, oid(1), oid(2))])).kinds).toEqual(["ok"]);
    await store.change({ rules: [{ ...RULE, pushers: ["tok_1"], requireSigned: true }] });
    const next = [move(main, oid(2), oid(3))];
    expect((await push(store, next, { pusher: { identities: ["tok_2"] }, signed: true })).kinds).toEqual(["rule"]);
    expect((await push(store, next, { pusher: { identities: ["tok_1"] } })).kinds).toEqual(["rule"]);
    expect((await push(store, next, { pusher: { identities: ["tok_1"] }, signed: true })).kinds).toEqual(["ok"]);
    await store.change({ rules: [], readOnly: true });
    expect((await push(store, [move(main, oid(3), oid(4))])).kinds).toEqual(["read-only"]);
    await store.change({ readOnly: false });
    expect((await push(store, [move(main, oid(3), oid(4))])).kinds).toEqual(["ok"]);
  });

  it("creates, moves and deletes refs, and tells pushers their values", async () => {
    const store = await open();
    expect(await push(store, [create("refs/heads/main", oid(1)), create("refs/tags/v1", oid(2))])).toEqual({
      kinds: ["ok", "ok"],
      packKept: false,
    });
    const begun = await store.beginPush({ names: ["refs/tags/v1", "refs/heads/none", "refs/heads/main"] });
    expect(begun).toMatchObject({ kind: "begun", current: [oid(2), "", oid(1)] });
    await push(store, [move("refs/heads/main", oid(1), oid(3)), remove("refs/tags/v1", oid(2))]);
    expect(await refsOf(store)).toEqual([["refs/heads/main", oid(3)]]);
    expect((await store.describe())?.pushedAt).toBeTypeOf("number");
  });

  it("compares every old value", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1)), create("refs/heads/b", oid(1)), create("refs/heads/d", oid(1))]);
    const { kinds } = await push(store, [
      create("refs/heads/a", oid(2)),
      move("refs/heads/b", oid(9), oid(2)),
      move("refs/heads/none", oid(1), oid(2)),
      remove("refs/heads/gone", oid(1)),
      remove("refs/heads/d", oid(9)),
      create("refs/heads/c", oid(4)),
    ]);
    expect(kinds).toEqual(["exists", "stale", "missing-ref", "missing-ref", "stale", "ok"]);
    expect(await refsOf(store)).toEqual([
      ["refs/heads/a", oid(1)],
      ["refs/heads/b", oid(1)],
      ["refs/heads/c", oid(4)],
      ["refs/heads/d", oid(1)],
    ]);
  });

  it("returns the value that an update conflicts with", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1))]);
    const answer = await store.commitPush({
      id: (await store.describe())?.id ?? "",
      updates: [move("refs/heads/a", oid(2), oid(3))],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    });
    expect(answer).toMatchObject({ outcomes: [{ kind: "rejected", why: { kind: "stale", current: oid(1) } }] });
  });

  it("allows a missing ref to be deleted, as C git does, and refuses it if the ref was made meanwhile", async () => {
    const store = await open();
    expect((await push(store, [remove("refs/heads/none", ZERO)])).kinds).toEqual(["ok"]);
    await push(store, [create("refs/heads/none", oid(1))]);
    expect((await push(store, [remove("refs/heads/none", ZERO)])).kinds).toEqual(["stale"]);
  });

  it("keeps the branch that HEAD points to", async () => {
    const store = await open();
    await push(store, [create("refs/heads/main", oid(1))]);
    expect((await push(store, [remove("refs/heads/main", oid(1))])).kinds).toEqual(["delete-current"]);
    await store.change({ head: "refs/heads/trunk" });
    expect((await push(store, [remove("refs/heads/main", oid(1))])).kinds).toEqual(["ok"]);
  });

  it("refuses names that git calls funny, and a name that comes twice", async () => {
    const store = await open();
    const { kinds } = await push(store, [
      create("refs/heads/a..b", oid(1)),
      create("HEAD", oid(1)),
      create("refs/heads/a", oid(1)),
      move("refs/heads/a", oid(1), oid(2)),
    ]);
    expect(kinds).toEqual(["bad-name", "bad-name", "ok", "duplicate"]);
    expect(await refsOf(store)).toEqual([["refs/heads/a", oid(1)]]);
  });

  it("applies all of an atomic push or nothing", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1))]);
    const before = await store.open({ refPrefixes: [] });
    const refused = await push(
      store,
      [create("refs/heads/b", oid(2)), move("refs/heads/a", oid(9), oid(3)), create("refs/heads/c", oid(2))],
      { atomic: true, pack: packRecord("p1") },
    );
    expect(refused).toEqual({ kinds: ["atomic", "stale", "atomic"], packKept: false });
    expect(await store.open({ refPrefixes: [] })).toEqual(before);
    const landed = await push(store, [create("refs/heads/b", oid(2)), move("refs/heads/a", oid(1), oid(3))], {
      atomic: true,
    });
    expect(landed.kinds).toEqual(["ok", "ok"]);
  });

  it("lets exactly one of two racing pushes win", async () => {
    const store = await open();
    await push(store, [create("refs/heads/main", oid(1))]);
    const race = await Promise.all([2, 3].map((next) => push(store, [move("refs/heads/main", oid(1), oid(next))])));
    expect(race.flatMap(({ kinds }) => kinds)).toEqual(expect.arrayContaining(["ok", "stale"]));
  });
}

function conflictCases(open: () => Promise<RefStoreUnderTest>): void {
  it("refuses a name below a ref, and a ref above names", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1)), create("refs/heads/d/e/f", oid(1))]);
    const { kinds } = await push(store, [
      create("refs/heads/a/b", oid(1)),
      create("refs/heads/d", oid(1)),
      create("refs/heads/d/e", oid(1)),
      create("refs/heads/d/e/f/g", oid(1)),
      create("refs/heads/ab", oid(1)),
      create("refs/heads/d/e-", oid(1)),
    ]);
    const conflict = "directory-conflict";
    expect(kinds).toEqual([conflict, conflict, conflict, conflict, "ok", "ok"]);
  });

  it("sees conflicts between commands of one push, in their order", async () => {
    const store = await open();
    expect((await push(store, [create("refs/heads/x", oid(1)), create("refs/heads/x/y", oid(1))])).kinds).toEqual([
      "ok",
      "directory-conflict",
    ]);
    expect((await push(store, [create("refs/heads/p/q", oid(1)), create("refs/heads/p", oid(1))])).kinds).toEqual([
      "ok",
      "directory-conflict",
    ]);
  });

  it("lets a deletion make room for a ref that comes after it", async () => {
    const store = await open();
    await createdRecord(store, { ...CREATION, headChosen: true });
    await push(store, [
      create("refs/heads/a", oid(1)),
      create("refs/heads/d/e", oid(1)),
      create("refs/heads/d/f", oid(1)),
    ]);
    expect((await push(store, [create("refs/heads/a/b", oid(1)), remove("refs/heads/a", oid(1))])).kinds).toEqual([
      "directory-conflict",
      "ok",
    ]);
    expect((await push(store, [remove("refs/heads/d/e", oid(1)), create("refs/heads/d", oid(1))])).kinds).toEqual([
      "ok",
      "directory-conflict",
    ]);
    expect((await push(store, [remove("refs/heads/d/f", oid(1)), create("refs/heads/d", oid(2))])).kinds).toEqual([
      "ok",
      "ok",
    ]);
    expect(await refsOf(store)).toEqual([["refs/heads/d", oid(2)]]);
  });
}

function snapshotCases(open: () => Promise<RefStoreUnderTest>): void {
  it("returns refs in byte order, by literal prefixes", async () => {
    const store = await open();
    const names = [
      "refs/heads/a%b",
      "refs/heads/aXb",
      "refs/heads/a_b",
      "refs/heads/é",
      "refs/heads/日本",
      "refs/tags/A",
      "refs/tags/a",
    ];
    await push(
      store,
      names.map((name, index) => create(name, oid(index + 1))),
    );
    const listed = async (...prefixes: string[]): Promise<string[]> =>
      (await refsOf(store, prefixes)).map(([name]) => name);
    const ordered = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await listed()).toEqual(ordered);
    expect(await listed("")).toEqual(ordered);
    expect(await listed("refs/heads/a_")).toEqual(["refs/heads/a_b"]);
    expect(await listed("refs/heads/a%")).toEqual(["refs/heads/a%b"]);
    expect(await listed("refs/tags/a")).toEqual(["refs/tags/a"]);
    expect(await listed("refs/tags/", "refs/heads/a", "refs/heads/aX", "refs/none")).toEqual([
      "refs/heads/a%b",
      "refs/heads/aXb",
      "refs/heads/a_b",
      "refs/tags/A",
      "refs/tags/a",
    ]);
    expect(await listed("refs/heads/\u{10ffff}")).toEqual([]);
  });

  it("returns refs by their full names, beside those of prefixes", async () => {
    const store = await open();
    await push(store, [
      create("refs/heads/a", oid(1)),
      create("refs/heads/ab", oid(2)),
      { ...create("refs/tags/a", oid(3)), peeled: oid(4) },
    ]);
    const asked = {
      refPrefixes: ["refs/heads/ab"],
      refNames: ["refs/tags/a", "refs/heads/a", "refs/a", "refs/heads/a"],
    };
    const answer = await store.open(asked);
    const rows = answer.kind === "missing" ? [] : [...decodeRefRows(answer.refs, RAW_SIZE)];
    expect(rows[0]?.name).toBe("refs/heads/ab");
    expect(new Set(rows.slice(1).map(({ name, oid: value }) => `${name} ${toHex(value)}`))).toEqual(
      new Set([`refs/heads/a ${oid(1)}`, `refs/tags/a ${oid(3)}`]),
    );
    expect(rows.find(({ name }) => name === "refs/tags/a")?.peeled).toEqual(raw(oid(4)));
  });

  it("returns peeled values, and forgets them when the ref no longer peels", async () => {
    const store = await open();
    await push(store, [{ ...create("refs/tags/v1", oid(1)), peeled: oid(2) }]);
    const peeledOf = async (): Promise<(string | undefined)[]> => {
      const answer = await store.open({ refPrefixes: [] });
      if (answer.kind === "missing") throw new Error("missing");
      return Array.from(decodeRefRows(answer.refs, RAW_SIZE), ({ peeled }) =>
        peeled === undefined ? undefined : toHex(peeled),
      );
    };
    expect(await peeledOf()).toEqual([oid(2)]);
    await push(store, [move("refs/tags/v1", oid(1), oid(3), false)]);
    expect(await peeledOf()).toEqual([undefined]);
  });

  it("says which wants are tips, which are peeled tips, and how many tips they leave out", async () => {
    const store = await open();
    await push(store, [
      create("refs/heads/a", oid(1)),
      create("refs/heads/b", oid(1)),
      create("refs/heads/c", oid(2)),
      { ...create("refs/tags/v", oid(3)), peeled: oid(4) },
    ]);
    const look = async (...wants: string[]): Promise<[number[], number]> => {
      const answer = await store.open({ wants: raw(...wants) });
      if (answer.kind === "missing") throw new Error("missing");
      return [[...answer.wantIsTip], answer.uncoveredTips];
    };
    expect(await look(oid(1), oid(4), oid(9), oid(1))).toEqual([[1, 2, 0, 1], 2]);
    expect(await look(oid(1), oid(2), oid(3))).toEqual([[1, 1, 1], 0]);
    expect(await look()).toEqual([[], 3]);
    await push(store, [create("refs/heads/d", oid(5))]);
    expect(await look(oid(1), oid(2), oid(3))).toEqual([[1, 1, 1], 1]);
  });

  it("returns HEAD's value while its branch exists, and a version that rises", async () => {
    const store = await open();
    await store.create(CREATION);
    const first = await store.open({});
    expect(first).not.toHaveProperty("headOid");
    await push(store, [create("refs/heads/main", oid(1))]);
    const second = await store.open({});
    expect(second).toMatchObject({ headOid: oid(1), packs: [], refs: [] });
    if (first.kind === "missing" || second.kind === "missing") throw new Error("missing");
    expect(second.version).toBeGreaterThan(first.version);
  });
}

function packCases(open: () => Promise<RefStoreUnderTest>): void {
  it("keeps a pack that some command needs, and none that no command does", async () => {
    const store = await open();
    const kept = packRecord("p1");
    expect(await push(store, [create("refs/heads/main", oid(1))], { pack: kept })).toEqual({
      kinds: ["ok"],
      packKept: true,
    });
    expect(await push(store, [create("refs/heads/main", oid(2))], { pack: packRecord("p2") })).toEqual({
      kinds: ["exists"],
      packKept: false,
    });
    expect(await packsOf(store)).toEqual([kept]);
    expect((await store.describe())?.sizeBytes).toBe(2100);
  });

  it("accepts no pack without a lease: it may be swept already", async () => {
    const store = await open();
    const begun = await store.beginPush({ names: [], create: CREATION, packName: "p1" });
    if (begun.kind !== "begun") throw new Error("not begun");
    await store.abandonPush("p1");
    const answer = await store.commitPush({
      id: begun.record.id,
      pack: packRecord("p1"),
      updates: [create("refs/heads/main", oid(1))],
      atomic: false,
      actor: "tester",
      pusher: {},
      signed: false,
      pushOptions: [],
    });
    expect(answer).toMatchObject({ packKept: false, outcomes: [{ why: { kind: "unpacker-error" } }] });
    expect(await refsOf(store)).toEqual([]);
  });

  it("leaves a pack without a mark if one of its tips was refused", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1))], { pack: packRecord("whole") });
    await push(store, [create("refs/heads/b", oid(2)), move("refs/heads/a", oid(9), oid(3))], {
      pack: packRecord("part"),
    });
    await push(store, [create("refs/heads/c", oid(4))], { pack: packRecord("plain", { marked: false }) });
    expect(await marksOf(store)).toEqual({ whole: true, part: false, plain: false });
  });

  it("clears marks when a tip is deleted or moved other than forward, and only of the packs that rest on it", async () => {
    const store = await open();
    await push(store, [create("refs/heads/a", oid(1))], { pack: packRecord("a1") });
    await push(store, [create("refs/heads/b", oid(2)), create("refs/heads/c", oid(3))], { pack: packRecord("bc") });
    await push(store, [move("refs/heads/a", oid(1), oid(4))], { pack: packRecord("a2") });
    expect(await marksOf(store)).toEqual({ a1: true, bc: true, a2: true });
    await push(store, [move("refs/heads/a", oid(4), oid(5), false)], { pack: packRecord("a3") });
    expect(await marksOf(store)).toEqual({ a1: false, bc: true, a2: false, a3: true });
    await push(store, [remove("refs/heads/c", oid(3))]);
    expect(await marksOf(store)).toEqual({ a1: false, bc: false, a2: false, a3: true });
  });

  it("lets a pack with many tips rest on all refs at once", async () => {
    const store = await open();
    const updates = Array.from({ length: 1500 }, (_, index) => create(`refs/heads/many/${index}`, oid(index + 1)));
    await push(store, updates, { pack: packRecord("many") });
    await push(store, [move("refs/heads/many/1", oid(2), oid(9000))]);
    expect(await marksOf(store)).toEqual({ many: true });
    await push(store, [move("refs/heads/many/1", oid(9000), oid(2), false)]);
    expect(await marksOf(store)).toEqual({ many: false });
  });

  it("moves 50,000 refs in one push", async () => {
    const store = await open();
    const updates = Array.from({ length: 50_000 }, (_, index) =>
      create(`refs/heads/dir-${index % 100}/branch-${index}`, oid(index + 1)),
    );
    const { kinds } = await push(store, updates);
    expect(new Set(kinds)).toEqual(new Set(["ok"]));
    expect((await refsOf(store, ["refs/heads/dir-7/"])).length).toBe(500);
  });
}
