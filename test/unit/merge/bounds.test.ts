/** What a stranger's trees and attributes may have a merge hold and compute. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { mergeTrees, type MergeResult } from "../../../src/merge/merge-trees.ts";
import { FILE_MODE } from "../../../src/object/tree.ts";
import { GitObjects } from "../../support/git-objects.ts";
import { GitRepository } from "../../support/git-repository.ts";

const OPTIONS = { labels: { ours: "ours", theirs: "theirs" } };

describe("a merge", () => {
  const git = new GitRepository();
  const objects = new GitObjects(git.dir);
  const attributes = objects.attributes;

  afterEach(() => {
    objects.attributes = attributes;
  });

  afterAll(() => {
    objects.close();
    git.dispose();
  });

  const fileOf = async (content: string): Promise<string> => await objects.writeBlob(Buffer.from(content));

  /** Merges changes of a file that lies `depth` directories deep. */
  const mergeOfFile = async (
    [base, ours, theirs]: readonly [string, string, string],
    depth = 0,
  ): Promise<MergeResult> => {
    const treeOf = async (content: string): Promise<string> => {
      let oid = await objects.writeTree([{ name: "file", mode: FILE_MODE.file, oid: await fileOf(content) }]);
      for (let at = 0; at < depth; at++)
        oid = await objects.writeTree([{ name: "directory", mode: FILE_MODE.tree, oid }]);
      return oid;
    };
    const trees = { base: await treeOf(base), ours: await treeOf(ours), theirs: await treeOf(theirs) };
    return await mergeTrees(objects, trees, OPTIONS);
  };

  it("has markers as long as an attribute says, and of the usual length where that is beyond the bound", async () => {
    const sizes: number[] = [];
    for (const markerSize of ["12", "1000", "1001", "50000000", "2000000000"]) {
      objects.attributes = () => ({ merge: "unspecified", markerSize });
      const { conflicted } = await mergeOfFile(["base\n", "ours\n", "theirs\n"]);
      const content = Buffer.from(await objects.readBlob(conflicted[0]?.result.oid ?? "")).toString();
      sizes.push(content.indexOf(" ours"));
    }
    expect(sizes).toEqual([12, 1000, 7, 7, 7]);
  });

  it("accounts for the length of each path that it holds and looks at", async () => {
    const depth = 1000;
    const before = { steps: objects.steps, held: objects.held };
    objects.mostHeld = objects.held;
    await mergeOfFile(["base\n", "ours\n", "theirs\n"], depth);
    const characters = (depth * depth * "directory/".length) / 2;
    expect(objects.mostHeld - before.held).toBeGreaterThan(characters);
    expect(objects.steps - before.steps).toBeGreaterThan(characters);
  });

  it("gives back what it held, so that hundreds may follow each other", async () => {
    const before = objects.held;
    objects.mostHeld = before;
    const { isClean } = await mergeOfFile(
      ["a\n\n\n\n\n\n\nb\n", "a\n\n\n\n\n\n\nours\n", "theirs\n\n\n\n\n\n\nb\n"],
      10,
    );
    expect(isClean).toBe(true);
    expect(objects.mostHeld).toBeGreaterThan(before + 1000);
    expect(objects.held).toBe(before);
  });
});
