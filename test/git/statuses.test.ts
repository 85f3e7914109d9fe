/**
 * Statuses of commits: by the API, on pages, told to webhooks, and demanded by rules of protected refs.
 *
 * @packageDocumentation
 */
import { Webhooks } from "@octokit/webhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiAnswer, type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const SECRET = "s3cret";
const BUILD = { context: "ci/build", state: "success", description: "All well", target_url: "https://ci.example/1" };

let host: RunningHost;
let git: GitSandbox;
let receiver: WebhookReceiver;
let operator: ApiClient;
let writer: ApiClient;
let writerToken = "";
let work = "";
/** The commits of main, the oldest first. */
const commits: string[] = [];
let count = 0;

/** Makes a repository with main at its second commit, and returns its name. */
async function repository(settings: object = {}): Promise<string> {
  const name = `acme/checked-${++count}`;
  await operator("PUT", `/repos/${name}`, settings);
  await git.ok(["push", "-q", remote(name), `${commits[1]}:refs/heads/main`], { cwd: work });
  return name;
}

const remote = (name: string): string => withToken(`${host.base}/${name}.git`, writerToken);
const statusesOf = (name: string, at: number): string => `/repos/${name}/commits/${commits[at]}/statuses`;
const set = async (name: string, at: number, body: object, headers = {}): Promise<ApiAnswer> =>
  await writer("POST", statusesOf(name, at), body, headers);

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  git = new GitSandbox("statuses");
  receiver = await startReceiver();
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  writerToken = await issueToken(operator, "acme", "repo:write");
  writer = apiClient(host.base, writerToken);
  work = await git.init();
  for (const name of ["a", "b", "c", "d"]) commits.push(await git.commit(work, name, `${name}\n`, `commit ${name}`));
});

afterAll(async () => {
  await host.stop();
  await receiver.close();
  git.close();
});

describe("statuses of a commit", () => {
  it("are one for each context, and say together what the worst says", async () => {
    const name = await repository();
    const path = statusesOf(name, 1);
    expect((await operator("GET", path)).body).toEqual({ oid: commits[1], state: null, statuses: [] });
    const made = await set(name, 1, BUILD);
    expect(made).toMatchObject({ status: 201, body: { oid: commits[1], ...BUILD, actor_name: "repo:write" } });
    expect((await operator("GET", path)).body).toMatchObject({ state: "success", statuses: [BUILD] });
    await set(name, 1, { context: "a", state: "pending" });
    expect((await operator("GET", path)).body).toMatchObject({
      state: "pending",
      statuses: [{ context: "a", state: "pending", description: null, target_url: null }, BUILD],
    });
    await set(name, 1, { context: "a", state: "error" });
    expect((await operator("GET", path)).body).toMatchObject({
      state: "failure",
      statuses: [{ state: "error" }, BUILD],
    });
    await set(name, 1, { context: "a", state: "success" });
    expect((await operator("GET", path)).body).toMatchObject({ state: "success" });
    expect((await operator("GET", statusesOf(name, 0))).body).toMatchObject({ state: null, statuses: [] });
  });

  it("are given the first answer where a request comes again", async () => {
    const name = await repository();
    const key = { "Idempotency-Key": "k" };
    const first = await set(name, 1, BUILD, key);
    await set(name, 1, { ...BUILD, state: "failure" });
    const again = await set(name, 1, BUILD, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect((await operator("GET", statusesOf(name, 1))).body).toMatchObject({ state: "failure" });
    expect(await set(name, 1, { ...BUILD, context: "other" }, key)).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
  });

  it("are refused where they are none, and for commits that are not here", async () => {
    const name = await repository();
    for (const body of [
      {},
      { context: "", state: "success" },
      { context: "x", state: "done" },
      { context: "x".repeat(256), state: "success" },
      { ...BUILD, target_url: "javascript:alert(1)" },
      { ...BUILD, target_url: "no address" },
      { ...BUILD, other: 1 },
      { ...BUILD, context: "\ud800" },
      { ...BUILD, context: "c\u0000<b>" },
      { ...BUILD, context: "two\nlines" },
      { ...BUILD, context: "\u009b31m" },
      { ...BUILD, description: "\u001b[31mred" },
      { ...BUILD, target_url: "https://ci.example/\n1" },
    ]) {
      expect([body, (await set(name, 1, body)).status]).toEqual([body, 422]);
    }
    expect((await set(name, 1, { ...BUILD, description: "two\nlines" })).status).toBe(201);
    for (const change of [
      { description: "a\u0007bell" },
      { protected: [{ pattern: "main", pushers: ["x\u0000"] }] },
      { protected: [{ pattern: "main", required_contexts: ["x\u0000"] }] },
    ]) {
      expect([change, (await operator("PATCH", `/repos/${name}`, change)).status]).toEqual([change, 422]);
    }
    expect(await set(name, 3, BUILD)).toMatchObject({ status: 404 });
    expect(await operator("GET", statusesOf(name, 3))).toMatchObject({ status: 404 });
    const tree = await git.ok(["rev-parse", `${commits[1]}^{tree}`], { cwd: work });
    expect(await writer("POST", `/repos/${name}/commits/${tree}/statuses`, BUILD)).toMatchObject({ status: 422 });
    expect(await operator("GET", `/repos/${name}/commits/main/statuses`)).toMatchObject({ status: 404 });
    await operator("PATCH", `/repos/${name}`, { read_only: true });
    expect(await set(name, 1, BUILD)).toMatchObject({ status: 403 });
  });

  it("have a hundred contexts at most", async () => {
    const name = await repository();
    for (let at = 0; at < 100; at++) {
      expect((await set(name, 1, { context: `c${at}`, state: "pending" })).status).toBe(201);
    }
    const refused = await set(name, 1, { context: "one more", state: "success" });
    expect(refused).toMatchObject({ status: 422, body: { detail: "A commit may have 100 contexts." } });
    expect((await set(name, 1, { context: "c7", state: "success" })).status).toBe(201);
    expect((await operator("GET", statusesOf(name, 1))).body["statuses"]).toHaveLength(100);
  });

  it("go along when the repository is renamed, into no fork, and away with it", async () => {
    const name = await repository();
    await set(name, 1, BUILD);
    const renamed = `checked-as-${count}`;
    await operator("POST", `/repos/${name}/forks`, { tenant: "acme", repo: `${renamed}-fork` });
    expect((await operator("GET", statusesOf(`acme/${renamed}-fork`, 1))).body).toMatchObject({ statuses: [] });
    expect((await operator("PATCH", `/repos/${name}`, { name: renamed })).status).toBe(200);
    expect((await operator("GET", statusesOf(`acme/${renamed}`, 1))).body).toMatchObject({ statuses: [BUILD] });
    await operator("DELETE", `/repos/acme/${renamed}`);
    await operator("PUT", `/repos/acme/${renamed}`);
    await git.ok(["push", "-q", remote(`acme/${renamed}`), `${commits[1]}:refs/heads/main`], { cwd: work });
    expect((await operator("GET", statusesOf(`acme/${renamed}`, 1))).body).toMatchObject({ statuses: [] });
  });

  it("are shown on the pages of commits and of lists, also where a browser had them without", async () => {
    const name = await repository({ visibility: "public" });
    const html = async (path: string, headers = {}): Promise<{ status: number; text: string; etag: string }> => {
      const answer = await fetch(`${host.base}/${name}${path}`, { headers: { Accept: "text/html", ...headers } });
      return { status: answer.status, text: await answer.text(), etag: answer.headers.get("ETag") ?? "" };
    };
    const [list, page] = [await html("/commits/main"), await html(`/commit/${commits[1]}`)];
    expect(list.text + page.text).not.toContain('class="check');
    await set(name, 1, { ...BUILD, description: "<b>All</b> well" });
    await set(name, 0, { context: "lint", state: "error" });
    const [listed, shown] = [
      await html("/commits/main", { "If-None-Match": list.etag }),
      await html(`/commit/${commits[1]}`, { "If-None-Match": page.etag }),
    ];
    expect([listed.status, shown.status]).toEqual([200, 200]);
    expect(listed.text).toContain('<span class="check success" title="success: 1">success</span>');
    expect(listed.text).toContain('<span class="check failure" title="error: 1">failure</span>');
    expect(shown.text).toContain('href="https://ci.example/1"');
    expect(shown.text).toContain("&lt;b&gt;All&lt;/b&gt; well");
  });

  it("are told to webhooks as GitHub tells them", async () => {
    const name = await repository();
    const url = `${receiver.base}/${name}`;
    await operator("POST", `/repos/${name}/hooks`, { url, secret: SECRET, events: ["status"] });
    await git.ok(["push", "-q", remote(name), `${commits[1]}:refs/heads/topic`], { cwd: work });
    await set(name, 1, BUILD);
    const told = (): typeof receiver.received =>
      receiver.received.filter(({ path, headers }) => path === `/${name}` && headers["x-github-event"] === "status");
    await vi.waitUntil(() => told().length > 0, { timeout: WAIT_LIMIT, interval: 100 });
    const [delivery] = told();
    const webhooks = new Webhooks({ secret: SECRET });
    const seen: unknown[] = [];
    webhooks.on("status", ({ payload }) => void seen.push(payload));
    await webhooks.verifyAndReceive({
      id: "1",
      name: "status",
      payload: String(delivery?.raw),
      signature: String(delivery?.headers["x-hub-signature-256"]),
    });
    expect(seen).toMatchObject([
      {
        sha: commits[1],
        name,
        state: "success",
        context: "ci/build",
        description: "All well",
        target_url: "https://ci.example/1",
        commit: {
          sha: commits[1],
          commit: { message: "commit b\n", author: { name: "A U Thor", date: "2023-11-15T00:13:20+02:00" } },
          parents: [{ sha: commits[0] }],
        },
        branches: [{ name: "main", commit: { sha: commits[1] } }, { name: "topic" }],
        repository: { full_name: name },
        sender: { login: "repo:write" },
      },
    ]);
  });
});

describe("a rule that demands contexts", () => {
  const RULE = { pattern: "main", required_contexts: ["ci/build", "lint"] };

  async function ruled(): Promise<string> {
    const name = await repository();
    const { body } = await operator("PATCH", `/repos/${name}`, {
      protected: [RULE, { pattern: "refs/tags/*", required_contexts: ["ci/build"] }],
    });
    expect(body["protected"]).toMatchObject([RULE, {}]);
    return name;
  }

  it("refuses a push of a commit that lacks a success, and names the context", async () => {
    const name = await ruled();
    const push = async (...args: string[]): Promise<string> =>
      (await git.git(["push", remote(name), ...args], { cwd: work })).stderr;
    expect(await push(`${commits[2]}:main`)).toContain(
      `(the rule for 'main' wants a commit with the status success in 'ci/build')`,
    );
    await git.ok(["push", "-q", remote(name), `${commits[2]}:refs/heads/topic`], { cwd: work });
    await set(name, 2, BUILD);
    await set(name, 2, { context: "lint", state: "pending" });
    expect(await push(`${commits[2]}:main`)).toContain("with the status success in 'lint')");
    // The parent's statuses count for nothing.
    await git.ok(["push", "-q", remote(name), `${commits[3]}:refs/heads/topic`], { cwd: work });
    await set(name, 2, { context: "lint", state: "success" });
    expect(await push(`${commits[3]}:main`)).toContain("in 'ci/build')");
    await git.ok(["push", "-q", remote(name), `${commits[2]}:main`], { cwd: work });
    // One that came later than the move moves nothing back.
    await set(name, 2, { context: "lint", state: "failure" });
    await git.ok(["tag", "-f", "-a", "-m", "one", "v1", String(commits[2])], { cwd: work });
    await git.ok(["tag", "-f", "-a", "-m", "two", "v2", String(commits[3])], { cwd: work });
    expect(await push("v1", "v2")).toMatch(/new tag.*v1(?:.|\n)*v2 -> v2 \(the rule for 'refs\/tags\/\*' wants/);
    expect(await git.ok(["ls-remote", remote(name), "main", "v1", "v2"], { cwd: work })).toMatch(
      new RegExp(
        `^${commits[2]}\\trefs/heads/main\\n\\w+\\trefs/tags/v1(?:\\n${commits[2]}\\trefs/tags/v1\\^\\{\\})?$`,
      ),
    );
  });

  it("refuses commits, moves and trials of the API in the same words", async () => {
    const name = await ruled();
    const commit = {
      branch: "main",
      message: "x",
      actions: [{ action: "create", path: "made", content: "x" }],
    };
    const words = { detail: expect.stringContaining("with the status success in 'ci/build'") as string, code: "rule" };
    for (const dry_run of [true, false]) {
      expect(await writer("POST", `/repos/${name}/commits`, { ...commit, dry_run })).toMatchObject({
        status: 403,
        body: words,
      });
    }
    await git.ok(["push", "-q", remote(name), `${commits[2]}:refs/heads/topic`], { cwd: work });
    const move = async (): Promise<ApiAnswer> =>
      await writer("PUT", `/repos/${name}/refs/heads/main`, { oid: commits[2] });
    expect(await move()).toMatchObject({ status: 403, body: words });
    const updates = [{ name: "refs/heads/main", old: commits[1], new: commits[2] }];
    expect(await writer("POST", `/repos/${name}/refs`, { updates })).toMatchObject({ status: 409 });
    await set(name, 2, BUILD);
    await set(name, 2, { context: "lint", state: "success" });
    expect(await move()).toMatchObject({ status: 200 });
  });

  it("lets a branch be deleted that has no status, where it lets it be deleted", async () => {
    const name = await repository();
    await git.ok(["push", "-q", remote(name), `${commits[1]}:refs/heads/old`], { cwd: work });
    await operator("PATCH", `/repos/${name}`, {
      protected: [{ pattern: "old", allow_deletion: true, required_contexts: ["x"] }],
    });
    await git.ok(["push", "-q", remote(name), ":old"], { cwd: work });
  });

  it("has twenty contexts at most, each with a name", async () => {
    const name = await repository();
    for (const required_contexts of [Array.from({ length: 21 }, (_, at) => `c${at}`), [""], "ci", [1]]) {
      const answer = await operator("PATCH", `/repos/${name}`, { protected: [{ pattern: "main", required_contexts }] });
      expect(answer.status).toBe(422);
    }
  });
});
