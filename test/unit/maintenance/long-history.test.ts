/**
 * The commit-graph of a history that is too long for one step and for the memory of a reader. `LONG_HISTORY=700000` has a history of so many commits with the
 * numbers of the host; else it is short, and the numbers are as much smaller.
 *
 * @module-tag thorough
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAncestor } from "../../../src/graph/ancestry.ts";
import { walkCommits } from "../../../src/graph/commit-walk.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { comparing, findMergeBases } from "../../../src/graph/merge-base.ts";
import { GRAPHING } from "../../../src/maintenance/graphing.ts";
import { CommitGraph } from "../../../src/store/commit-graph.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { nodeHash, rawName, TestStore } from "../../support/store.ts";

const LONG = process.env["LONG_HISTORY"];
const COMMITS = Number(LONG ?? 3500);
const BRANCH = "refs/heads/main";
/** The part of the host's numbers. */
const PART = LONG === undefined ? COMMITS / 700_000 : 1;
const BOUNDS = {
  mostCommits: GRAPHING.mostCommits * PART,
  mostWalked: GRAPHING.mostWalked * PART,
  leastCommits: GRAPHING.leastCommits * PART,
  spacing: Math.ceil(GRAPHING.spacing * PART),
  mostRead: GRAPHING.mostRead * PART,
  mostFilters: 0,
};
const READER_BYTES = 34 * 1024 * 1024 * PART;

const compare = (a: string, b: string): number => (a < b ? -1 : 1);

/** Writes a history: a line, and with merges every so often a side of some commits that began far back. */
function* historyOf(withMerges: boolean): Generator<string> {
  const commit = (ref: string, mark: number, from: string): string =>
    `commit ${ref}\nmark :${mark}\ncommitter A <a@example.com> ${1_000_000_000 + mark * 60} +0000\ndata 2\nx\n${from}`;
  for (let mark = 1; mark <= COMMITS; mark++) {
    const isSide = withMerges && mark > 1000 && mark % 20 >= 17 && mark % 20 < 19;
    const begin = mark - 40 - ((mark * 7) % 900);
    if (isSide) yield commit("refs/heads/side", mark, `from :${mark % 20 === 17 ? begin - (begin % 20) : mark - 1}\n`);
    else if (withMerges && mark > 1000 && mark % 20 === 19)
      yield commit(BRANCH, mark, `from :${mark - 3}\nmerge :${mark - 1}\n`);
    else yield commit(BRANCH, mark, mark === 1 ? "M 100644 inline a\ndata 2\na\n\n" : `from :${mark - 1}\n`);
  }
}

async function load(git: GitRepository, history: Generator<string>): Promise<void> {
  const child = spawn("git", ["fast-import", "--quiet"], { cwd: git.dir, stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(child, "close");
  let text = "";
  for (const piece of history) {
    text += piece;
    if (text.length < 100_000) continue;
    if (!child.stdin.write(text)) await once(child.stdin, "drain");
    text = "";
  }
  child.stdin.end(text);
  expect((await ended)[0]).toBe(0);
}

describe.each([
  ["a line", false],
  ["a line with merges", true],
])("the commit-graph of %s that is very long", (_, withMerges) => {
  const git = new GitRepository();
  const store = new TestStore({});
  const steps: { readonly commits: number }[] = [];
  let line: string[] = [];

  beforeAll(async () => {
    await load(git, historyOf(withMerges));
    line = git.lines(["rev-list", "--first-parent", BRANCH]);
    await store.push(git.pack([BRANCH]), [line[0] ?? ""]);
    store.refs.set(BRANCH, { oid: line[0] ?? "" });
    await store.makeGraph(undefined, BOUNDS, ({ added }) => steps.push({ commits: added?.commits ?? 0 }));
  }, 900_000);
  afterAll(() => git.dispose());

  async function inSession(work: (session: GraphSession) => Promise<void>): Promise<void> {
    const place = {
      storage: store.counted(),
      scope: "repository",
      cache: store.cache,
      hash: nodeHash,
      format: store.format,
    };
    const kernel = await store.kernels.lend(store.format.rawSize);
    const graph = new CommitGraph(store.graphs, place, READER_BYTES);
    const session = new GraphSession(store.database().withGraph(graph), kernel);
    try {
      await work(session);
      expect(graph.isInParts).toBe(true);
    } finally {
      session.close();
      store.kernels.giveBack(kernel);
    }
  }

  it("is made in a few steps, and C git accepts it", () => {
    expect(steps.length).toBeLessThan(20);
    expect(store.graphs.reduce((sum, { commits }) => sum + commits, 0)).toBe(
      Number(git.text(["rev-list", "--count", BRANCH])),
    );
    const folder = join(git.dir, "objects/info/commit-graphs");
    mkdirSync(folder, { recursive: true });
    for (const { name, checksum } of store.graphs)
      writeFileSync(join(folder, `graph-${checksum}.graph`), store.storage.files.get(`${name}.graph`) ?? "");
    writeFileSync(join(folder, "commit-graph-chain"), store.graphs.map(({ checksum }) => `${checksum}\n`).join(""));
    expect(git.run(["commit-graph", "verify"])).toMatchObject({ ok: true, stderr: "" });
  }, 300_000);

  it("is walked to the first commit, and comes to what C git comes to", async () => {
    await inSession(async (session) => {
      const { interesting } = await walkCommits(session, [session.node(rawName(line[0] ?? ""))], []);
      const names = interesting.map((node) => Buffer.from(session.nameOf(node)).toString("hex"));
      expect(names.toSorted(compare).join("\n")).toBe(git.lines(["rev-list", BRANCH]).toSorted(compare).join("\n"));
    });
  }, 300_000);

  it("tells of ancestors and merge bases what C git tells", async () => {
    const at = (share: number): string => line[Math.floor(share * (line.length - 1))] ?? "";
    const pairs = [
      [at(0), at(1)],
      [at(1), at(0)],
      [at(0.31), at(0.3)],
      [at(0.5), at(0.7)],
    ] as const;
    for (const [from, to] of pairs)
      await inSession(async (session) => {
        const [left, right] = [session.node(rawName(from)), session.node(rawName(to))];
        const told = git.run(["merge-base", "--is-ancestor", from, to]).ok;
        expect(await isAncestor(session, left, right)).toBe(told);
        const bases = await findMergeBases(session, left, [right], comparing(session, COMMITS));
        const names = bases.map((node) => Buffer.from(session.nameOf(node)).toString("hex"));
        expect(names).toEqual(git.lines(["merge-base", "--all", from, to]));
      });
  }, 300_000);
});
