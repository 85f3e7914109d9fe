/**
 * Lists of all that a tree has: in git's order, and bounded where strangers nest directories or lengthen paths.
 */
import { describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { listTree } from "../../../src/browse/tree-items.ts";
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "../../support/git-raw.ts";
import { bombPack, type HostilePack } from "../../support/hostile.ts";
import { rawName, TestStore } from "../../support/store.ts";

async function opened({ pack, tip }: Pick<HostilePack, "pack" | "tip">): Promise<BrowseSession> {
  const store = new TestStore();
  const record = await store.push(pack, [tip]);
  store.packs = [{ ...record, marked: true }];
  return await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
}

/** A commit of directories within each other, with a file in the innermost, and one behind each. */
function nested(depth: number, name: string): { readonly pack: Buffer; readonly tip: string; readonly tree: string } {
  const blob = objectId("blob", "");
  const entries: RawEntry[] = [{ type: "blob", content: "" }];
  let content = treeOf(["100644", "file", blob]);
  for (let level = 0; level < depth; level++) {
    entries.push({ type: "tree", content });
    content = treeOf(["40000", name, objectId("tree", content)], ["100644", "z", blob]);
  }
  const tree = objectId("tree", content);
  const commit = commitOf(tree);
  entries.push({ type: "tree", content }, { type: "commit", content: commit });
  return { pack: buildPack(entries), tip: objectId("commit", commit), tree };
}

describe("a list of a tree", () => {
  it("has the entries of directories behind each directory, or the directory alone", async () => {
    const { tree, ...hostile } = nested(2, "d");
    const session = await opened(hostile);
    const paths = async (isDeep: boolean): Promise<string[]> =>
      (await listTree(session, rawName(tree), isDeep)).items.map(({ path }) => path);
    expect(await paths(true)).toEqual(["d", "d/d", "d/d/file", "d/z", "z"]);
    expect(await paths(false)).toEqual(["d", "z"]);
    session.close();
  });

  it("has directories that lie deep, and is cut before those that git does not follow", async () => {
    const allowed = nested(900, "d");
    const session = await opened(allowed);
    const { items, isCut } = await listTree(session, rawName(allowed.tree), true);
    expect([items.length, isCut]).toEqual([900 * 2 + 1, false]);
    session.close();
    const deep = nested(5000, "d");
    const cut = await opened(deep);
    expect(await listTree(cut, rawName(deep.tree), true)).toMatchObject({ isCut: true });
    expect(cut.heldBytes).toBe(0);
    cut.close();
  });

  it.each(["n", "name".repeat(100)])(
    "is cut where the answer would be large, and counts what it takes: %s",
    async (prefix) => {
      const hostile = bombPack(20, 10, prefix);
      const session = await opened(hostile);
      const before = session.repository.memory.bytes;
      const { items, isCut } = await listTree(session, rawName(hostile.tree), true);
      expect(isCut).toBe(true);
      const bytes = items.reduce((sum, { path }) => sum + path.length + 160, 0);
      expect(bytes).toBeLessThanOrEqual(2 * 1024 * 1024);
      expect(bytes).toBeGreaterThan(2 * 1024 * 1024 - 5000);
      expect(session.repository.memory.bytes - before).toBeGreaterThan(2 * bytes);
      session.close();
      expect(session.repository.memory.bytes).toBeLessThanOrEqual(before);
    },
  );
});
