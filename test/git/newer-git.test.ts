/**
 * The journeys of the git that is installed, and of a newer one where `NEW_GIT` names it; and what only the newer one says. The titles
 * name the versions.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { startCommand } from "../support/command.ts";
import { GitSandbox, refsOf, withToken } from "../support/git-client.ts";
import { everything, importFixture, linear } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { listening } from "../support/listening.ts";
import { GIT_VERSIONS, isAfter, NEW_GIT } from "../support/new-git.ts";

const TOKEN = "test-token";

describe.each(GIT_VERSIONS)("git $version", ({ version, use }) => {
  let host: RunningHost;
  let git: GitSandbox;
  let source = "";
  let count = 0;
  const fresh = (): string => `${withToken(host.base, TOKEN)}/acme/newer-${++count}.git`;
  const isNew = NEW_GIT !== undefined && version !== GIT_VERSIONS[0]?.version;

  beforeAll(async () => {
    host = await startTestHost();
    git = new GitSandbox("newer");
    use(git);
    source = await importFixture(git, "source", everything());
  });
  afterAll(async () => {
    await host.stop();
    git.close();
  });

  it.each(["0", "1", "2"])("pushes, clones, deepens and fetches with protocol.version=%s", async (protocol) => {
    const url = fresh();
    const speak = ["-c", `protocol.version=${protocol}`];
    await git.ok([...speak, "push", "-q", "--mirror", url], { cwd: source });
    const [copy, shallow] = [git.fresh(), git.fresh()];
    await git.ok([...speak, "clone", "-q", "--mirror", url, copy]);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
    await git.fsck(copy);
    await git.ok([...speak, "clone", "-q", "--depth=1", url, shallow]);
    await git.ok([...speak, "fetch", "-q", "--unshallow"], { cwd: shallow });
    await git.fsck(shallow);
    const tip = await git.commit(shallow, "more.txt", "more\n");
    await git.ok([...speak, "push", "-q", "origin", "HEAD:refs/heads/more"], { cwd: shallow });
    await git.ok([...speak, "fetch", "-q", "origin", "refs/heads/more"], { cwd: copy });
    expect(await git.ok(["rev-parse", "FETCH_HEAD"], { cwd: copy })).toBe(tip);
  });

  it("makes a SHA-256 repository with its first push, whose HEAD is main", async () => {
    const env = { GIT_DEFAULT_HASH: "sha256" };
    const [url, work, copy] = [fresh(), git.fresh(), git.fresh()];
    await git.ok(["init", "-q", work], { env });
    const tip = await git.commit(work, "a.txt", "a\n");
    expect(tip).toHaveLength(64);
    await git.ok(["push", "-q", url, "main"], { cwd: work, env });
    await git.ok(["clone", "-q", url, copy], { env });
    expect(await git.ok(["rev-parse", "--show-object-format", "HEAD"], { cwd: copy })).toBe(`sha256\n${tip}`);
    expect(await git.ok(["symbolic-ref", "HEAD"], { cwd: copy })).toBe("refs/heads/main");
  });

  it.runIf(isNew)("keeps its refs in a reftable, on both ends of a push", async () => {
    const [url, work, copy] = [fresh(), git.fresh(), git.fresh()];
    await git.ok(["init", "-q", "--ref-format=reftable", work]);
    await git.ok(["pull", "-q", source, "main"], { cwd: work });
    await git.ok(["push", "-q", url, "HEAD:refs/heads/main"], { cwd: work });
    await git.ok(["clone", "-q", "--ref-format=reftable", url, copy]);
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-parse", "main"], { cwd: source }),
    );
    await git.fsck(copy);
  });

  it("is given a reftable repository by an export, or told which git that needs", async () => {
    const [url, directory] = [fresh(), git.fresh("exported")];
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    const name = new URL(url).pathname.slice(1, -".git".length);
    const env = { THINPACK_BASE: host.base, THINPACK_TOKEN: TOKEN };
    const args = ["export", "--ref-format=reftable", name, directory];
    const { code, stderr } = await startCommand(git, args, { env }).ended;
    if ((await git.git(["refs", "migrate", "-h"])).code !== 129) {
      expect([code, stderr]).toEqual([1, expect.stringContaining("needs git 2.46 or later")]);
      expect(existsSync(directory)).toBe(false);
      return;
    }
    expect([code, stderr]).toEqual([0, ""]);
    const at = ["--git-dir", directory];
    expect(await git.ok([...at, "rev-parse", "--show-ref-format"])).toBe("reftable");
    await git.ok([...at, "fsck", "--full", "--strict", "--no-dangling"]);
    expect(await refsOf(git, directory)).toEqual(await refsOf(git, source));
    expect(await git.ok([...at, "symbolic-ref", "HEAD"])).toBe("refs/heads/main");
  });

  it.runIf(isNew)("names what it has beside what it negotiates about, with --negotiation-include", async () => {
    const [url, work] = [fresh(), git.fresh()];
    const cwd = await importFixture(git, "included", linear(30));
    await git.ok(["push", "-q", url, "main", "main~10:refs/heads/old"], { cwd });
    await git.ok(["clone", "-q", "--single-branch", "--branch=old", url, work]);
    const old = await git.head(work);
    // More than git names before it waits for an answer.
    for (let own = 0; own < 20; own++) await git.commit(work, "own.txt", `${own}\n`);
    const trace = git.path("included-trace");
    await git.ok(["fetch", "-q", `--negotiation-include=${old}`, "origin", "main"], {
      cwd: work,
      env: { GIT_TRACE_PACKET: trace },
    });
    const packets = readFileSync(trace, "utf8");
    expect(packets).toContain(`have ${old}`);
    const answers = packets.split(/> command=fetch/).slice(1);
    const acknowledged = answers.map((answer) => answer.match(/fetch< (?:\\1)?ACK [0-9a-f]{40}/g) ?? []);
    expect(acknowledged.flat().length).toBeGreaterThan(0);
    for (const names of acknowledged) expect(new Set(names).size).toBe(names.length);
    expect(await git.ok(["rev-parse", "FETCH_HEAD"], { cwd: work })).toBe(await git.ok(["rev-parse", "main"], { cwd }));
    await git.fsck(work);
  });

  it.runIf(isNew && isAfter(version, "2.55.0"))("asks for sizes with remote-object-info", async () => {
    const url = fresh();
    const cwd = await importFixture(git, "sizes", linear(3));
    await git.ok(["push", "-q", url, "main"], { cwd });
    const blob = await git.ok(["rev-parse", "main^{tree}"], { cwd });
    const size = await git.ok(["cat-file", "-s", blob], { cwd });
    const empty = await git.init("asking");
    const input = `remote-object-info "${url}" ${blob} ${"12".repeat(20)}\n`;
    const answer = await git.ok(["cat-file", "--batch-command"], { cwd: empty, input });
    expect(answer.split("\n")).toEqual([`${blob} ${size}`, `${"12".repeat(20)} missing`]);
  });

  it("is told that it comes too often, and waits as long as it is told to if it can", async () => {
    const shut = await startTestHost({ rateLimits: { login: 1, tenant: 1000 } });
    try {
      const url = `${withToken(shut.base, "tpk_acme_wrong")}/acme/any.git`;
      expect((await git.git(["ls-remote", url])).stderr).toContain("Authentication failed");
      // Longer than the minute that it is told to wait, so that it says so and gives up.
      const waits = ["-c", "http.maxRetries=1", "-c", "http.maxRetryTime=5"];
      const { code, stderr } = await git.git([...waits, "ls-remote", url]);
      const words = isNew ? /60 second|rate limit/i : /The requested URL returned error: 429/;
      expect([code, stderr]).toEqual([128, expect.stringMatching(words)]);
    } finally {
      await shut.stop();
    }
  });

  it.runIf(isNew)("comes again after the seconds that it was told to wait", async () => {
    const url = fresh();
    const path = new URL(url).pathname;
    const made = await apiClient(host.base, TOKEN)("PUT", `/repos${path.replace(".git", "")}`, {
      visibility: "public",
    });
    expect(made.status).toBe(201);
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const asked: string[] = [];
    // The host's own minute would be too long for a test.
    const before = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (asked.length === 1) response.writeHead(429, { "Retry-After": "1" }).end("Too many requests.\n");
      else response.writeHead(307, { Location: host.base + (request.url ?? "") }).end();
    });
    const port = await listening(before);
    try {
      const through = `http://127.0.0.1:${port}${path}`;
      // git counts the first request, too.
      const waits = ["-c", "http.maxRetries=2", "-c", "http.maxRetryTime=5", "-c", "http.followRedirects=true"];
      const listed = await git.ok([...waits, "ls-remote", through, "main"]);
      expect(listed).toContain(await git.ok(["rev-parse", "main"], { cwd: source }));
      const first = `${path}/info/refs?service=git-upload-pack`;
      expect(asked.slice(0, 2)).toEqual([first, first]);
    } finally {
      before.close();
    }
  });
});
