/**
 * Patches between trees of all kinds of files, against those of git.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { diffFiles } from "../../../src/browse/file-diff.ts";
import { patchChanges, patchText } from "../../../src/browse/patch.ts";
import { DEFAULT_OPTIONS, type DiffOptions } from "../../../src/diff/line-diff.ts";
import { commitTrees } from "../../support/changed-trees.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

const PAIRS = 60;

describe("the patch between two trees", () => {
  const git = new GitRepository();
  const store = new TestStore();

  beforeAll(async () => {
    commitTrees(git, pseudoRandom(5), { count: PAIRS, moves: true });
    store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  const patch = async (from: string, to: string, options: Partial<DiffOptions>): Promise<string> => {
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    try {
      const [before, after] = [from, to].map((name) => rawName(git.oid(`${name}^{tree}`)));
      if (before === undefined || after === undefined) throw new Error("two names are two trees");
      const changes = patchChanges(session, before, after);
      const pieces: Uint8Array[] = [];
      for await (const piece of patchText(diffFiles(session, changes, { ...DEFAULT_OPTIONS, ...options })))
        pieces.push(piece);
      return Buffer.concat(pieces).toString("latin1");
    } finally {
      session.close();
    }
  };

  it.each([
    ["", {}],
    ["-w", { whitespace: "all" }],
    ["-U0", { context: 0 }],
  ] as const)("is that of git diff --full-index %s", async (flags, options) => {
    let [files, moved, edited] = [0, 0, 0];
    for (let number = 0; number < PAIRS; number++) {
      const [from, to] = [`before${number}`, `after${number}`];
      const all = ["diff", "--full-index", "-M", ...flags.split(" ").filter(Boolean), from, to];
      const expected = git.git(all).toString("latin1");
      files += expected.split("diff --git").length - 1;
      moved += expected.split("\nrename from ").length - 1;
      edited += [...expected.matchAll(/\nsimilarity index [5-9]\d%/g)].length;
      expect(await patch(from, to, options)).toBe(expected);
    }
    expect(files).toBeGreaterThan(PAIRS * 3);
    expect(moved).toBeGreaterThan(PAIRS / 2);
    expect(edited).toBeGreaterThan(10);
  });

  it("of a tree with itself is empty", async () => {
    expect(await patch("before0", "before0", {})).toBe("");
  });
});
