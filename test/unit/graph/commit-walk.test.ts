/** How far a walk over commits looks: each commit may cost a read of the bucket. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { walkCommits } from "../../../src/graph/commit-walk.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore } from "../../support/store.ts";

describe("walkCommits from new commits to the client's", () => {
  const store = new TestStore({});
  let git: GitRepository;

  beforeAll(async () => {
    git = new GitRepository();
    const stream = new FixtureStream();
    const main = stream.commit("refs/heads/main", [{ path: "a", content: "1\n" }]);
    const topic = stream.commit("refs/heads/topic", [{ path: "b", content: "1\n" }], { from: main });
    const next = stream.commit("refs/heads/main", [{ path: "a", content: "2\n" }], { from: main });
    stream.commit("refs/heads/integration", [{ path: "c", content: "1\n" }], { from: topic, merge: next });
    stream.commit("refs/heads/new", [{ path: "a", content: "3\n" }], { from: next });
    git.import(stream);
    await store.push(git.pack(["--all"]), git.tips());
  });
  afterAll(() => git.dispose());

  it("knows the parents of the client's tips, and reads no commit behind them", async () => {
    const kernel = await store.kernels.lend(store.format.rawSize);
    try {
      const session = new GraphSession(store.database(), kernel);
      const nodeOf = (revision: string): number => session.node(Buffer.from(git.oid(revision), "hex"));
      const { interesting, edges } = await walkCommits(session, [nodeOf("new")], [nodeOf("integration")]);
      expect(interesting).toEqual([nodeOf("new")]);
      expect(edges).toEqual([nodeOf("main")]);
      const read = ["new", "integration", "main", "topic", "main~1"].filter((name) =>
        session.commits.has(nodeOf(name)),
      );
      expect(read).toEqual(["new", "integration", "main"]);
    } finally {
      store.kernels.giveBack(kernel);
    }
  });

  it("counts commits that are known already, and gives way where very many are named", async () => {
    const kernel = await store.kernels.lend(store.format.rawSize);
    try {
      const session = new GraphSession(store.database(), kernel);
      const { pacer } = session.database.context;
      const node = session.node(Buffer.from(git.oid("main"), "hex"));
      await session.loadCommit(node);
      const before = pacer.steps;
      for (let i = 0; i < 1000; i++) await session.loadCommit(node);
      const alone = pacer.steps;
      expect(alone - before).toBeGreaterThanOrEqual(100_000);
      await session.loadCommits(Array.from({ length: 2000 }, () => node));
      expect(pacer.steps - alone).toBeGreaterThanOrEqual(100_000);
    } finally {
      store.kernels.giveBack(kernel);
    }
  });
});
