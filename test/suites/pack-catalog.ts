/**
 * What every catalog has to do. Run on the tables in memory and on the Durable Object in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import type { PackRecord } from "../../src/catalog/pack-record.ts";
import type { PackCatalog, ReplacePacksAnswer } from "../../src/refs/pack-catalog.ts";
import type { OpenSnapshot } from "../../src/refs/ref-store.ts";
import type { RefUpdate } from "../../src/refs/ref-update.ts";
import { create, oid, packRecord, push, type RefStoreUnderTest } from "./ref-store.ts";

/** What the suite runs on. */
export type PackCatalogUnderTest = RefStoreUnderTest & PackCatalog;

const MAIN = "refs/heads/main";
const TOPIC = "refs/heads/topic";

async function snapshot(store: PackCatalogUnderTest): Promise<OpenSnapshot> {
  const found = await store.open({ packs: true, refPrefixes: [] });
  if (found.kind === "missing") throw new Error("no repository");
  return found;
}

/** Leases what is added, as a repack does before it writes, and replaces. */
async function replace(
  store: PackCatalogUnderTest,
  added: readonly PackRecord[],
  replaced: readonly string[],
): Promise<ReplacePacksAnswer> {
  for (const { name } of added) await store.beginPush({ names: [], packName: name });
  const { record } = await snapshot(store);
  return await store.replacePacks({ id: record.id, added, replaced });
}

const repacked = (name: string): PackRecord => packRecord(name, { source: "repack", marked: false });

/** Names and marks of the catalog. */
async function marks(store: PackCatalogUnderTest): Promise<Record<string, boolean>> {
  return Object.fromEntries((await snapshot(store)).packs.map(({ name, marked }) => [name, marked]));
}

/** A catalog of two marked packs: one rests on main, the other on topic. */
async function twoPacks(open: () => Promise<PackCatalogUnderTest>): Promise<PackCatalogUnderTest> {
  const store = await open();
  await push(store, [create(MAIN, oid(1))], { pack: packRecord("first") });
  await push(store, [create(TOPIC, oid(2))], { pack: packRecord("second") });
  return store;
}

/** Runs the cases. */
export function packCatalogSuite(title: string, open: () => Promise<PackCatalogUnderTest>): void {
  describe(`replacePacks(), ${title}`, () => {
    it("adds and removes packs in one step, and leaves the refs as they are", async () => {
      const store = await twoPacks(open);
      const before = await snapshot(store);
      expect(await replace(store, [repacked("all")], ["first", "second"])).toEqual({ kind: "done" });
      const after = await snapshot(store);
      expect(after.packs.map(({ name, source }) => [name, source])).toEqual([["all", "repack"]]);
      expect(after.refs).toEqual(before.refs);
      expect(after.version).toBeGreaterThan(before.version);
      expect(after.record.sizeBytes).toBe(2100);
      expect((await store.refLog({ limit: 10 }))?.pushes).toHaveLength(2);
    });

    it("marks packs that replace only marked ones, for as long as all refs of those are kept", async () => {
      const store = await twoPacks(open);
      await replace(store, [repacked("all")], ["first", "second"]);
      expect(await marks(store)).toEqual({ all: true });
      const rewound: RefUpdate = { name: TOPIC, oldOid: oid(2), newOid: oid(3), forward: false };
      await push(store, [rewound]);
      expect(await marks(store)).toEqual({ all: false });
    });

    it("leaves packs unmarked that replace one without a mark", async () => {
      const store = await twoPacks(open);
      const moved: RefUpdate = { name: MAIN, oldOid: oid(1), newOid: oid(4), forward: true };
      await push(store, [moved], { pack: packRecord("plain", { marked: false }) });
      await replace(store, [{ ...repacked("all"), marked: true }], ["first", "plain"]);
      expect(await marks(store)).toEqual({ second: true, all: false });
    });

    it("changes nothing if a pack to be replaced is gone", async () => {
      const store = await twoPacks(open);
      await replace(store, [repacked("all")], ["first"]);
      const before = await snapshot(store);
      expect(await replace(store, [repacked("late")], ["first", "second"])).toEqual({ kind: "stale" });
      expect(await snapshot(store)).toEqual(before);
    });

    it("adds no pack without a lease: it may be swept already", async () => {
      const store = await twoPacks(open);
      const { record, packs } = await snapshot(store);
      const request = { id: record.id, added: [repacked("unleased")], replaced: ["first"] };
      expect(await store.replacePacks(request)).toEqual({ kind: "stale" });
      expect((await snapshot(store)).packs).toEqual(packs);
    });

    it("refuses everything if the repository was made anew, or never", async () => {
      const store = await twoPacks(open);
      expect(await store.replacePacks({ id: "another", added: [], replaced: ["first"] })).toEqual({ kind: "gone" });
      const missing = await open();
      expect(await missing.replacePacks({ id: "none", added: [], replaced: [] })).toEqual({ kind: "gone" });
    });
  });
}
