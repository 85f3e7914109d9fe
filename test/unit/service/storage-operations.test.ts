/** What everyday pushes and fetches cost in storage operations, on a repository whose large pack has to be read. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FixtureStream, project } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { REF_FORMAT, TestStore } from "../../support/store.ts";

describe("the budget of storage operations", () => {
  let git: GitRepository;
  let store: TestStore;
  let base = "";

  beforeAll(async () => {
    git = new GitRepository();
    git.import(project(3200));
    git.git(["repack", "-adq", "--depth=50", "--window=10"]);
    store = new TestStore();
    base = git.oid("main");
    await store.push(git.pack(["--all"], "--delta-base-offset"), [base]);
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    store.makeRemote();
  });
  afterAll(() => git.dispose());

  /** Changes one file and gives the new commit. */
  function change(text: string): string {
    const stream = new FixtureStream();
    stream.raw(`commit refs/heads/main\ncommitter A <a@example.com> 1800000000 +0000\ndata 2\nm\n`);
    stream.raw(`from ${git.oid("main")}\nM 100644 inline src/7/107/file-2507.txt\ndata ${text.length}\n${text}\n`);
    git.import(stream);
    return git.oid("main");
  }

  it("covers a clone of many refs, right after a push", async () => {
    const wants = git.lines(["rev-list", "--max-count=100", "main"]);
    for (const [at, oid] of wants.entries()) store.refs.set(`refs/heads/old-${at}`, { oid });
    store.forget();
    const pack = await store.fetch({ wants });
    expect(pack.length).toBe(store.packs[0]?.packBytes);
    expect(store.cost.reads).toBe(1);
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
  });

  it("covers a push of one commit, and the fetch of it", async () => {
    const old = git.text(["show", "main:src/7/107/file-2507.txt"]);
    for (const next of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const before = git.oid("main");
      const tip = change(`${old}\nnext ${next}\n`);
      const thin = git.pack([tip, `^${before}`], "--thin", "--delta-base-offset");
      store.forget();
      const record = await store.push(thin, [tip]);
      expect(record.marked).toBe(true);
      const pushed = { ...store.cost };
      expect(pushed.reads).toBeLessThanOrEqual(8);
      store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
      store.forget();
      const pack = await store.fetch({ wants: [tip], haves: [before, "00".repeat(20)] });
      const fetched = { ...store.cost };
      expect(pack.readUInt32BE(8)).toBe(record.ownObjects);
      expect(fetched.reads).toBeLessThanOrEqual(8);
      expect(fetched.rounds).toBeLessThanOrEqual(5);
    }
  });
});
