/** The tail of small pushes, over a socket: what a push costs, how far the bucket may be behind, and what a kill leaves. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { GitSandbox, refsAt, refsOf, withToken } from "../support/git-client.ts";
import { exportRepository } from "../support/export.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { type StartedHost, startProject } from "../support/git-process.ts";
import { buildPack, commitOf, objectId, post, pushBody, reportLines, send, treeOf } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";
import { TEST_LIMIT, WAIT_LIMIT } from "../support/time-limits.ts";

const TOKEN = "tail-token";
const MAIN = "refs/heads/main";

describe("a host whose small pushes are published together", () => {
  const open: { hosts: StartedHost[]; git: GitSandbox[] } = { hosts: [], git: [] };
  afterEach(async () => {
    for (const host of open.hosts.splice(0)) await host.stop();
    for (const git of open.git.splice(0)) git.close();
  });

  function sandbox(): GitSandbox {
    const git = new GitSandbox("tail");
    open.git.push(git);
    return git;
  }

  async function start(git: GitSandbox, publishAfter = "60"): Promise<StartedHost> {
    const host = await startProject(git.path("state"), TOKEN, { PUBLISH_AFTER: publishAfter });
    open.hosts.push(host);
    return host;
  }

  const remoteOf = (host: StartedHost, path = "acme/repo"): string => withToken(`${host.base}/${path}.git`, TOKEN);
  const apiOf = (host: StartedHost, path: string): string => withToken(`${host.base}/api/v1/repos/${path}`, TOKEN);

  /** A work tree with some history. */
  async function workTree(git: GitSandbox, commits: number): Promise<string> {
    const cwd = git.fresh();
    await git.ok(["clone", "-q", await importFixture(git, "source", linear(commits)), cwd]);
    return cwd;
  }

  /** Pushes a commit of its own by one request; gives its oid. */
  async function pushOne(url: string, text: string, parent?: string): Promise<string> {
    const tree = treeOf(["100644", "file.txt", objectId("blob", text)]);
    const content = commitOf(objectId("tree", tree), parent === undefined ? [] : [parent]);
    const pack = buildPack([
      { type: "commit", content },
      { type: "tree", content: tree },
      { type: "blob", content: text },
    ]);
    const id = objectId("commit", content);
    const command = { name: MAIN, ...(parent === undefined ? {} : { old: parent }), new: id };
    const { body } = await post(url, "receive-pack", pushBody([command], pack, "report-status"));
    expect(reportLines(body)).toEqual(["unpack ok", `ok ${MAIN}`]);
    return id;
  }

  /** What the jobs of a host have written so far. */
  function jobsOf(git: GitSandbox): { job: string; r2w: number }[] {
    const path = git.path("state", "jobs.jsonl");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as { job: string; r2w: number });
  }

  /** Exports, and has git check the copy against what the host serves. */
  async function checkExport(git: GitSandbox, host: StartedHost, path = "acme/repo"): Promise<string> {
    const target = git.fresh("exported");
    await exportRepository(`${host.base}/api/v1/repos/${path}`, TOKEN, target);
    await git.fsck(target);
    expect(await refsOf(git, target)).toEqual(await refsAt(git, remoteOf(host, path)));
    return target;
  }

  it("takes a commit with 2 Durable Object calls and without a write to R2, and gives it without a read", async () => {
    const git = sandbox();
    const host = await start(git);
    const url = remoteOf(host);
    const source = await workTree(git, 50);
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const reader = git.fresh();
    await git.ok(["clone", "-q", url, reader]);
    await git.commit(source, "later.txt", "later\n");
    const log = new SettledLog(git.path("state", "requests.jsonl"), host.base);
    await log.read();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const pushed = await log.read();
    expect([pushed.r2r, pushed.r2w]).toEqual([0, 0]);
    const [taken] = pushed.lines.filter(({ path, method }) => method === "POST" && String(path).includes("receive"));
    expect(taken?.["do"]).toBeLessThanOrEqual(2);
    await git.ok(["fetch", "-q"], { cwd: reader });
    const { r2r, lines } = await log.read();
    expect(r2r).toBe(0);
    expect(Math.max(...lines.map(({ rt }) => Number(rt)))).toBeLessThanOrEqual(2);
    expect(await git.ok(["rev-parse", "origin/main"], { cwd: reader })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    await git.fsck(reader);
  });

  it(
    "takes 200 pushes with at most 40 writes to R2, derived files included",
    async () => {
      const git = sandbox();
      const host = await start(git);
      const url = remoteOf(host);
      const log = new SettledLog(git.path("state", "requests.jsonl"), host.base);
      await log.read();
      let tip = await pushOne(url, "0");
      for (let n = 1; n < 200; n++) tip = await pushOne(url, String(n), tip);
      const target = await checkExport(git, host);
      expect(await git.ok(["rev-list", "--count", "main"], { cwd: target })).toBe("200");
      const { r2w } = await log.read();
      expect(r2w + jobsOf(git).reduce((sum, job) => sum + job.r2w, 0)).toBeLessThanOrEqual(40);
    },
    TEST_LIMIT,
  );

  it("keeps what it acknowledged when it is killed before it is published", async () => {
    const git = sandbox();
    const first = await start(git);
    const source = await workTree(git, 20);
    await git.ok(["push", "-q", remoteOf(first), "main"], { cwd: source });
    await git.commit(source, "later.txt", "later\n");
    await git.ok(["push", "-q", remoteOf(first), "main"], { cwd: source });
    await first.kill();
    const second = await start(git, "1");
    const copy = git.fresh();
    await git.ok(["clone", "-q", remoteOf(second), copy]);
    await git.fsck(copy);
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    await git.commit(copy, "after.txt", "after\n");
    await git.ok(["push", "-q", "origin", "HEAD"], { cwd: copy });
    const target = await checkExport(git, second);
    expect(readdirSync(`${target}/objects/pack`).filter((name) => name.endsWith(".pack")).length).toBeLessThanOrEqual(
      2,
    );
  });

  it(
    "keeps it when it is killed while it is published, and after",
    async () => {
      const git = sandbox();
      let tip: string | undefined;
      for (let round = 0; round < 6; round++) {
        const host = await start(git, "1");
        const url = remoteOf(host);
        for (let n = 0; n < 3; n++) tip = await pushOne(url, `${round}/${n}`, tip);
        // The alarm goes off a second after the first push, and the job takes a moment.
        await new Promise((resolve) => setTimeout(resolve, 900 + round * 250));
        await host.kill();
      }
      const host = await start(git);
      const copy = git.fresh();
      await git.ok(["clone", "-q", "--mirror", remoteOf(host), copy]);
      await git.fsck(copy);
      expect(await git.ok(["rev-list", "--count", "main"], { cwd: copy })).toBe("18");
      expect(await git.ok(["rev-parse", "main"], { cwd: copy })).toBe(tip);
      await checkExport(git, host);
    },
    TEST_LIMIT,
  );

  it("is forked, renamed, purged, cloned without smart HTTP and deleted with what it holds back", async () => {
    const git = sandbox();
    const host = await start(git);
    const source = await workTree(git, 20);
    const url = remoteOf(host);
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    await git.commit(source, "later.txt", "later\n");
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const json = { "Content-Type": "application/json" };
    const asked = (method: string, path: string, body: unknown) =>
      send(apiOf(host, path), { method, headers: json, body: Buffer.from(JSON.stringify(body)) });
    expect((await asked("POST", "acme/repo/forks", { tenant: "acme", repo: "fork" })).status).toBe(201);
    const fork = git.fresh();
    await git.ok(["clone", "-q", "--mirror", remoteOf(host, "acme/fork"), fork]);
    await git.fsck(fork);

    await git.commit(source, "more.txt", "more\n");
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const dumb = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, dumb], { env: { GIT_SMART_HTTP: "0" } });
    await git.fsck(dumb);
    expect(await git.ok(["rev-parse", "main"], { cwd: dumb })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );

    // A secret in the tail, taken out of the branch again.
    await git.commit(source, "secret.txt", "secret\n");
    const secret = await git.ok(["rev-parse", "HEAD:secret.txt"], { cwd: source });
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    await git.ok(["reset", "-q", "--hard", "HEAD~"], { cwd: source });
    await git.ok(["push", "-qf", url, "main"], { cwd: source });
    expect((await asked("POST", "acme/repo/maintenance", { purge: true })).status).toBeLessThan(300);
    await expect
      .poll(
        async () =>
          JSON.parse((await send(apiOf(host, "acme/repo/maintenance"))).body.toString()) as { purging: boolean },
        { timeout: WAIT_LIMIT, interval: 500 },
      )
      .toMatchObject({ purging: false });
    const purged = await checkExport(git, host);
    expect((await git.git(["cat-file", "-e", secret], { cwd: purged })).code).not.toBe(0);

    await git.commit(source, "last.txt", "last\n");
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    expect((await asked("PATCH", "acme/repo", { name: "moved" })).status).toBe(200);
    const moved = git.fresh();
    await git.ok(["clone", "-q", "--mirror", remoteOf(host, "acme/moved"), moved]);
    await git.fsck(moved);
    expect(await git.ok(["rev-parse", "main"], { cwd: moved })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    expect((await send(apiOf(host, "acme/moved"), { method: "DELETE" })).status).toBe(204);
    expect((await send(`${remoteOf(host, "acme/moved")}/info/refs`)).status).toBe(404);
  });
});
