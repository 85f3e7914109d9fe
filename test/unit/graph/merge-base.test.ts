/** Merge bases where commits have very many parents: each is compared with all others, by whoever can push two commits. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { comparing, findDivergence, findMergeBases } from "../../../src/graph/merge-base.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { rawName, REF_FORMAT, TestStore } from "../../support/store.ts";

const MOST_COMMITS = 250_000;
const FEW = 12;
const MANY = 2500;

/** Two commits above the same commits, which all are above one root. */
function crossed(count: number): string {
  let mark = 0;
  const commit = (name: string, parents: readonly string[]): string => {
    const [from, ...merged] = parents;
    const lines = [
      `commit refs/heads/${name}-${count}`,
      `mark :${++mark}`,
      `committer C <c@c> ${1_700_000_000 + mark} +0000`,
      "data 0",
      ...(from === undefined ? [] : [`from ${from}`]),
      ...merged.map((parent) => `merge ${parent}`),
    ];
    stream += `${lines.join("\n")}\n\n`;
    return `:${mark}`;
  };
  let stream = "";
  const root = commit("root", []);
  const parents: string[] = [];
  for (let at = 0; at < count; at++) {
    stream += `reset refs/heads/parent-${count}\nfrom ${root}\n\n`;
    parents.push(commit("parent", [root]));
  }
  commit("left", parents);
  commit("right", parents);
  return stream;
}

describe("merge bases of two commits with very many common parents", () => {
  const git = new GitRepository();
  const store = new TestStore({});

  beforeAll(async () => {
    for (const count of [FEW, MANY]) git.git(["fast-import", "--quiet", "--force"], crossed(count));
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    await store.push(git.pack(["--all"]), git.tips());
  });

  afterAll(() => git.dispose());

  const basesOf = async (count: number): Promise<string[]> => {
    const kernel = await store.kernels.lend(store.format.rawSize);
    try {
      const session = new GraphSession(store.database(), kernel);
      const [left, right] = ["left", "right"].map((name) => session.node(rawName(git.oid(`${name}-${count}`))));
      if (left === undefined || right === undefined) throw new Error("two names");
      const bounds = comparing(session, MOST_COMMITS);
      const found = await findMergeBases(session, left, [right], bounds);
      expect((await findDivergence(session, { left, right }, bounds)).bases).toEqual(found);
      return found.map((node) => Buffer.from(session.nameOf(node)).toString("hex"));
    } finally {
      store.kernels.giveBack(kernel);
    }
  };

  it("are those of git where there are some", async () => {
    const byGit = git.lines(["merge-base", "--all", `left-${FEW}`, `right-${FEW}`]);
    expect(byGit).toHaveLength(FEW);
    expect((await basesOf(FEW)).toSorted()).toEqual(byGit.toSorted());
  });

  it("are refused where there are thousands", { tags: "thorough" }, async () => {
    await expect(basesOf(MANY)).rejects.toThrow("the histories take too much computing to be compared");
  });
});
