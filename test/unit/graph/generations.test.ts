/**
 * What generations of the commit-graph spare: searches for what is not there end where it can't be any more.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAncestor } from "../../../src/graph/ancestry.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { ReachedCommits } from "../../../src/graph/reachability.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { rawName, REF_FORMAT, TestStore } from "../../support/store.ts";

const COMMITS = 400;
const EXACT = { byTime: false, mostCommits: Number.POSITIVE_INFINITY };

/** Runs `work` in a session of the store. Returns what it returns, and how many of the store's commits it made known. */
async function run<T>(
  { git, store }: { readonly git: GitRepository; readonly store: TestStore },
  work: (session: GraphSession, node: (revision: string) => number) => Promise<T>,
): Promise<{ readonly result: T; readonly known: number }> {
  const kernel = await store.kernels.lend(store.format.rawSize);
  try {
    const session = new GraphSession(store.database(), kernel);
    const result = await work(session, (revision) => session.node(rawName(git.oid(revision))));
    const all = git.lines(["rev-list", "--all"]);
    const known = all.filter((oid) => {
      const node = session.findNode(rawName(oid));
      return node >= 0 && session.commits.has(node);
    });
    return { result, known: known.length };
  } finally {
    store.kernels.giveBack(kernel);
  }
}

describe("a search in a history with a commit-graph", () => {
  const git = new GitRepository();
  const store = new TestStore({});

  beforeAll(async () => {
    const stream = new FixtureStream();
    const old = stream.commit("refs/heads/main", [{ path: "a", content: "old\n" }]);
    for (let i = 0; i < COMMITS; i++) stream.commit("refs/heads/main", [{ path: "a", content: `${i}\n` }]);
    stream.commit("refs/heads/side", [{ path: "b", content: "young\n" }], { from: old });
    git.import(stream);
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    await store.push(git.pack(["--all"]), git.tips());
    await store.makeGraph();
  });
  afterAll(() => git.dispose());

  it("for an ancestor that is none ends after a few commits, and without the graph after all", async () => {
    const ask = async (session: GraphSession, node: (revision: string) => number): Promise<boolean> =>
      await isAncestor(session, node("side"), node("main"));
    const { result, known } = await run({ git, store }, ask);
    expect(result).toBe(false);
    expect(known).toBeLessThan(20);
    const { graphs } = store;
    store.graphs = [];
    const without = await run({ git, store }, ask);
    store.graphs = graphs;
    expect(without).toMatchObject({ result: false });
    expect(without.known).toBeGreaterThan(COMMITS);
  });

  it("for a commit that no tip reaches ends after a few commits, and a later one goes on from there", async () => {
    const ask = async (session: GraphSession, node: (revision: string) => number): Promise<boolean[]> => {
      const reached = new ReachedCommits(session);
      await reached.addTips([node("main")]);
      const found: boolean[] = [];
      for (const revision of ["side", "main~3", "side", "main~390"]) {
        found.push((await reached.findAmong([node(revision)], EXACT)).length === 0);
        if (revision === "main~3") expect(session.commits.has(session.node(rawName(git.oid("main~40"))))).toBe(false);
      }
      return found;
    };
    const { result } = await run({ git, store }, ask);
    expect(result).toEqual([false, true, false, true]);
  });
});

describe.each([
  ["all commits", () => true],
  ["the older commits", (name: string) => Number(/^refs\/heads\/c(\d+)$/.exec(name)?.[1] ?? 200) < 120],
])("with a commit-graph of %s, and clocks that are wrong", (_, isChosen) => {
  const git = new GitRepository();
  const store = new TestStore({});

  beforeAll(async () => {
    makeHistory(git, 11, { commits: 160, skew: 4000 });
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    await store.push(git.pack(["--all"]), git.tips());
    await store.makeGraph(isChosen);
  });
  afterAll(() => git.dispose());

  it("ancestors are those that git finds", async () => {
    const pairs = Array.from({ length: 60 }, (__, i) => [`c${(i * 37) % 160}`, `c${(i * 53 + 11) % 160}`] as const);
    const told = pairs.map(([from, to]) => git.run(["merge-base", "--is-ancestor", from, to]).ok);
    expect(told).toContain(true);
    expect(told).toContain(false);
    const { result } = await run({ git, store }, async (session, node) => {
      const found: boolean[] = [];
      for (const [from, to] of pairs) found.push(await isAncestor(session, node(from), node(to)));
      return found;
    });
    expect(result).toEqual(told);
  });

  it("what tips reach is what git says", async () => {
    const tips = ["c150", "c33", "c140"];
    const all = git.lines(["rev-list", "--all"]);
    const told = new Set(git.lines(["rev-list", ...tips]));
    const { result } = await run({ git, store }, async (session, node) => {
      const reached = new ReachedCommits(session);
      await reached.addTips(tips.map((tip) => node(tip)));
      const missing: number[] = [];
      // Each by itself: a search goes on where the last one ended.
      for (const oid of all) missing.push(...(await reached.findAmong([session.node(rawName(oid))], EXACT)));
      return missing.map((missed) => Buffer.from(session.nameOf(missed)).toString("hex"));
    });
    expect(new Set(result)).toEqual(new Set(all.filter((oid) => !told.has(oid))));
  });
});
