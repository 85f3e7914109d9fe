/** Fetches into repositories that have something already. */
import { expect, it } from "vitest";
import { type GitSandbox, refsOf } from "../support/git-client.ts";
import { cloneFixture, everything, importFixture, linear } from "../support/git-fixtures.ts";
import { byReadingDoors, inEveryFormat, inEveryVersion } from "../support/git-hosts.ts";

/** A clone that follows main, and a pusher's clone of the same remote. */
async function pair(git: GitSandbox, url: string): Promise<{ pusher: string; follower: string }> {
  const pusher = await cloneFixture(git, "pusher", linear(20), url);
  await git.ok(["push", "-q", url, "main"], { cwd: pusher });
  return { pusher, follower: await cloneFixture(git, "follower", linear(20), url) };
}

byReadingDoors(inEveryFormat, "fetches", (journey) => {
  inEveryVersion(journey, (config, extent) => {
    // Over HTTP, many packs come to be. Another door needs both directions of each.
    const rounds = journey.door === "http" && extent === "all" ? 12 : 4;

    it("bring what was pushed since, through many small packs, in both directions", async () => {
      const { git } = journey;
      const url = await journey.create();
      const { pusher, follower } = await pair(git, url);
      for (let round = 0; round < rounds; round++) {
        const [from, to] = round % 2 === 0 ? [pusher, follower] : [follower, pusher];
        const tip = await git.commit(from, `dir/round-${round}.txt`, `round ${round}\n`);
        await git.ok([...config, "push", "-q", "origin", "main"], { cwd: from });
        await git.ok([...config, "pull", "-q", "--ff-only"], { cwd: to });
        expect(await git.head(to)).toBe(tip);
      }
      await git.fsck(follower);
      await git.fsck(pusher);
      const copy = git.fresh();
      await git.ok([...config, "clone", "-q", "--bare", url, copy]);
      await git.fsck(copy);
    });

    if (extent === "one") return;

    it("negotiate for a client whose history has diverged", async () => {
      const { git } = journey;
      const { pusher, follower } = await pair(git, await journey.create());
      // More local commits than one round of haves holds, so that several rounds are needed.
      await git.emptyCommits(follower, 70, "local");
      const tip = await git.commit(pusher, "src/file-0.txt", "theirs\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: pusher });
      await git.ok([...config, "fetch", "-q"], { cwd: follower });
      expect(await git.ok(["rev-parse", "origin/main"], { cwd: follower })).toBe(tip);
      await git.ok(["merge", "-q", "-m", "merge", "origin/main"], { cwd: follower });
      await git.ok([...config, "push", "-q", "origin", "main"], { cwd: follower });
      await git.ok([...config, "pull", "-q", "--ff-only"], { cwd: pusher });
      await git.fsck(pusher);
      await git.fsck(follower);
    });

    if (extent === "states") return;

    it("bring only what is new", async () => {
      const { git } = journey;
      const { pusher, follower } = await pair(git, await journey.create());
      await git.commit(pusher, "small.txt", "small\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: pusher });
      const before = await git.ok(["count-objects", "-v"], { cwd: follower });
      await git.ok([...config, "-c", "fetch.unpackLimit=1000", "fetch", "-q"], { cwd: follower });
      const after = await git.ok(["count-objects", "-v"], { cwd: follower });
      const loose = (text: string): number => Number(/^count: (\d+)/m.exec(text)?.[1]);
      expect(loose(after) - loose(before)).toBe(3);
    });

    it("bring tags along with what they name", async () => {
      const { git } = journey;
      const url = await journey.create();
      const { pusher, follower } = await pair(git, url);
      await git.commit(pusher, "tagged.txt", "tagged\n");
      await git.ok(["tag", "-a", "-m", "one", "v1"], { cwd: pusher });
      await git.ok(["tag", "-a", "-m", "two", "v1-nested", "v1"], { cwd: pusher });
      await git.ok(["tag", "v1-light"], { cwd: pusher });
      await git.ok(["push", "-q", "origin", "main", "--tags"], { cwd: pusher });
      await git.ok([...config, "fetch", "-q"], { cwd: follower });
      expect(await git.ok(["tag"], { cwd: follower })).toBe("v1\nv1-light\nv1-nested");
      await git.fsck(follower);
      // A tag that comes later names nothing new; it is followed too.
      await git.ok(["tag", "-a", "-m", "late", "late", "HEAD~3"], { cwd: pusher });
      await git.ok(["push", "-q", "origin", "late"], { cwd: pusher });
      await git.ok([...config, "fetch", "-q"], { cwd: follower });
      expect(await git.ok(["tag"], { cwd: follower })).toContain("late");
      await git.fsck(follower);
    });

    it("follow a force push, and prune", async () => {
      const { git } = journey;
      const { pusher, follower } = await pair(git, await journey.create());
      await git.ok(["push", "-q", "origin", "main:gone"], { cwd: pusher });
      await git.ok([...config, "fetch", "-q"], { cwd: follower });
      await git.ok(["reset", "-q", "--hard", "HEAD~5"], { cwd: pusher });
      await git.commit(pusher, "other.txt", "another way\n");
      await git.ok(["push", "-q", "--force", "origin", "main"], { cwd: pusher });
      await git.ok(["push", "-q", "origin", ":gone"], { cwd: pusher });
      await git.ok([...config, "fetch", "-q", "--prune"], { cwd: follower });
      expect(await refsOf(git, follower, "refs/remotes/origin/gone")).toEqual([]);
      expect(await git.ok(["rev-parse", "origin/main"], { cwd: follower })).toBe(
        await git.ok(["rev-parse", "main"], { cwd: pusher }),
      );
      await git.fsck(follower);
    });
  });

  it("bring nothing if the client has everything", async () => {
    const { git } = journey;
    const { follower } = await pair(git, await journey.create());
    const { code, stderr } = await git.git(["fetch", "-v"], { cwd: follower });
    expect(code).toBe(0);
    expect(stderr).toContain("[up to date]");
  });

  it("bring an advertised tip by its oid, and are refused an oid that is not reachable", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const main = await git.ok(["rev-parse", "main"], { cwd: source });
    const client = await git.init("client");
    await git.ok(["fetch", "-q", url, main], { cwd: client });
    await git.fsck(client);
    const absent = "1".repeat(journey.format.hexSize);
    const { code, stderr } = await git.git(["-c", "protocol.version=2", "fetch", url, absent], { cwd: client });
    expect(code).not.toBe(0);
    expect(stderr).toContain(`not our ref ${absent}`);
  });
});
