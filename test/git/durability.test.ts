/** What outlives the process: an acknowledged push, and a bucket that is itself a bare repository. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { GitSandbox, refsAt, refsOf, withToken } from "../support/git-client.ts";
import { everything, FixtureStream, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { PROJECT, startProject, type StartedHost } from "../support/git-process.ts";
import { pushBody } from "../support/git-raw.ts";
import { openPush } from "../support/slow-push.ts";

const TOKEN = "durable-token";

describe("a host", () => {
  const open: { hosts: StartedHost[]; git: GitSandbox[] } = { hosts: [], git: [] };
  afterEach(async () => {
    for (const host of open.hosts.splice(0)) await host.stop();
    for (const git of open.git.splice(0)) git.close();
  });

  function sandbox(): GitSandbox {
    const git = new GitSandbox("durable");
    open.git.push(git);
    return git;
  }

  async function start(git: GitSandbox): Promise<StartedHost> {
    const host = await startProject(git.path("state"), TOKEN);
    open.hosts.push(host);
    return host;
  }

  const remoteOf = (host: StartedHost, path: string): string => withToken(`${host.base}/${path}.git`, TOKEN);

  it("keeps everything it acknowledged when it is killed, and takes the next push", async () => {
    const git = sandbox();
    const source = await importFixture(git, "source", everything());
    const first = await start(git);
    await git.ok(["push", "-q", "--mirror", remoteOf(first, "acme/repo")], { cwd: source });
    await first.kill();

    const second = await start(git);
    const url = remoteOf(second, "acme/repo");
    expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
    const copy = git.fresh();
    await git.ok(["clone", "-q", url, copy]);
    await git.fsck(copy);
    await git.commit(copy, "after.txt", "after\n");
    await git.ok(["push", "-q", "origin", "HEAD"], { cwd: copy });
  });

  it("forgets a push during which it was killed, and takes it again", async () => {
    const git = sandbox();
    const cwd = await git.init("work");
    await git.commit(cwd, "first.txt", "first\n");
    const first = await start(git);
    await git.ok(["push", "-q", remoteOf(first, "acme/repo"), "main"], { cwd });
    const before = await refsAt(git, remoteOf(first, "acme/repo"));
    // Half of it is more than a part of an upload.
    const stream = new FixtureStream();
    stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(20_000_000, 5) }], {
      from: "refs/heads/main^0",
    });
    await git.ok(["-c", "core.compression=0", "fast-import", "--quiet"], { cwd, input: stream.bytes() });
    const tip = await git.ok(["rev-parse", "main"], { cwd });
    const pack = await git.bytes(["pack-objects", "--revs", "--stdout", "-q"], { cwd, input: `${tip}\n^main~\n` });
    const old = await git.ok(["rev-parse", "main~"], { cwd });
    const push = openPush(remoteOf(first, "acme/repo"), pushBody([{ name: "refs/heads/main", old, new: tip }], pack));
    await push.sendHalf();
    await first.kill();

    const second = await start(git);
    const url = remoteOf(second, "acme/repo");
    expect(await refsAt(git, url)).toEqual(before);
    await git.ok(["push", "-q", url, "main"], { cwd });
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, copy]);
    await git.fsck(copy);
  });

  it("stops when it is told to, and leaves no process", async () => {
    const git = sandbox();
    const host = await start(git);
    const ended = once(host.child, "exit");
    host.child.kill("SIGINT");
    const [code] = await ended;
    expect([0, 130]).toContain(code);
    await expect(fetch(`${host.base}/healthz`)).rejects.toThrow("fetch failed");
  });

  it("exports a bare repository that git accepts and clones", async () => {
    const git = sandbox();
    const host = await start(git);
    const source = await importFixture(git, "source", everything());
    await git.ok(["push", "-q", "--mirror", remoteOf(host, "acme/repo")], { cwd: source });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", remoteOf(host, "acme/repo"), cwd]);
    await git.commit(cwd, "later.txt", "later\n");
    await git.ok(["push", "-q", "origin", "HEAD:main"], { cwd });

    const target = git.path("exported.git");
    await run(["run", "--silent", "export", "--", "acme/repo", target, "--base", host.base, "--token", TOKEN]);
    await git.fsck(target);
    expect(await refsOf(git, target)).toEqual(await refsAt(git, remoteOf(host, "acme/repo")));
    expect(readdirSync(`${target}/objects/pack`).filter((name) => name.endsWith(".idx")).length).toBeGreaterThan(0);
    for (const pack of readdirSync(`${target}/objects/pack`).filter((name) => name.endsWith(".pack"))) {
      await git.ok(["verify-pack", `${target}/objects/pack/${pack.replace(".pack", ".idx")}`]);
    }
    const copy = git.fresh();
    await git.ok(["clone", "-q", target, copy]);
    await git.fsck(copy);
    expect(existsSync(`${copy}/later.txt`)).toBe(true);
  });

  it("leaves a valid bare repository in the bucket after a push that failed", async () => {
    const git = sandbox();
    const host = await start(git);
    const source = await importFixture(git, "source", linear(3));
    const url = remoteOf(host, "acme/repo");
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    expect((await git.git(["push", url, "main:refs/heads/main/under"], { cwd: source })).code).not.toBe(0);
    const target = git.path("exported.git");
    await run(["run", "--silent", "export", "--", "acme/repo", target, "--base", host.base, "--token", TOKEN]);
    await git.fsck(target);
    expect(readdirSync(`${target}/objects/pack`).filter((name) => name.endsWith(".pack"))).toHaveLength(1);
  });
});

/** Runs npm in the project. */
async function run(args: readonly string[]): Promise<void> {
  const child = spawn("npm", args, { cwd: PROJECT, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (piece: Buffer) => (errors += piece.toString()));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`npm ${args.join(" ")}: ${errors}`);
}
