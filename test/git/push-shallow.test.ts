/** Pushes from clones whose history is cut. */
import { expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { byEveryDoor, inEveryFormat, inEveryVersion } from "../support/git-hosts.ts";

byEveryDoor(inEveryFormat, "pushes from shallow clones", (journey) => {
  /** A repository of ten commits, here and on the host, and a clone of it that is cut. */
  async function cut(depth: number): Promise<{ source: string; cwd: string; url: string }> {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(10));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    return { source, cwd: await cloned(source, depth), url };
  }

  async function cloned(source: string, depth: number): Promise<string> {
    const { git } = journey;
    const cwd = git.fresh();
    await git.ok(["clone", "-q", `--depth=${depth}`, `file://${source}`, cwd]);
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd })).toBe(String(depth));
    return cwd;
  }

  async function checked(url: string): Promise<void> {
    const { git } = journey;
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, copy]);
    await git.fsck(copy);
  }

  inEveryVersion(journey, (config, extent) => {
    // A cut of one commit is the hardest: the whole clone is on it.
    it.each(extent === "all" ? [1, 3] : [1])("go on from what the host has, --depth %d", async (depth) => {
      const { git } = journey;
      const { cwd, url } = await cut(depth);
      const push = [...config, "push", "-q", url];
      await git.commit(cwd, "new.txt", "new\n");
      await git.commit(cwd, "newer.txt", "newer\n");
      await git.ok([...push, "HEAD:refs/heads/main", "HEAD~:refs/heads/topic"], { cwd });
      const tip = await git.ok(["rev-parse", "HEAD"], { cwd });
      expect(await refsAt(git, url)).toContain(`refs/heads/main ${tip}`);
      await git.ok(["tag", "-a", "-m", "one", "v1"], { cwd });
      await git.ok([...push, "v1", ":topic"], { cwd });
      expect((await refsAt(git, url)).map((ref) => ref.split(" ")[0])).toEqual(["refs/heads/main", "refs/tags/v1"]);
      await checked(url);
    });

    if (extent === "one") return;

    it("goes round: cut by the host, pushed back, deepened, pushed again", async () => {
      const { git } = journey;
      const { source, url } = await cut(1);
      const cwd = git.fresh();
      await git.ok([...config, "clone", "-q", "--depth=2", url, cwd]);
      await git.commit(cwd, "new.txt", "new\n");
      await git.ok([...config, "push", "-q", "origin", "main"], { cwd });
      // Somebody else goes on meanwhile.
      await git.ok(["push", "-q", url, "main~4:refs/heads/side"], { cwd: source });
      await git.ok([...config, "fetch", "-q", "--deepen=3", "origin"], { cwd });
      await git.commit(cwd, "newer.txt", "newer\n");
      await git.ok([...config, "push", "-q", "origin", "main"], { cwd });
      await git.ok([...config, "fetch", "-q", "--unshallow", "origin"], { cwd });
      expect(await git.ok(["rev-list", "--count", "main"], { cwd })).toBe("12");
      await git.fsck(cwd);
      await checked(url);
    });
  });

  it.each([1, 3])("are refused if the host has nothing of the history, --depth %d", async (depth) => {
    const { git } = journey;
    const { cwd } = await cut(depth);
    const empty = await journey.create("empty");
    const { code, stderr } = await git.git(["push", empty, "HEAD:refs/heads/main"], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toContain("! [remote rejected] HEAD -> main (shallow update not allowed)");
    expect(await refsAt(git, empty)).toEqual([]);
  });

  it("are refused for refs on the cut, and taken for others", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(10));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main~2:refs/heads/main", "main~3:refs/heads/old"], { cwd: source });
    const cwd = await cloned(source, 1);
    const { stderr } = await git.git(["push", "--force", url, "HEAD:refs/heads/main", ":old"], { cwd });
    expect(stderr).toContain("! [remote rejected] HEAD -> main (shallow update not allowed)");
    expect(stderr).toContain("- [deleted]");
    expect(await refsAt(git, url)).toEqual([
      `refs/heads/main ${await git.ok(["rev-parse", "main~2"], { cwd: source })}`,
    ]);
    const atomic = await git.git(["push", "--atomic", url, "HEAD:refs/heads/x", "HEAD:refs/tags/y"], { cwd });
    expect(atomic.code).not.toBe(0);
    expect(await refsAt(git, url)).toHaveLength(1);
  });

  it("are taken once the clone has its whole history", async () => {
    const { git } = journey;
    const { source, cwd } = await cut(2);
    const empty = await journey.create("empty");
    expect((await git.git(["push", empty, "HEAD:refs/heads/main"], { cwd })).code).not.toBe(0);
    await git.ok(["fetch", "-q", "--unshallow", `file://${source}`], { cwd });
    await git.ok(["push", "-q", empty, "HEAD:refs/heads/main"], { cwd });
    await checked(empty);
  });
});
