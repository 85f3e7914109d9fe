/**
 * What every repository has to do when it is made with an id, changed on a condition, or ended before it was made.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { fromHex } from "../../src/bytes/hex.ts";
import { settingsTag } from "../../src/refs/repository-settings.ts";
import { create, createdRecord, CREATION, oid, packRecord, push, type RefStoreUnderTest } from "./ref-store.ts";

/** Runs the suite; `open` gives a name that has no repository yet. */
export function repositoryLifeSuite(name: string, open: () => Promise<RefStoreUnderTest>): void {
  describe(`a repository's life: ${name}`, () => {
    it("changes settings only if they are still as the client saw them", async () => {
      const store = await open();
      const tag = settingsTag(await createdRecord(store));
      expect(await store.change({ description: "one" }, ["nonsense"])).toBe("stale");
      expect(await store.change({ description: "one" }, ["nonsense", tag])).toMatchObject({ description: "one" });
      expect(await store.change({ description: "two" }, [tag])).toBe("stale");
      expect(await store.change({ description: CREATION.description })).not.toBe("stale");
      await push(store, [create("refs/heads/main", oid(1))]);
      expect(await store.change({ readOnly: true }, [tag])).toMatchObject({ readOnly: true });
      const wasReadOnly = [tag];
      expect(await store.change({ readOnly: false }, wasReadOnly)).toBe("stale");
    });

    it("answers a caller that may read only public repositories as if a private one were missing", async () => {
      const store = await open();
      await createdRecord(store);
      await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("p1") });
      const wants = fromHex(oid(1)) ?? new Uint8Array(0);
      const everything = { packs: true, refPrefixes: [], wants, wantRefs: ["HEAD"], publicOnly: true };
      expect(await store.describe(true)).toBeUndefined();
      for (const request of [everything, { ...everything, at: Date.now() }, { publicOnly: true }]) {
        // For the memory of the host, so that the next request of the operator's costs less.
        const hidden = { objectFormat: "sha1", readOnly: false };
        expect(await store.open(request)).toEqual({ kind: "missing", hidden });
      }
      expect(await store.open({ ...everything, publicOnly: false })).toMatchObject({ kind: "found" });
      await store.change({ visibility: "public" });
      expect(await store.open(everything)).toEqual(await store.open({ ...everything, publicOnly: false }));
      expect(await store.describe(true)).toEqual(await store.describe());
    });

    it("makes a repository with the given id", async () => {
      const store = await open();
      const id = "1".repeat(32);
      expect(await createdRecord(store, { ...CREATION, id })).toMatchObject({ id });
      expect(await createdRecord(store, { ...CREATION, id: "2".repeat(32) })).toMatchObject({ id });
      await store.remove(id);
      expect(await store.create({ ...CREATION, id })).toEqual({ kind: "gone" });
      expect(await store.beginPush({ names: [], create: { ...CREATION, id } })).toEqual({ kind: "missing" });
    });

    it("never makes a repository that was removed before it was made", async () => {
      const store = await open();
      const [early, later] = ["3".repeat(32), "4".repeat(32)];
      expect(await store.remove(early)).toBe(false);
      expect(await store.beginPush({ names: [], create: { ...CREATION, id: early } })).toEqual({ kind: "missing" });
      expect(await store.create({ ...CREATION, id: early })).toEqual({ kind: "gone" });
      expect(await createdRecord(store, { ...CREATION, id: later })).toMatchObject({ id: later });
      expect(await store.remove(early)).toBe(true);
      expect(await store.describe()).toBeUndefined();
    });
  });
}
