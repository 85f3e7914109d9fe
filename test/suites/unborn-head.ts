/**
 * Where HEAD goes when the first branches come. Run on the tables in memory and on the Durable Object in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import type { CommitPushRequest } from "../../src/refs/ref-store.ts";
import type { RefUpdate } from "../../src/refs/ref-update.ts";
import { create, createdRecord, CREATION, move, oid, push, type RefStoreUnderTest } from "./ref-store.ts";

/** Declares the suite; `open` gives a name that has no repository yet. */
export function unbornHeadSuite(title: string, open: () => Promise<RefStoreUnderTest>): void {
  describe(`HEAD, while its branch is unborn: ${title}`, () => {
    const headAfter = async (
      updates: readonly RefUpdate[],
      { creation = {}, commit = {} }: { creation?: object; commit?: Partial<CommitPushRequest> } = {},
    ): Promise<string | undefined> => {
      const store = await open();
      await createdRecord(store, { ...CREATION, ...creation });
      await push(store, updates, commit);
      return (await store.describe())?.head;
    };
    const branches = (...names: string[]): RefUpdate[] =>
      names.map((name, index) => create(`refs/heads/${name}`, oid(index + 1)));

    it("an unborn HEAD goes to main, else to master, else to the first branch that comes", async () => {
      expect(await headAfter(branches("a", "master", "main"))).toBe("refs/heads/main");
      expect(await headAfter(branches("a", "master"))).toBe("refs/heads/master");
      expect(await headAfter(branches("trunk", "a"))).toBe("refs/heads/trunk");
    });

    it("an unborn HEAD stays where somebody chose it, at creation or later", async () => {
      const creation = { head: "refs/heads/trunk", headChosen: true };
      expect(await headAfter(branches("main"), { creation })).toBe("refs/heads/trunk");
      const store = await open();
      await createdRecord(store);
      await store.change({ head: "refs/heads/main" });
      await push(store, branches("master"));
      expect(await store.describe()).toMatchObject({ head: "refs/heads/main" });
    });

    it("an unborn HEAD goes to no branch that was refused", async () => {
      const moved = move("refs/heads/master", oid(7), oid(8));
      expect(await headAfter([moved, ...branches("a")])).toBe("refs/heads/a");
      expect(await headAfter([moved, ...branches("a")], { commit: { atomic: true } })).toBe("refs/heads/main");
      expect(await headAfter([create("refs/tags/v1", oid(1))])).toBe("refs/heads/main");
    });

    it("an unborn HEAD waits for branches if tags came first, and then stays", async () => {
      const store = await open();
      await createdRecord(store);
      await push(store, [create("refs/tags/v1", oid(1))]);
      await push(store, branches("dev"));
      await push(store, branches("main"));
      expect(await store.open({})).toMatchObject({ record: { head: "refs/heads/dev" }, headOid: oid(1) });
    });
  });
}
