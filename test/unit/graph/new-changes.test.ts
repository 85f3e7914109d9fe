/** Which of some paths new commits change, compared with C git. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Budget } from "../../../src/bytes/budget.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { NewChanges } from "../../../src/graph/new-changes.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { rawName, TestStore } from "../../support/store.ts";

const PATHS = ["a", "b/c", "b/d", "e"];
const LINE = 40;

describe("the changes of new commits", () => {
  let git: GitRepository;
  beforeEach(() => {
    git = new GitRepository();
  });
  afterEach(() => git.dispose());

  /** Pushes everything up to `base`, and then the rest. Returns what each tip changes, and how many objects were read for it. */
  async function changesOf(
    tips: readonly string[],
    { most = PATHS.length, paths = PATHS }: { readonly most?: number; readonly paths?: readonly string[] } = {},
  ): Promise<{ readonly changed: readonly (readonly string[])[]; readonly reads: number; readonly commits: number }> {
    const store = new TestStore({});
    await store.push(git.pack(["base"]), [git.oid("base")]);
    const before = store.database();
    await store.push(git.pack([...tips, "^base"], "--thin"), tips);
    const budget = new Budget({ limit: "locked-commits", max: 1000, message: "too many commits" });
    const trees = new Budget({ limit: "locked-trees", max: 10_000, message: "too many trees" });
    const spent = vi.spyOn(budget, "spend");
    const session = new GraphSession(store.database(), await store.kernels.lend(store.format.rawSize));
    const read = vi.spyOn(session.reader, "readCopy");
    const changes = new NewChanges({ paths, most, before, commits: budget, trees }, session);
    const names = tips.map((tip) => rawName(tip));
    await changes.read(names);
    const changed = names.map((name) => changes.upTo(name).toSorted());
    session.leaveGraph();
    return { changed, reads: read.mock.calls.length, commits: spent.mock.calls.length };
  }

  /** What C git says that each new commit up to a tip changes in comparison with all of its parents. */
  function byGit(tip: string): string[] {
    const files = git
      .lines(["rev-list", tip, "^base"])
      .flatMap((commit) => git.lines(["diff-tree", "-r", "-c", "--root", "--no-commit-id", "--name-only", commit]));
    return [...new Set(files)].filter((path) => PATHS.includes(path)).sort();
  }

  it("are those of C git, over merges and roots", async () => {
    const stream = new FixtureStream();
    const base = stream.commit(
      "refs/heads/base",
      [...PATHS, "z"].map((path) => ({ path, content: "0\n" })),
    );
    const left = stream.commit("refs/heads/left", [{ path: "a", content: "1\n" }], { from: base });
    const right = stream.commit("refs/heads/right", [{ path: "b/c", content: "1\n" }], { from: base });
    stream.commit("refs/heads/merged", [{ path: "a", content: "1\n" }], { from: right, merge: left });
    stream.commit("refs/heads/evil", [{ path: "e", content: "evil\n" }], { from: left, merge: right });
    stream.commit("refs/heads/other", [{ path: "z", content: "1\n" }], { from: base });
    stream.commit("refs/heads/root", [{ path: "b/d", content: "0\n" }]);
    git.git(["fast-import", "--quiet"], stream.bytes());
    const tips = ["left", "right", "merged", "evil", "other", "root", "base"].map((name) => git.oid(name));
    const { changed } = await changesOf(tips);
    expect(changed).toEqual(tips.map(byGit));
    expect(changed).toEqual([["a"], ["b/c"], ["a", "b/c"], ["a", "b/c", "e"], [], ["b/d"], []]);
    expect((await changesOf(tips, { most: 1 })).changed.map(({ length }) => length)).toEqual([1, 1, 1, 1, 0, 1, 0]);
  });

  it("are found by reading each commit once, however many tips reach it", async () => {
    const stream = new FixtureStream();
    let from = stream.commit(
      "refs/heads/base",
      PATHS.map((path) => ({ path, content: "0\n" })),
    );
    const branches = Array.from({ length: LINE }, (_, at) => {
      from = stream.commit(`refs/heads/branch-${at}`, [{ path: at === LINE / 2 ? "a" : "y", content: `${at}\n` }], {
        from,
      });
      return `branch-${at}`;
    });
    git.git(["fast-import", "--quiet"], stream.bytes());
    const tips = branches.map((name) => git.oid(name));
    const all = await changesOf(tips);
    expect(all.changed).toEqual(tips.map((_, at) => (at < LINE / 2 ? [] : ["a"])));
    const last = await changesOf(tips.slice(-1));
    expect([all.reads, all.commits]).toEqual([last.reads, LINE]);
  });
});
