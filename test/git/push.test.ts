/** What a push may do to refs, and what is refused in git's words. */
import { expect, it } from "vitest";
import { refsAt, refsOf } from "../support/git-client.ts";
import { cloneFixture, everything, importFixture, linear } from "../support/git-fixtures.ts";
import { byEveryDoor, inEveryFormat, inEveryVersion, isWhole } from "../support/git-hosts.ts";

byEveryDoor(inEveryFormat, "pushes", (journey) => {
  /** A working copy with a remote `origin` that has its main. */
  async function working(count = 5): Promise<{ cwd: string; url: string }> {
    const { git } = journey;
    const url = await journey.create();
    const cwd = await cloneFixture(git, "work", linear(count), url);
    await git.ok(["push", "-q", url, "main"], { cwd });
    return { cwd, url };
  }

  inEveryVersion(journey, (config, extent) => {
    it("create, force and delete a branch", async () => {
      const { git } = journey;
      const { cwd, url } = await working();
      await git.ok([...config, "push", "-q", "origin", "HEAD:refs/heads/topic/one"], { cwd });
      await git.ok(["commit", "-q", "--amend", "--allow-empty", "-m", "amended"], { cwd });
      const plain = await git.git([...config, "push", "origin", "HEAD:refs/heads/topic/one"], { cwd });
      expect(plain.stderr).toContain("non-fast-forward");
      await git.ok([...config, "push", "-q", "--force", "origin", "HEAD:refs/heads/topic/one"], { cwd });
      expect(await refsAt(git, url)).toContain(`refs/heads/topic/one ${await git.ok(["rev-parse", "HEAD"], { cwd })}`);
      await git.ok([...config, "push", "-q", "origin", ":topic/one"], { cwd });
      expect(await refsAt(git, url)).toHaveLength(1);
    });

    if (extent !== "all") return;

    it("bring annotated tags with what they name", async () => {
      const { git } = journey;
      const { cwd, url } = await working();
      await git.commit(cwd, "tagged.txt", "tagged\n");
      await git.ok(["tag", "-a", "-m", "one", "v1"], { cwd });
      await git.ok([...config, "push", "-q", "--follow-tags", "origin", "main"], { cwd });
      expect(await refsAt(git, url)).toEqual(
        [...(await refsOf(git, cwd, "refs/heads")), ...(await refsOf(git, cwd, "refs/tags"))].toSorted(),
      );
      const again = await git.git([...config, "push", "--force", "origin", "v1^{}:refs/tags/v1"], { cwd });
      expect(again.code).toBe(0);
    });

    it("mirror, and delete what the source lacks", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", everything(journey.format));
      const url = await journey.create();
      await git.ok([...config, "push", "-q", "--mirror", url], { cwd: source });
      await git.ok(["branch", "-D", "-q", "side"], { cwd: source });
      await git.ok(["tag", "-d", "light"], { cwd: source });
      await git.ok([...config, "push", "-q", "--mirror", url], { cwd: source });
      expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
    });
  });

  it("move all refs or none if they are atomic", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    await git.ok(["push", "-q", "origin", "HEAD:refs/heads/taken"], { cwd });
    const before = await refsAt(git, url);
    await git.commit(cwd, "more.txt", "more\n");
    // `taken/under` cannot be where `taken` is, so the whole push has to fail; git gives no hint of that before.
    const refused = await git.git(["push", "--atomic", "origin", "main", "HEAD:refs/heads/taken/under"], { cwd });
    expect(refused.code).not.toBe(0);
    expect(await refsAt(git, url)).toEqual(before);
    await git.ok(["push", "-q", "--atomic", "origin", "main", "HEAD:refs/heads/other"], { cwd });
    expect(await refsAt(git, url)).toHaveLength(3);
  });

  it("without --atomic move what can be moved, and are told why the rest stays", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    await git.commit(cwd, "more.txt", "more\n");
    const tip = await git.ok(["rev-parse", "HEAD"], { cwd });
    const { code, stderr } = await git.git(["push", "origin", "main", "HEAD:refs/heads/main/under"], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/! \[remote rejected\] HEAD -> main\/under \(.+\)/);
    expect(await refsAt(git, url)).toEqual([`refs/heads/main ${tip}`]);
  });

  it("may not delete the branch that HEAD names", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    const { code, stderr } = await git.git(["push", "origin", ":main"], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toContain("! [remote rejected] main (deletion of the current branch prohibited)");
    expect(await refsAt(git, url)).toHaveLength(1);
  });

  it("are told nothing if the client wants quiet", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(10));
    const url = await journey.create();
    const { code, stdout, stderr } = await git.git(["push", "-q", url, "main"], { cwd: source });
    expect([code, stdout, stderr]).toEqual([0, "", ""]);
  });

  it("may have push options", async () => {
    const { git } = journey;
    const { cwd } = await working();
    await git.ok(["push", "-q", "-o", "ci.skip", "-o", "a b=c", "origin", "HEAD:refs/heads/with-options"], { cwd });
  });

  it("may bring nothing new", async () => {
    const { git } = journey;
    const { cwd } = await working();
    expect((await git.git(["push", "origin", "main"], { cwd })).stderr).toContain("Everything up-to-date");
    // A new name for what is there: a push with a pack of no objects.
    await git.ok(["push", "-q", "origin", "HEAD~2:refs/heads/old"], { cwd });
  });

  it("may bring a thin pack whose bases are here, and one that is not thin", async () => {
    const { git } = journey;
    const { cwd, url } = await working(20);
    await git.commit(cwd, "src/file-0.txt", `${await git.ok(["show", "HEAD:src/file-0.txt"], { cwd })}\nadded\n`);
    await git.ok(["push", "-q", "--thin", "origin", "main"], { cwd });
    await git.commit(cwd, "src/file-1.txt", `${await git.ok(["show", "HEAD:src/file-1.txt"], { cwd })}\nadded\n`);
    await git.ok(["push", "-q", "--no-thin", "origin", "main"], { cwd });
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--bare", url, copy]);
    await git.fsck(copy);
  });

  it("create a repository that is missing", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", linear(3));
    const url = (await journey.create()).replace(/repo-\d+/, `made-by-push-${journey.host.length}`);
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
  });

  // By another door there are no buffers of HTTP, and what the client itself refuses is refused as here.
  if (!isWhole(journey)) return;

  it("honour --force-with-lease", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    const other = git.fresh();
    await git.ok(["clone", "-q", url, other]);
    await git.commit(other, "theirs.txt", "theirs\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: other });
    await git.ok(["commit", "-q", "--amend", "--allow-empty", "-m", "amended"], { cwd });
    const refused = await git.git(["push", "--force-with-lease", "origin", "main"], { cwd });
    expect(refused.stderr).toContain("stale info");
    await git.ok(["fetch", "-q"], { cwd });
    await git.ok(["push", "-q", "--force-with-lease", "origin", "main"], { cwd });
  });

  it("are told that the client is behind", async () => {
    const { git } = journey;
    const { cwd, url } = await working();
    const other = git.fresh();
    await git.ok(["clone", "-q", url, other]);
    await git.commit(other, "theirs.txt", "theirs\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: other });
    await git.commit(cwd, "ours.txt", "ours\n");
    const { code, stderr } = await git.git(["push", "origin", "main"], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toContain("! [rejected]        main -> main (fetch first)");
  });

  it("may come in chunks, from a client whose buffer is small", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["-c", "http.postBuffer=65536", "push", "-q", "--mirror", url], { cwd: source });
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, copy]);
    await git.fsck(copy);
  });
});
