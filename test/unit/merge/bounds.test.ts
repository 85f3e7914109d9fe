/**
 * What a stranger's trees and attributes may have a merge hold and compute.
 *
 * @module-tag thorough
 */
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

  /** Merges directories of `count` files, of which each side changes the first `changed` ones. */
  const mergeOfDirectory = async (count: number, changed: number): Promise<void> => {
    const treeOf = async (content: string): Promise<string> => {
      const [changedTo, same] = [await fileOf(content), await fileOf("same")];
      const files = Array.from({ length: count }, (_, at) => ({
        name: `file-${String(at).padStart(8, "0")}`,
        mode: FILE_MODE.file,
        oid: at < changed ? changedTo : same,
      }));
      return await objects.writeTree(files);
    };
    const text = (first: string, last: string): string => `${first}\n\n\n\n\n\n\n${last}\n`;
    const trees = {
      base: await treeOf(text("a", "b")),
      ours: await treeOf(text("a", "ours")),
      theirs: await treeOf(text("theirs", "b")),
    };
    objects.mostHeld = objects.held;
    await mergeTrees(objects, trees, OPTIONS);
  };

  it("accounts for the entries of all three trees, and for equal ones once", async () => {
    const { held } = objects;
    await mergeOfDirectory(5000, 5000);
    expect(objects.mostHeld - held).toBeGreaterThan(5000 * 3 * 130);
    await mergeOfDirectory(5000, 0);
    expect(objects.mostHeld - held).toBeLessThan(5000 * 330);
  });

  it("has room for a directory of a hundred thousand files", async () => {
    const { held } = objects;
    await mergeOfDirectory(100_000, 5);
    expect(objects.mostHeld - held).toBeLessThan(40 * 1024 * 1024);
  });

  it("counts the work of telling equal files apart that were moved", async () => {
    const count = 5000;
    const oid = await fileOf("the same\n");
    const treeOf = async (directory: string, prefix: string, first: string): Promise<string> => {
      const files = Array.from({ length: count }, (_, at) => ({
        name: `${prefix}${String(at).padStart(5, "0")}`,
        mode: FILE_MODE.file,
        oid: at === 0 ? first : oid,
      }));
      return await objects.writeTree([{ name: directory, mode: FILE_MODE.tree, oid: await objects.writeTree(files) }]);
    };
    const changed = await fileOf("another\n");
    const trees = {
      base: await treeOf("old", "a", oid),
      ours: await treeOf("new", "b", oid),
      theirs: await treeOf("old", "a", changed),
    };
    const before = objects.steps;
    const { tree, isClean } = await mergeTrees(objects, trees, OPTIONS);
    expect({ tree, isClean }).toEqual({ tree: await treeOf("new", "b", changed), isClean: true });
    expect(objects.steps - before).toBeGreaterThan(count * 100 * 10);
  });

  it("knows how long the comparison of moved files takes before it begins, and refuses it if that is too long", async () => {
    const count = 300;
    const contentOf = (side: string, at: number): string =>
      Array.from({ length: 30 + (at % 5) * 20 }, (_, line) =>
        line % 3 === 0 ? `${side} ${at} ${line}\n` : `line ${line}\n`,
      ).join("");
    const treeOf = async (side: string): Promise<string> => {
      const names = Array.from({ length: count }, (_, at) => `${side}${String(at).padStart(5, "0")}`);
      const files = names.map(async (name, at) => ({
        name,
        mode: FILE_MODE.file,
        oid: await fileOf(contentOf(side, at)),
      }));
      return await objects.writeTree(await Promise.all(files));
    };
    const trees = { base: await treeOf("base"), ours: await treeOf("ours"), theirs: await treeOf("theirs") };
    const before = objects.steps;
    objects.foreseen = 0;
    await mergeTrees(objects, trees, OPTIONS);
    const spent = objects.steps - before;
    // Both sides moved all files, so that the comparisons of one side are nearly half of the work.
    expect(objects.foreseen).toBeGreaterThan(count * count * 30);
    expect(2 * objects.foreseen).toBeLessThan(spent);
    expect(2 * objects.foreseen).toBeGreaterThan(spent * 0.8);
    const begun = objects.steps;
    objects.mostSteps = begun + 0.9 * objects.foreseen;
    const error = await mergeTrees(objects, trees, OPTIONS).catch((thrown: unknown) => thrown);
    objects.mostSteps = Infinity;
    expect(error).toMatchObject({ limit: "merge-steps" });
    expect(objects.steps - begun).toBeLessThan(spent / 10);
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
