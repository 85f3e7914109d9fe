/**
 * Merges of trees and histories, against those of C git.
 *
 * @module-tag thorough
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergeCommits } from "../../../src/merge/merge-commits.ts";
import { mergeTrees, type MergeResult } from "../../../src/merge/merge-trees.ts";
import { FILE_MODE } from "../../../src/object/tree.ts";
import { GitObjects } from "../../support/git-objects.ts";
import { GitRepository, type GitRun } from "../../support/git-repository.ts";
import { historyOf, mergesByGit, shown } from "../../support/merges-by-git.ts";
import { importMerges } from "../../support/random-merges.ts";
import { pseudoRandom } from "../../support/store.ts";

describe("merges of random histories", () => {
  const git = new GitRepository();
  const merges = importMerges(
    git,
    pseudoRandom(Number(process.env["MERGE_SEED"] ?? 11)),
    Number(process.env["MERGES"] ?? 400),
  );
  const history = historyOf(git);
  let objects: GitObjects;

  beforeAll(() => {
    objects = new GitObjects(git.dir);
  });

  afterAll(() => {
    objects.close();
    git.dispose();
  });

  it("give the trees and the conflicted files of git", async () => {
    const byGit = mergesByGit(git, merges);
    expect(byGit).toHaveLength(merges.length);
    const oids = git.lines(["rev-parse", ...merges.flatMap(({ ours, theirs }) => [ours, theirs])]);
    let clean = 0;
    for (const [number, { ours, theirs }] of merges.entries()) {
      const result = await mergeCommits(objects, history, [oids[2 * number] ?? "", oids[2 * number + 1] ?? ""], {
        labels: { ours, theirs },
      });
      if (result.isClean) clean++;
      // Where a file is added in a place of a directory that was moved, git loses it, and writes an entry of nothing.
      if (byGit[number]?.some((line) => line.startsWith("000000 ")) === true) continue;
      expect({ number, merge: shown(result) }).toEqual({ number, merge: byGit[number] });
      if (!result.isClean) expect({ number, notes: result.notes }).not.toEqual({ number, notes: [] });
    }
    expect(clean).toBeGreaterThan(merges.length / 10);
    expect(clean).toBeLessThan((merges.length * 9) / 10);
  });
});

describe.each(["ours", "theirs"] as const)("merges in favour of %s", (favor) => {
  const git = new GitRepository();
  const merges = importMerges(git, pseudoRandom(23), 40);
  const objects = new GitObjects(git.dir);
  const history = historyOf(git);
  const tree = mkdtempSync(join(tmpdir(), "thinpack-work-"));
  const inTree = (...args: readonly string[]): GitRun =>
    git.run(["-c", "core.bare=false", "--git-dir", ".", "--work-tree", tree, ...args]);

  afterAll(() => {
    objects.close();
    git.dispose();
    rmSync(tree, { recursive: true, force: true });
  });

  it("are those of git merge -X", async () => {
    let settled = 0;
    for (const [number, { ours, theirs }] of merges.entries()) {
      inTree("checkout", "-q", "-f", "--detach", ours);
      inTree("clean", "-qffdx");
      const isClean = inTree("merge", "-q", "--no-ff", "--no-edit", "-X", favor, theirs).ok;
      const options = { labels: { ours, theirs }, favor };
      const result = await mergeCommits(objects, history, [git.oid(ours), git.oid(theirs)], options);
      expect({ number, isClean: result.isClean }).toEqual({ number, isClean });
      if (isClean) expect({ number, tree: result.tree }).toEqual({ number, tree: git.oid("HEAD^{tree}") });
      if (isClean) settled++;
      inTree("merge", "--abort");
    }
    expect(settled).toBeGreaterThan(10);
  });
});

/** The files of a side: paths with their contents. */
type Files = Readonly<Record<string, string>>;

/** Returns lines that tell one file from another. */
function some(seed: number): string {
  return Array.from({ length: 12 }, (_, line) => `${seed} ${line}\n`).join("");
}

describe("a merge of hand-made trees", () => {
  const git = new GitRepository();
  const objects = new GitObjects(git.dir);

  afterAll(() => {
    objects.close();
    git.dispose();
  });

  /** Writes a tree, from the innermost directory on. */
  const treeOf = async (files: Files, prefix = ""): Promise<string> => {
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split("/")[0] ?? ""),
    );
    const entries = await Promise.all(
      [...names].map(async (name) => {
        const content = files[prefix + name];
        return content === undefined
          ? { name, mode: FILE_MODE.tree, oid: await treeOf(files, `${prefix}${name}/`) }
          : { name, mode: FILE_MODE.file, oid: await objects.writeBlob(Buffer.from(content)) };
      }),
    );
    const key = ({ name, mode }: { name: string; mode: number }): string =>
      mode === FILE_MODE.tree ? `${name}/` : name;
    return await objects.writeTree(entries.sort((one, two) => (key(one) < key(two) ? -1 : 1)));
  };

  const merged = async (base: Files, ours: Files, theirs: Files): Promise<MergeResult> => {
    const trees = { base: await treeOf(base), ours: await treeOf(ours), theirs: await treeOf(theirs) };
    return await mergeTrees(objects, trees, { labels: { ours: "ours", theirs: "theirs" } });
  };

  it("keeps what a directory has that a file is moved into, where git loses it", async () => {
    const kept = { "new/sub/keep": "kept", "new/x": "x" };
    const files = { 1: some(1), 2: some(2), 3: some(3) };
    const base = { ...kept, "old/1": files[1], "old/2": files[2], "old/3": files[3] };
    const ours = { ...kept, "new/1": files[1], "new/2": files[2], "new/3": files[3] };
    const theirs = { ...base, "old/4": some(4), "old/sub/file": some(5) };
    const result = await merged(base, ours, theirs);
    expect(result.tree).toBe(await treeOf({ ...ours, "new/4": some(4), "new/sub/file": some(5) }));
    expect(result.conflicted.map(({ path }) => path)).toEqual(["new/4", "new/sub/file"]);
    // A file that is there already is in the way.
    const inTheWay = await merged(
      { ...base, "new/sub/file": "other" },
      { ...ours, "new/sub/file": "other" },
      { ...theirs, "new/sub/file": "other" },
    );
    expect(inTheWay.tree).toBe(
      await treeOf({ ...ours, "new/4": some(4), "new/sub/file": "other", "old/sub/file": some(5) }),
    );
    expect(inTheWay.notes).toContainEqual({
      kind: "directory-rename-in-the-way",
      paths: ["new/sub/file", "old/sub/file"],
    });
  });

  it("keeps a file that took the place of a directory which the other side moved, where git writes an entry of nothing", async () => {
    const others = { "a/1": some(1), "a/2": some(2), "a/3": some(3) };
    const base = { ...others, "a/b/1": some(4) };
    const theirs = { "new/1": some(1), "new/2": some(2), "new/3": some(3), "new/b/1": some(4) };
    const result = await merged(base, { ...others, "a/b": some(5) }, theirs);
    const file = { mode: FILE_MODE.file, oid: await objects.writeBlob(Buffer.from(some(5))) };
    expect(result.conflicted).toContainEqual(
      expect.objectContaining({ path: "new/b~ours", result: file, stages: [{ stage: 1, ...file }] }),
    );
  });

  it("ends at directories that are nested too deep", async () => {
    let [tree, other] = [await treeOf({ file: "1" }), await treeOf({ file: "2" })];
    for (let depth = 0; depth < 2100; depth++) {
      [tree, other] = [
        await objects.writeTree([{ name: "d", mode: FILE_MODE.tree, oid: tree }]),
        await objects.writeTree([{ name: "d", mode: FILE_MODE.tree, oid: other }]),
      ];
    }
    const trees = { base: objects.emptyTree, ours: tree, theirs: other };
    await expect(mergeTrees(objects, trees, { labels: { ours: "ours", theirs: "theirs" } })).rejects.toThrow(
      "nested more than 2048 deep",
    );
  });
});
