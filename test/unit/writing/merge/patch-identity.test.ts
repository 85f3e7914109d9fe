/**
 * Which commits of two branches make the same change: git is asked the same, and what it takes is counted.
 *
 * @module-tag thorough
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FILE_MODE } from "../../../../src/object/tree.ts";
import { type PatchSource, sameChanges } from "../../../../src/writing/merge/patch-identity.ts";
import { GitObjects } from "../../../support/git-objects.ts";
import { GitRepository } from "../../../support/git-repository.ts";

/** What is at a path after a commit; `undefined` takes it away. */
type Files = Readonly<Record<string, { readonly mode?: string; readonly content: string } | string | undefined>>;
type Tree = { readonly tree: string; readonly parents: readonly string[] };

const LINES = Array.from({ length: 30 }, (_, at) => `line ${at}\n`);
const lines = (changes: Readonly<Record<number, string>>): string =>
  LINES.map((line, at) => changes[at] ?? line).join("");

describe("the same changes in other commits", () => {
  const git = new GitRepository();
  const objects = new GitObjects(git.dir);
  const made = new Map<string, Tree>();
  let count = 0;

  afterAll(() => {
    objects.close();
    git.dispose();
  });

  const commitOf = async (oid: string): Promise<Tree> => {
    const known = made.get(oid);
    if (known !== undefined) return known;
    const [tree = "", ...parents] = git.text(["show", "-s", "--format=%T %P", oid]).split(" ").filter(Boolean);
    return { tree, parents };
  };
  const from: PatchSource = {
    source: objects,
    commitOf,
    hash: () => {
      const hash = createHash("sha256");
      const digest = (): Uint8Array<ArrayBuffer> => new Uint8Array(hash.digest());
      return { update: (bytes) => void hash.update(bytes), peek: digest, digest };
    },
    mayTouch: async () => true,
  };

  /** Commits one after the other. Returns their names. */
  const history = (base: string | undefined, changes: readonly Files[]): string[] => {
    let head = base;
    return changes.map((files) => {
      git.git(["read-tree", ...(head === undefined ? ["--empty"] : [head])]);
      for (const [path, file] of Object.entries(files)) {
        if (file === undefined) {
          git.git(["rm", "-q", "--cached", path], "", { GIT_WORK_TREE: git.dir });
          continue;
        }
        const { mode = "100644", content } = typeof file === "string" ? { content: file } : file;
        const oid = mode === "160000" ? content : git.text(["hash-object", "-w", "--stdin"], content);
        git.git(["update-index", "--add", "--replace", "--cacheinfo", `${mode},${oid},${path}`]);
      }
      const parent = head === undefined ? [] : ["-p", head];
      head = git.text(["commit-tree", ...parent, "-m", `commit ${count++}`, git.text(["write-tree"])]);
      return head;
    });
  };

  const BASE: Files = {
    file: lines({}),
    "a/deep/file": lines({}),
    swap: "a file\n",
    "swap.c": "beside it\n",
    gone: "gone\n",
    binary: "a\0b",
    long: `${"x".repeat(9000)}\0\n`,
    link: { mode: "120000", content: "target" },
    sub: { mode: "160000", content: "1".repeat(40) },
    run: "run\n",
  };

  it("are those that git tells", async () => {
    const [base] = history(undefined, [BASE]);
    const shared: Files[] = [
      { file: lines({ 10: "changed\n" }) },
      { "a/deep/file": lines({ 3: "deep\n" }), "new/file": "new\n" },
      { gone: undefined },
      { binary: "a\0c" },
      { long: `${"x".repeat(9000)}\0\nmore\n` },
      { link: { mode: "120000", content: "elsewhere" } },
      { sub: { mode: "160000", content: "2".repeat(40) } },
      { run: { mode: "100755", content: "run\n" } },
      { swap: undefined, "swap/inside": "a directory\n", "swap.c": undefined },
      { "no-line-feed": "no line feed" },
      {},
    ];
    const theirs = history(base, [
      ...shared,
      { file: lines({ 10: "changed\n", 20: "  a \t b\n" }) },
      { file: lines({ 10: "changed\n", 20: "  a \t b\n", 25: "theirs\n" }) },
      { "one/name": "x\n" },
      { mode: "x\n" },
      { "a/deep/file": lines({ 3: "deep\n", 7: "theirs alone\n" }), file: lines({ 1: "and this\n" }) },
    ]);
    const ours = history(base, [
      { file: `first\n${lines({})}` },
      ...shared.map((files) => ("file" in files ? { file: `first\n${lines({ 10: "changed\n" })}` } : files)),
      { file: `first\n${lines({ 10: "changed\n", 20: "ab\n" })}` },
      { file: `first\n${lines({ 10: "changed\n", 20: "ab\n", 25: "ours\n" })}` },
      { "one/nam": "x\n" },
      { mode: { mode: "100755", content: "x\n" } },
      { "a/deep/file": lines({ 3: "deep\n", 7: "theirs alone\n" }) },
    ]);
    const marks = git.lines(["rev-list", "--cherry-mark", "--right-only", `${ours.at(-1)}...${theirs.at(-1)}`]);
    const empty = theirs[shared.length - 1]; // `git rebase` keeps what was empty before.
    const expected = marks.filter((line) => line.startsWith("=") && line.slice(1) !== empty);
    expect(expected).toHaveLength(shared.length);
    const same = await sameChanges(from, { ours: ours.toReversed(), theirs });
    expect([...same].toSorted()).toEqual(expected.map((line) => line.slice(1)).toSorted());
  });

  it("are looked for in no merge, and in no change of too many files", async () => {
    const [base] = history(undefined, [{ file: "file\n" }]);
    const many = (number: number): Files =>
      Object.fromEntries(Array.from({ length: number }, (_, at) => [`file-${at}`, `${at}\n`]));
    const [mine] = history(base, [{ ours: "ours\n" }]);
    const [most, more] = [[many(20)], [many(20)]].map((files) => history(base, files)[0]);
    expect(await sameChanges(from, { ours: [most ?? ""], theirs: [more ?? ""] })).toEqual(new Set([more]));
    const merge = git.text(["commit-tree", "-p", mine ?? "", "-p", more ?? "", "-m", "m", `${most}^{tree}`]);
    expect(await sameChanges(from, { ours: [mine ?? ""], theirs: [merge] })).toEqual(new Set());
    const oid = await objects.writeBlob(Buffer.from("x"));
    const wide = async (number: number, name: string): Promise<string> => {
      const entries = Array.from({ length: number }, (_, at) => ({ name: `f${1e6 + at}`, mode: FILE_MODE.file, oid }));
      made.set(name, { tree: await objects.writeTree(entries), parents: [] });
      return name;
    };
    const two = async (number: number): Promise<number> => {
      const [one, other] = [await wide(number, `one ${number}`), await wide(number, `other ${number}`)];
      return (await sameChanges(from, { ours: [one], theirs: [other] })).size;
    };
    expect([await two(2000), await two(2001)]).toEqual([1, 0]);
  });

  describe("of files with long paths", () => {
    const DEPTH = 20;
    const NAME = 4000;
    const FILES = 1900;
    const nested = async (name: string): Promise<void> => {
      const oid = await objects.writeBlob(Buffer.from("x"));
      let tree = await objects.writeTree(
        Array.from({ length: FILES }, (_, at) => ({ name: `f${1e6 + at}`, mode: FILE_MODE.file, oid })),
      );
      for (let at = 0; at < DEPTH; at++)
        tree = await objects.writeTree([{ name: "d".repeat(NAME), mode: FILE_MODE.tree, oid: tree }]);
      made.set(name, { tree, parents: [] });
    };

    beforeAll(async () => {
      await nested("ours");
      await nested("theirs");
    });

    it("are hashed by each name once, and hold no path", async () => {
      let hashed = 0;
      const counted: PatchSource = {
        ...from,
        hash: () => {
          const hash = from.hash();
          const update = (bytes: Uint8Array): void => {
            hashed += bytes.length;
            hash.update(bytes);
          };
          return { ...hash, update };
        },
      };
      objects.mostHeld = objects.held;
      const before = objects.held;
      expect(await sameChanges(counted, { ours: ["ours"], theirs: ["theirs"] })).toEqual(new Set(["theirs"]));
      const names = DEPTH * NAME + FILES * 40;
      // Twice for the paths, and twice for the whole changes. Whole paths would be FILES times as long.
      expect(hashed).toBeGreaterThan(4 * DEPTH * NAME);
      expect(hashed).toBeLessThan(4 * names);
      expect(objects.mostHeld - before).toBeGreaterThan(FILES * 100);
      expect(objects.mostHeld - before).toBeLessThan(2 * FILES * 150 + DEPTH * (NAME + 200) * 2);
      expect(objects.held).toBe(before);
    });
  });

  it("spend the budget of merges with each commit, on either side", async () => {
    const oid = await objects.writeBlob(Buffer.from("x"));
    const other = await objects.writeBlob(Buffer.from("y"));
    const entries = Array.from({ length: 3000 }, (_, at) => ({ name: `f${1e6 + at}`, mode: FILE_MODE.file, oid }));
    made.set("root", { tree: await objects.writeTree(entries), parents: [] });
    const [first] = entries;
    const changed = await objects.writeTree([
      { ...(first ?? { name: "f", mode: 0 }), oid: other },
      ...entries.slice(1),
    ]);
    const names = (side: string): string[] => Array.from({ length: 50 }, (_, at) => `${side} ${at}`);
    for (const name of [...names("ours"), ...names("theirs")]) made.set(name, { tree: changed, parents: ["root"] });
    const before = objects.steps;
    await sameChanges(from, { ours: names("ours"), theirs: names("theirs") });
    expect(objects.steps - before).toBeGreaterThan(100 * 2 * 3000 * 20);
    // A budget that ends stops it.
    let left = 10;
    const work = async (): Promise<void> => {
      if (left-- === 0) throw new RangeError("spent");
    };
    const { held, emptyTree, readTree, readBlob, hold } = objects;
    const bounded = { ...from, source: { emptyTree, readTree, readBlob, hold, work } };
    await expect(sameChanges(bounded, { ours: names("ours"), theirs: names("theirs") })).rejects.toThrow("spent");
    expect(objects.held).toBe(held);
  });
});
