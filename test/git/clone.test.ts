/** Whole repositories in and out, with every version of the protocol. */
import { expect, it } from "vitest";
import { refsAt, refsOf } from "../support/git-client.ts";
import { everything, importFixture, linear } from "../support/git-fixtures.ts";
import { byReadingDoors, inEveryFormat, inEveryVersion } from "../support/git-hosts.ts";

byReadingDoors(inEveryFormat, "whole repositories", (journey) => {
  inEveryVersion(journey, (config, extent) => {
    it("takes a whole repository in and gives it back", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", everything(journey.format));
      const url = await journey.create();
      await git.ok([...config, "push", "-q", "--mirror", url], { cwd: source });
      expect(await refsAt(git, url)).toEqual(await refsOf(git, source));

      const copy = git.fresh();
      await git.ok([...config, "clone", "-q", "--mirror", url, copy]);
      await git.fsck(copy);
      expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
    });

    if (extent === "one") return;

    it("clones an empty repository", async () => {
      const { git } = journey;
      const url = await journey.create();
      const copy = git.fresh();
      const { code, stderr } = await git.git([...config, "clone", url, copy]);
      expect(code).toBe(0);
      expect(stderr).toContain("You appear to have cloned an empty repository.");
      expect(await git.ok([...config, "ls-remote", url])).toBe("");
    });

    if (extent === "states") return;

    it("checks out the default branch", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", everything(journey.format));
      const url = await journey.create();
      await git.ok([...config, "push", "-q", url, "main", "side", "--tags"], { cwd: source });
      const copy = git.fresh();
      await git.ok([...config, "clone", "-q", url, copy]);
      expect(await git.ok(["symbolic-ref", "HEAD"], { cwd: copy })).toBe("refs/heads/main");
      expect(await git.ok(["status", "--porcelain"], { cwd: copy })).toBe("");
      expect(await git.ok(["show", "HEAD:ünïcödé/文件.txt"], { cwd: copy })).toBe("naïve");
      await git.fsck(copy);
    });

    it("shows progress", async () => {
      const { git } = journey;
      const source = await importFixture(git, "source", linear(30));
      const url = await journey.create();
      await git.ok([...config, "push", "-q", url, "main"], { cwd: source });
      const { stderr } = await git.git([...config, "clone", "--bare", "--progress", url, git.fresh()]);
      expect(stderr).toMatch(/remote: Enumerating objects: \d+/);
      expect(stderr).toMatch(/Receiving objects: 100%/);
      const quiet = await git.git([...config, "clone", "--bare", "--quiet", url, git.fresh()]);
      expect(quiet.stderr).toBe("");
    });
  });

  it("clones one branch", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--single-branch", "--branch", "side", "--no-tags", url, copy]);
    await git.fsck(copy);
    expect(await refsOf(git, copy, "refs/remotes")).toHaveLength(1);
    expect(await git.ok(["rev-list", "--count", "--all"], { cwd: copy })).toBe("2");
    // What is reachable only from other branches is not sent.
    const main = await git.ok(["rev-parse", "main"], { cwd: source });
    expect((await git.git(["cat-file", "-e", main], { cwd: copy })).code).not.toBe(0);
  });

  it("clones a tag of a tag by name", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--single-branch", "--branch", "v1.0-signed-off", url, copy]);
    await git.fsck(copy);
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "v1.0-signed-off^{commit}"], { cwd: source }),
    );
  });

  it("lists refs by pattern", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const names = async (...args: string[]): Promise<string[]> =>
      (await git.ok(["ls-remote", ...args])).split("\n").map((line) => line.split("\t")[1] ?? "");
    expect(await names(url, "refs/heads/feature/*")).toEqual(["refs/heads/feature/deep/name"]);
    expect(await names("--tags", url)).toEqual([
      "refs/tags/light",
      "refs/tags/v1.0",
      "refs/tags/v1.0^{}",
      "refs/tags/v1.0-signed-off",
      "refs/tags/v1.0-signed-off^{}",
    ]);
    expect(await names("--symref", url, "HEAD")).toEqual(["HEAD", "HEAD"]);
    expect((await git.git(["ls-remote", "--exit-code", url, "refs/heads/absent"])).code).toBe(2);
  });

  // By another door no client can ask for it.
  if (journey.door !== "http") return;

  it("clones over the dumb protocol, from the files of a bare repository", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    if (journey.host === "c git") {
      // C git keeps info/refs only when asked to.
      await git.ok(["update-server-info"], { cwd: git.path("srv", new URL(url).pathname.slice(1)) });
    }
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--bare", url, copy], { env: { GIT_SMART_HTTP: "0" } });
    await git.fsck(copy);
    expect(await refsOf(git, copy, "refs/heads")).toEqual(await refsOf(git, source, "refs/heads"));
    expect(await refsOf(git, copy, "refs/tags")).toEqual(await refsOf(git, source, "refs/tags"));
  });
});
