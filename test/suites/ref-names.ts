/**
 * Names of refs that are bytes and not UTF-8, in any store. Run on Node's SQLite and on a Durable Object's in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import { decodeRefRows } from "../../src/refs/ref-rows.ts";
import { create, oid, push, type RefStoreUnderTest, remove } from "./ref-store.ts";

/** The suite. */
export function refNameSuite(title: string, open: () => Promise<RefStoreUnderTest>): void {
  describe(`names of refs: ${title}`, () => {
    it("returns refs whose names are not UTF-8 in byte order, by prefixes of bytes", async () => {
      const store = await open();
      const ordered = ["a\\%C3", "a\\%C3(", "aé", "a\\%E9x", "a\u9000", "a\\%FF/\\%80"].map(
        (end) => `refs/heads/${end}`,
      );
      await push(
        store,
        ordered.toReversed().map((name, index) => create(name, oid(index + 1))),
      );
      const listed = async (...prefixes: string[]): Promise<string[]> => {
        const answer = await store.open({ refPrefixes: prefixes });
        return answer.kind === "missing" ? [] : Array.from(decodeRefRows(answer.refs, 20), (row) => row.name);
      };
      expect(await listed()).toEqual(ordered);
      expect(await listed("refs/heads/a\\%C3")).toEqual(ordered.slice(0, 3));
      expect(await listed("refs/heads/a\\%E9", "refs/heads/a\\%FF/")).toEqual(ordered.slice(3));
      const below = await push(store, [create("refs/heads/a\\%FF", oid(9))]);
      expect(below.kinds).toEqual(["directory-conflict"]);
      await push(
        store,
        ordered.map((name, index) => remove(name, oid(ordered.length - index))),
      );
      // The first that was pushed is HEAD's branch, which may not be deleted.
      expect(await listed()).toEqual(ordered.slice(-1));
    });
  });
}
