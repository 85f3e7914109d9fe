/** How the packs of slices get their marks, and lose them. */
import { describe, expect, it } from "vitest";
import type { EndSyncAnswer, EndSyncRequest } from "../../../../src/refs/mirror-store.ts";
import type { PackRecord } from "../../../../src/catalog/pack-record.ts";
import { create, CREATION, oid, packRecord } from "../../../suites/ref-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../../support/memory-ref-store.ts";

const NOW = 1_700_000_000_000;
const MOMENT = { now: NOW, jitter: 0 };

class Syncing {
  readonly store: MemoryRefStore = memoryRefStore(() => NOW);
  #id = "";

  async begin(): Promise<this> {
    const made = await this.store.create(CREATION);
    if (made.kind !== "created") throw new Error(made.kind);
    this.#id = made.record.id;
    this.store.database.mirror.configure(
      {
        settings: {
          upstream: "https://example.com/a.git",
          interval: 0,
          fetchThrough: 0,
          refspecs: ["+refs/heads/*:refs/heads/*"],
          policy: "follow",
          lfs: "requests",
          fsck: { ignore: [], skip: [] },
        },
        login: "none",
        hook: "none",
      },
      NOW,
    );
    return this;
  }

  /** A sync from its beginning to its end. */
  async sync(packName: string, request: Pick<EndSyncRequest, "end"> & Partial<EndSyncRequest>): Promise<EndSyncAnswer> {
    const { mirror } = this.store.database;
    const { kind } = mirror.begin(packName, NOW);
    if (kind !== "begun") throw new Error(kind);
    return await mirror.end(
      { id: this.#id, packName, isClean: true, updates: [], bytes: 0, objects: 0, ...request },
      MOMENT,
    );
  }

  async slice(name: string, packs: readonly string[]): Promise<EndSyncAnswer> {
    const end = { kind: "partial", slice: { anchors: new Uint8Array(20).fill(7), packs } } as const;
    return await this.sync(name, { end, pack: packRecord(name, { source: "mirror" }) });
  }

  async marks(): Promise<Record<string, boolean>> {
    const found = await this.store.open({ packs: true });
    if (found.kind === "missing") throw new Error("missing");
    return Object.fromEntries(found.packs.map(({ name, marked }) => [name, marked]));
  }
}

const landed = (packName: string, reached: readonly string[]): Parameters<Syncing["sync"]>[1] => ({
  end: { kind: "synced", reached },
  pack: packRecord(packName, { source: "mirror" }),
  updates: [create("refs/heads/main", oid(1)), create("refs/heads/side", oid(2))],
});

describe("packs of slices", () => {
  it("have no mark until refs reach them, and are known by name while they wait", async () => {
    const syncing = await new Syncing().begin();
    await syncing.slice("a", ["a"]);
    await syncing.slice("b", ["a", "b"]);
    expect(await syncing.marks()).toEqual({ a: false, b: false });
    const begun = syncing.store.database.mirror.begin("later", NOW);
    expect(begun).toMatchObject({ kind: "begun", slice: { packs: ["a", "b"] } });
  });

  it("get their marks with the refs, those that are in the catalog", async () => {
    const syncing = await new Syncing().begin();
    await syncing.slice("a", ["a"]);
    await syncing.slice("b", ["a", "b"]);
    expect(await syncing.sync("c", landed("c", ["a", "b", "unknown"]))).toMatchObject({ kind: "done", packKept: true });
    expect(await syncing.marks()).toEqual({ a: true, b: true, c: true });
    expect(syncing.store.database.mirror.begin("later", NOW)).not.toHaveProperty("slice");
  });

  it("get none where they are not known to be reached", async () => {
    const syncing = await new Syncing().begin();
    await syncing.slice("a", ["a"]);
    await syncing.sync("c", landed("c", []));
    expect(await syncing.marks()).toEqual({ a: false, c: true });
  });

  it("get none where the refs are refused", async () => {
    const syncing = await new Syncing().begin();
    await syncing.slice("a", ["a"]);
    const updates = [create("refs/heads/main", oid(1)), create("refs/heads/main/below", oid(2))];
    expect(await syncing.sync("c", { ...landed("c", ["a"]), updates })).toMatchObject({ kind: "refused" });
    expect(await syncing.marks()).toEqual({ a: false });
  });

  it("lose them, all, when a ref that they rest on is rewritten or goes", async () => {
    for (const newOid of [oid(9), "0".repeat(40)]) {
      const syncing = await new Syncing().begin();
      await syncing.slice("a", ["a"]);
      await syncing.sync("c", landed("c", ["a"]));
      const forward = { name: "refs/heads/main", oldOid: oid(1), newOid: oid(3), forward: true };
      await syncing.sync("d", { end: { kind: "synced" }, updates: [forward] });
      expect(await syncing.marks()).toEqual({ a: true, c: true });
      const rewritten = { name: "refs/heads/side", oldOid: oid(2), newOid, forward: false };
      await syncing.sync("e", { end: { kind: "synced" }, updates: [rewritten] });
      expect(await syncing.marks()).toEqual({ a: false, c: false });
    }
  });

  it("rest on any ref where they are many and the refs are", async () => {
    const syncing = await new Syncing().begin();
    const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
    for (const [i, name] of names.entries()) await syncing.slice(name, names.slice(0, i + 1));
    const updates = Array.from({ length: 500 }, (_, i) => create(`refs/tags/v${i}`, oid(i)));
    await syncing.sync("c", { ...landed("c", names), updates });
    expect(new Set(Object.values(await syncing.marks()))).toEqual(new Set([true]));
    await syncing.sync("d", { end: { kind: "synced" }, updates: [create("refs/heads/new", oid(1))] });
    const dropped = { name: "refs/heads/new", oldOid: oid(1), newOid: "0".repeat(40), forward: false };
    await syncing.sync("e", { end: { kind: "synced" }, updates: [dropped] });
    const marks = await syncing.marks();
    expect(names.some((name) => marks[name])).toBe(false);
    expect(marks["c"]).toBe(true);
  });
});

describe("marks", () => {
  const packed = (packName: string, marked = true): { pack: PackRecord } => ({
    pack: packRecord(packName, { source: "mirror", marked }),
  });
  const moved = { name: "refs/heads/side", oldOid: oid(2), newOid: oid(5), forward: false, reached: true };
  const dropped = { name: "refs/heads/side", oldOid: oid(2), newOid: "0".repeat(40), forward: false, reached: true };
  const forward = { name: "refs/heads/main", oldOid: oid(1), newOid: oid(4), forward: true };
  const synced = { end: { kind: "synced" } } as const;

  async function begun(): Promise<Syncing> {
    const syncing = await new Syncing().begin();
    await syncing.sync("c", landed("c", []));
    return syncing;
  }

  it("go on where what a ref had is reached by what comes, and rest on all that came with it", async () => {
    for (const update of [moved, dropped]) {
      const syncing = await begun();
      await syncing.sync("d", { ...synced, ...packed("d"), updates: [forward, update] });
      expect(await syncing.marks()).toEqual({ c: true, d: true });
      const rewritten = { name: "refs/heads/main", oldOid: oid(4), newOid: oid(9), forward: false };
      await syncing.sync("e", { ...synced, ...packed("e"), updates: [rewritten] });
      expect(await syncing.marks()).toEqual({ c: false, d: false, e: true });
    }
  });

  it("end where the pack that reaches it is not itself reached, or another ref loses what it had", async () => {
    const unmarked = await begun();
    await unmarked.sync("d", { ...synced, ...packed("d", false), updates: [moved] });
    expect(await unmarked.marks()).toEqual({ c: false, d: false });
    const lost = await begun();
    await lost.sync("d", { ...synced, ...packed("d"), updates: [moved, { ...forward, forward: false }] });
    expect(await lost.marks()).toEqual({ c: false, d: true });
  });
});
