/**
 * A commit-graph that does not fit into the memory of a reader: walks find what C git finds, and hold a part of it at a time.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAncestor } from "../../../src/graph/ancestry.ts";
import { walkCommits } from "../../../src/graph/commit-walk.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { comparing, findDivergence, findMergeBases } from "../../../src/graph/merge-base.ts";
import { ReachedCommits } from "../../../src/graph/reachability.ts";
import { CommitGraph } from "../../../src/store/commit-graph.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { nodeHash, rawName, REF_FORMAT, TestStore } from "../../support/store.ts";

const EXACT = { byTime: false, mostCommits: Number.POSITIVE_INFINITY };
const STEPS = { mostCommits: 60, mostWalked: 90, leastCommits: 20, spacing: 10, mostFilters: 0 };

type Run = { readonly session: GraphSession; readonly graph: CommitGraph; readonly node: (revision: string) => number };
type Looked = { readonly most: number; readonly isInParts: boolean };

/** Runs `work` in a session whose graph may take so many bytes. Returns the most that it held, and whether it was read in parts to the end. */
async function inParts(
  { git, store }: { readonly git: GitRepository; readonly store: TestStore },
  mostBytes: number,
  work: (run: Run) => Promise<void>,
): Promise<Looked> {
  store.forget();
  let [held, most] = [0, 0];
  const memory = {
    hasRoom: () => true,
    hold: (bytes: number): void => {
      held += bytes;
      most = Math.max(most, held);
    },
  };
  const place = {
    storage: store.counted(),
    scope: "repository",
    cache: store.cache,
    hash: nodeHash,
    format: store.format,
    memory,
  };
  const graph = new CommitGraph(store.graphs, place, mostBytes);
  const kernel = await store.kernels.lend(store.format.rawSize);
  const session = new GraphSession(store.database().withGraph(graph), kernel);
  try {
    await work({ session, graph, node: (revision) => session.node(rawName(git.oid(revision))) });
    const { isInParts } = graph;
    session.close();
    expect(held).toBe(0);
    return { most, isInParts };
  } finally {
    store.kernels.giveBack(kernel);
  }
}

const hexOf = (session: GraphSession, nodes: readonly number[]): string[] =>
  nodes.map((node) => Buffer.from(session.nameOf(node)).toString("hex"));

describe.each(["sha1", "sha256"] as const)("a commit-graph of %s that is read in parts", (format) => {
  const git = new GitRepository(`--object-format=${format}`);
  const store = new TestStore({ format });
  const bed = { git, store };
  const pairs = Array.from({ length: 60 }, (_, i) => [`c${(i * 37) % 400}`, `c${(i * 53 + 11) % 400}`] as const);
  /** Room for about two layers of 60 commits. */
  const room = 2 * 60 * (2 * (format === "sha1" ? 20 : 32) + 20) + 4096;

  beforeAll(async () => {
    makeHistory(git, 31, { commits: 400, skew: 4000 });
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    await store.push(git.pack(["--all"]), git.tips());
    await store.makeGraph((name) => !/heads\/c39\d/.test(name), STEPS);
  });
  afterAll(() => git.dispose());

  it("has several layers, which do not fit", () => {
    expect(store.graphs.length).toBeGreaterThan(5);
    expect(store.graphs.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(2 * room);
  });

  it.each([
    ["a tip", ["c399"]],
    ["all tips, of which each layer has some", Array.from({ length: 400 }, (_, number) => `c${number}`)],
  ])("is walked from %s to the first commits", async (_, branches) => {
    const told = git.lines(["rev-list", ...branches]).sort();
    const { most, isInParts } = await inParts(bed, room, async ({ session, node }) => {
      const { interesting } = await walkCommits(
        session,
        branches.map((branch) => node(branch)),
        [],
      );
      expect(hexOf(session, interesting).sort()).toEqual(told);
      for (const commit of interesting.slice(0, 50)) {
        const parents = hexOf(session, [...session.commits.parentsOf(commit)]);
        expect(parents).toEqual(git.lines(["rev-parse", `${hexOf(session, [commit])[0] ?? ""}^@`]).filter(Boolean));
      }
    });
    expect(most).toBeLessThanOrEqual(room + 4 * 400);
    // Tips all over the place have layers come and go, which is given up.
    expect(isInParts).toBe(branches.length === 1);
  });

  it("tells of ancestors what git tells", async () => {
    for (const [from, to] of pairs) {
      const told = git.run(["merge-base", "--is-ancestor", from, to]).ok;
      await inParts(bed, room, async ({ session, node }) => {
        expect(await isAncestor(session, node(from), node(to))).toBe(told);
      });
    }
  });

  it("has the merge bases and the divergence that git finds, from the first pair on and in one session", async () => {
    const compare = async ({ session, node }: Run, [left, right]: (typeof pairs)[number]): Promise<void> => {
      const bounds = comparing(session, 10_000);
      const bases = hexOf(session, await findMergeBases(session, node(left), [node(right)], bounds));
      const told = git.run(["merge-base", "--all", left, right]).stdout.toString().split("\n").filter(Boolean);
      expect(bases.sort()).toEqual(told.sort());
      const divergence = await findDivergence(session, { left: node(left), right: node(right) }, bounds);
      // `rev-list left ^right` of C git without a graph may name a commit too many where clocks are wrong.
      const reached = new Set(git.lines(["rev-list", right]));
      const only = git.lines(["rev-list", left]).filter((oid) => !reached.has(oid));
      expect(hexOf(session, divergence.left).sort()).toEqual(only.sort());
    };
    for (const pair of pairs.slice(0, 12)) await inParts(bed, room, async (run) => await compare(run, pair));
    await inParts(bed, room, async (run) => {
      for (const pair of pairs) await compare(run, pair);
    });
  });

  it("tells what tips reach", async () => {
    const tips = ["c350", "c33", "c140", "c398"];
    const told = new Set(git.lines(["rev-list", ...tips]));
    const all = git.lines(["rev-list", "--all"]);
    await inParts(bed, room, async ({ session, node }) => {
      const reached = new ReachedCommits(session);
      await reached.addTips(tips.map((tip) => node(tip)));
      const missing: number[] = [];
      for (const oid of all) missing.push(...(await reached.findAmong([session.node(rawName(oid))], EXACT)));
      expect(new Set(hexOf(session, missing))).toEqual(new Set(all.filter((oid) => !told.has(oid))));
    });
  });

  it("is given up where a layer is damaged, and nothing is found that is wrong", async () => {
    const name = `${store.graphs[2]?.name}.graph`;
    const file = store.storage.files.get(name) ?? new Uint8Array(0);
    store.storage.files.set(name, file.slice(0, 1500));
    try {
      const { isInParts } = await inParts(bed, room, async ({ session, node }) => {
        for (const [left, right] of pairs) {
          const bounds = comparing(session, 10_000);
          const bases = hexOf(session, await findMergeBases(session, node(left), [node(right)], bounds));
          const told = git.run(["merge-base", "--all", left, right]).stdout.toString().split("\n").filter(Boolean);
          expect(bases.sort()).toEqual(told.sort());
        }
      });
      expect(isInParts).toBe(false);
    } finally {
      store.storage.files.set(name, file);
    }
  });
});

describe("a commit-graph of a line", () => {
  it("is read a layer at a time, each once, however long the line is", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const stream = new FixtureStream();
      for (let i = 0; i < 600; i++) stream.commit("refs/heads/main", i === 0 ? [{ path: "a", content: "a" }] : []);
      git.import(stream);
      store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
      await store.push(git.pack(["--all"]), git.tips());
      await store.makeGraph(() => true, STEPS);
      const room = 2 * 60 * 60 + 4096;
      const before = store.cost.reads;
      const { isInParts, most } = await inParts({ git, store }, room, async ({ session, node }) => {
        const { interesting } = await walkCommits(session, [node("main")], []);
        expect(interesting.length).toBe(600);
      });
      expect(isInParts).toBe(true);
      expect(most).toBeLessThanOrEqual(room + 4 * 600);
      // A head, some names and the rows of each layer, and the commits before the graph was asked.
      expect(store.cost.reads - before).toBeLessThan(4 * store.graphs.length + 8);
    } finally {
      git.dispose();
    }
  });
});
