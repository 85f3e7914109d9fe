/**
 * The facade in the shapes of GitHub's REST API, driven by Octokit, against what git says of the same repository.
 *
 * @packageDocumentation
 */
import { Octokit } from "@octokit/rest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let octokit: Octokit;
let work = "";
let token = "";
let count = 0;
/** The commits of main, the oldest first. */
const commits: string[] = [];

const clientOf = (auth?: string): Octokit =>
  new Octokit({
    baseUrl: `${host.base}/api/v3`,
    ...(auth === undefined ? {} : { auth }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });

/** A repository with the commits of `work`, as Octokit's methods name it. */
async function repository(settings: object = {}): Promise<{ owner: string; repo: string; url: string }> {
  const repo = `facade-${++count}`;
  await operator("PUT", `/repos/acme/${repo}`, settings);
  const url = withToken(`${host.base}/acme/${repo}.git`, token);
  await git.ok(["push", "-q", url, "main", "topic", "v1", "light"], { cwd: work });
  return { owner: "acme", repo, url };
}

const inWork = async (...args: string[]): Promise<string> => await git.ok(args, { cwd: work });
/** What was refused, as Octokit tells it. */
const refusal = async (promise: Promise<unknown>): Promise<{ status: number; message: string }> => {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  const { status, response } = error as { status: number; response?: { data: { message: string; status: string } } };
  expect(response?.data.status).toBe(String(status));
  return { status, message: String(response?.data.message) };
};

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  git = new GitSandbox("github-api");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  token = await issueToken(operator, "acme", "tenant:admin");
  octokit = clientOf(token);
  work = await git.init();
  commits.push(await git.commit(work, "src/a.txt", "one\ntwo\nthree\n", "first"));
  commits.push(await git.commit(work, "src/a.txt", "one\n2\nthree\n", "second\n\nwith a body"));
  writeFileSync(join(work, "README.md"), "# Widgets\n");
  commits.push(await git.commit(work, "café.txt", "ü\n", "third"));
  await inWork("tag", "-a", "-m", "the first", "v1");
  await inWork("tag", "light", "main~1");
  await inWork("checkout", "-q", "-b", "topic", "main~1");
  await git.commit(work, "topic.txt", "topic\n", "on topic");
  await inWork("checkout", "-q", "main");
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("the facade, read by Octokit", () => {
  it("shows a repository, its branches and its tags", async () => {
    const { url: _, ...at } = await repository({ description: "Widgets", visibility: "public" });
    const { data, headers } = await octokit.rest.repos.get(at);
    expect(data).toMatchObject({
      full_name: `acme/${at.repo}`,
      private: false,
      description: "Widgets",
      default_branch: "main",
      owner: { login: "acme" },
      permissions: { admin: true, push: true, pull: true },
    });
    expect(headers["x-github-api-version-selected"]).toBe("2022-11-28");
    expect((await clientOf().rest.repos.get(at)).data.permissions).toMatchObject({
      admin: false,
      push: false,
      pull: true,
    });
    await operator("PATCH", `/repos/acme/${at.repo}`, { protected: [{ pattern: "main" }] });
    const branches = await octokit.rest.repos.listBranches(at);
    expect(branches.data).toMatchObject([
      { name: "main", commit: { sha: commits[2] }, protected: true },
      { name: "topic", protected: false },
    ]);
    const branch = await octokit.rest.repos.getBranch({ ...at, branch: "main" });
    expect(branch.data).toMatchObject({ name: "main", commit: { sha: commits[2], commit: { message: "third" } } });
    const tags = await octokit.rest.repos.listTags(at);
    expect(tags.data).toMatchObject([
      { name: "light", commit: { sha: commits[1] } },
      { name: "v1", commit: { sha: commits[2] } },
    ]);
    expect(await refusal(octokit.rest.repos.getBranch({ ...at, branch: "none" }))).toMatchObject({ status: 404 });
    expect(await refusal(octokit.rest.repos.get({ owner: "acme", repo: "none" }))).toMatchObject({ status: 404 });
  });

  it("gives refs and objects as git has them", async () => {
    const { url: _, ...at } = await repository();
    const tag = await inWork("rev-parse", "v1");
    expect((await octokit.rest.git.getRef({ ...at, ref: "heads/main" })).data).toMatchObject({
      ref: "refs/heads/main",
      object: { type: "commit", sha: commits[2] },
    });
    expect((await octokit.rest.git.getRef({ ...at, ref: "tags/v1" })).data.object).toMatchObject({
      type: "tag",
      sha: tag,
    });
    expect((await octokit.rest.git.listMatchingRefs({ ...at, ref: "tags/" })).data.map(({ ref }) => ref)).toEqual([
      "refs/tags/light",
      "refs/tags/v1",
    ]);
    expect(await refusal(octokit.rest.git.getRef({ ...at, ref: "heads/mai" }))).toMatchObject({ status: 404 });
    expect((await octokit.rest.git.getTag({ ...at, tag_sha: tag })).data).toMatchObject({
      tag: "v1",
      message: "the first",
      tagger: { name: "C O Mitter", date: "2023-11-14T22:13:20Z" },
      object: { type: "commit", sha: commits[2] },
    });
    const commit = await octokit.rest.git.getCommit({ ...at, commit_sha: String(commits[1]) });
    expect(commit.data).toMatchObject({
      sha: commits[1],
      message: "second\n\nwith a body",
      author: { name: "A U Thor", email: "author@example.com", date: "2023-11-14T22:13:20Z" },
      tree: { sha: await inWork("rev-parse", `${commits[1]}^{tree}`) },
      parents: [{ sha: commits[0] }],
    });
    const blob = await inWork("rev-parse", "main:café.txt");
    expect((await octokit.rest.git.getBlob({ ...at, file_sha: blob })).data).toMatchObject({
      content: Buffer.from("ü\n").toString("base64"),
      encoding: "base64",
      size: 3,
    });
    const tree = await octokit.rest.git.getTree({ ...at, tree_sha: "main", recursive: "1" });
    const listed = await inWork("-c", "core.quotePath=off", "ls-tree", "-r", "-t", "main");
    expect(tree.data.tree.map(({ mode, type, sha, path }) => `${mode} ${type} ${sha}\t${path}`).join("\n")).toBe(
      listed,
    );
    expect(tree.data.truncated).toBe(false);
    const flat = await octokit.rest.git.getTree({ ...at, tree_sha: "main" });
    expect(flat.data.tree.map(({ path }) => path)).toEqual(
      ["README.md", "café.txt", "src"].filter((path) => listed.includes(`\t${path}`)),
    );
  });

  it("lists refs in pages, each with the type of what it names", async () => {
    const { url: _, ...at } = await repository();
    const rows = (await inWork("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)")).split("\n");
    const seen: string[] = [];
    for (let page = 1; page <= 3; page++) {
      const { data, headers } = await octokit.request("GET /repos/{owner}/{repo}/git/refs", {
        ...at,
        per_page: 2,
        page,
      });
      const refs = data as { ref: string; object: { sha: string; type: string } }[];
      seen.push(...refs.map(({ ref, object }) => `${ref} ${object.sha} ${object.type}`));
      expect([page, headers.link?.includes('page=2>; rel="last"') ?? false]).toEqual([page, page === 1]);
    }
    expect(seen).toEqual(rows);
    expect((await octokit.rest.repos.listTags({ ...at, per_page: 1, page: 2 })).data).toMatchObject([{ name: "v1" }]);
    expect((await octokit.rest.repos.listBranches({ ...at, per_page: 1, page: 3 })).data).toEqual([]);
  });

  it("lists commits in pages, shows one with its lines, and compares two", async () => {
    const { url: _, ...at } = await repository();
    const all = await octokit.paginate(octokit.rest.repos.listCommits, { ...at, per_page: 1 });
    expect(all.map(({ sha }) => sha)).toEqual(commits.toReversed());
    const second = await octokit.rest.repos.listCommits({ ...at, per_page: 1, page: 2 });
    expect(second.data.map(({ sha }) => sha)).toEqual([commits[1]]);
    expect(second.headers.link).toContain('rel="next"');
    const ofPath = await octokit.rest.repos.listCommits({ ...at, path: "src/a.txt", sha: "topic" });
    expect(ofPath.data.map(({ sha }) => sha)).toEqual([commits[1], commits[0]]);
    expect(await refusal(octokit.rest.repos.listCommits({ ...at, author: "x" }))).toMatchObject({ status: 422 });
    const until = await octokit.rest.repos.listCommits({ ...at, until: "2020-01-01T00:00:00Z" });
    expect(until.data).toEqual([]);
    const one = await octokit.rest.repos.getCommit({ ...at, ref: "light" });
    expect(one.data).toMatchObject({
      sha: commits[1],
      stats: { additions: 1, deletions: 1, total: 2 },
      files: [{ filename: "src/a.txt", status: "modified", patch: "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three" }],
    });
    const first = await octokit.rest.repos.getCommit({ ...at, ref: String(commits[0]) });
    expect(first.data.files).toMatchObject([
      { filename: "src/a.txt", status: "added", patch: "@@ -0,0 +1,3 @@\n+one\n+two\n+three" },
    ]);
    const diff = await octokit.rest.repos.getCommit({ ...at, ref: "light", mediaType: { format: "diff" } });
    const lines: unknown = diff.data;
    expect(lines).toBe(`${await inWork("diff", "--full-index", `${commits[0]}`, `${commits[1]}`)}\n`);
    const compared = await octokit.rest.repos.compareCommitsWithBasehead({ ...at, basehead: "main...topic" });
    expect(compared.data).toMatchObject({
      status: "diverged",
      ahead_by: 1,
      behind_by: 1,
      merge_base_commit: { sha: commits[1] },
      commits: [{ commit: { message: "on topic" } }],
      files: [{ filename: "topic.txt", status: "added" }],
    });
  });

  it("gives files, directories, READMEs and archives", async () => {
    const { url: _, ...at } = await repository({ visibility: "public" });
    const file = await octokit.rest.repos.getContent({ ...at, path: "café.txt" });
    expect(file.data).toMatchObject({ type: "file", name: "café.txt", size: 3, encoding: "base64", content: "w7wK" });
    const old = await octokit.rest.repos.getContent({ ...at, path: "src/a.txt", ref: String(commits[0]) });
    expect(old.data).toMatchObject({ content: Buffer.from("one\ntwo\nthree\n").toString("base64") });
    const directory = await octokit.rest.repos.getContent({ ...at, path: "src" });
    expect(directory.data).toMatchObject([{ type: "file", path: "src/a.txt", name: "a.txt" }]);
    const raw = await octokit.rest.repos.getContent({ ...at, path: "src/a.txt", mediaType: { format: "raw" } });
    expect(new TextDecoder().decode(raw.data as unknown as ArrayBuffer)).toBe("one\n2\nthree\n");
    expect(await refusal(octokit.rest.repos.getContent({ ...at, path: "none" }))).toMatchObject({ status: 404 });
    const archive = await octokit.rest.repos.downloadTarballArchive({ ...at, ref: "main" });
    writeFileSync(git.path("main.tar.gz"), Buffer.from(archive.data));
    const listed = new TextDecoder().decode(
      (await import("node:child_process")).execFileSync("tar", ["-tzf", git.path("main.tar.gz")]),
    );
    expect(listed).toContain(`acme-${at.repo}-${String(commits[2]).slice(0, 7)}/src/a.txt`);
  });
});

describe("the facade, written to by Octokit", () => {
  it("writes and deletes files, each as one commit", async () => {
    const { url, ...at } = await repository();
    const encode = (text: string): string => Buffer.from(text).toString("base64");
    const put = { ...at, path: "new/ü.txt", message: "add", content: encode("new\n") };
    const made = await octokit.rest.repos.createOrUpdateFileContents({ ...put, branch: "topic" });
    expect(made).toMatchObject({ status: 201, data: { content: { path: "new/ü.txt", name: "ü.txt" } } });
    const sha = String(made.data.content?.sha);
    expect(await git.ok(["ls-remote", url, "topic"])).toContain(String(made.data.commit.sha));
    expect(await refusal(octokit.rest.repos.createOrUpdateFileContents({ ...put, branch: "topic" }))).toMatchObject({
      status: 422,
      message: expect.stringContaining('"sha" wasn\'t supplied') as string,
    });
    const wrong = { ...put, branch: "topic", sha: "1".repeat(40) };
    expect(await refusal(octokit.rest.repos.createOrUpdateFileContents(wrong))).toMatchObject({ status: 409 });
    const author = { name: "Ann", email: "ann@example.com", date: "2024-01-02T03:04:05Z" };
    const changed = { ...put, branch: "topic", sha, content: encode("x".repeat(2_000_000)), author };
    const updated = await octokit.rest.repos.createOrUpdateFileContents(changed);
    expect(updated).toMatchObject({ status: 200, data: { content: { size: 2_000_000 }, commit: { author } } });
    const gone = await octokit.rest.repos.deleteFile({
      ...at,
      path: "new/ü.txt",
      message: "gone",
      branch: "topic",
      sha: String(updated.data.content?.sha),
    });
    expect(gone.data.content).toBeNull();
    const clone = git.fresh();
    await git.ok(["clone", "-q", "-b", "topic", url, clone]);
    expect(await git.ok(["log", "--format=%an %s", "-3"], { cwd: clone })).toBe(
      "tenant:admin gone\nAnn add\ntenant:admin add",
    );
    await git.fsck(clone);
  });

  it("begins an empty repository", async () => {
    const repo = `facade-${++count}`;
    const made = await octokit.rest.repos.createInOrg({ org: "acme", name: repo, private: true });
    expect(made).toMatchObject({ status: 201, data: { full_name: `acme/${repo}`, private: true } });
    const file = { owner: "acme", repo, path: "a", message: "first", content: "YQ==" };
    expect((await octokit.rest.repos.createOrUpdateFileContents(file)).status).toBe(201);
    expect((await octokit.rest.repos.listCommits({ owner: "acme", repo })).data).toMatchObject([{ parents: [] }]);
    expect(await refusal(octokit.rest.repos.createInOrg({ org: "acme", name: repo }))).toMatchObject({ status: 422 });
    expect((await octokit.rest.repos.update({ owner: "acme", repo, description: "Changed" })).data.description).toBe(
      "Changed",
    );
    expect((await octokit.rest.repos.delete({ owner: "acme", repo })).status).toBe(204);
  });

  it("creates, moves and deletes refs, and refuses in GitHub's words", async () => {
    const { url, ...at } = await repository();
    const [first, second, third] = commits.map(String);
    const ref = "refs/heads/feature/é";
    const made = await octokit.rest.git.createRef({ ...at, ref, sha: String(first) });
    expect(made).toMatchObject({ status: 201, data: { ref, object: { sha: first } } });
    const short = ref.slice("refs/".length);
    expect(await refusal(octokit.rest.git.createRef({ ...at, ref, sha: String(first) }))).toEqual({
      status: 422,
      message: "Reference already exists",
    });
    expect(await refusal(octokit.rest.git.createRef({ ...at, ref: "refs/heads/x", sha: "1".repeat(40) }))).toEqual({
      status: 422,
      message: "Object does not exist",
    });
    expect((await octokit.rest.git.updateRef({ ...at, ref: short, sha: String(third) })).data.object.sha).toBe(third);
    expect(await refusal(octokit.rest.git.updateRef({ ...at, ref: short, sha: String(second) }))).toEqual({
      status: 422,
      message: "Update is not a fast forward",
    });
    await octokit.rest.git.updateRef({ ...at, ref: short, sha: String(second), force: true });
    expect(await git.ok(["ls-remote", url, ref])).toContain(String(second));
    expect((await octokit.rest.git.deleteRef({ ...at, ref: short })).status).toBe(204);
    const gone = [
      async () => await octokit.rest.git.deleteRef({ ...at, ref: short }),
      async () => await octokit.rest.git.updateRef({ ...at, ref: short, sha: String(first) }),
    ];
    for (const again of gone) {
      expect(await refusal(again())).toEqual({ status: 422, message: "Reference does not exist" });
    }
  });

  it("merges branches as git merge does, and refuses in GitHub's words", async () => {
    const { url, ...at } = await repository();
    const merged = await octokit.rest.repos.merge({
      ...at,
      base: "main",
      head: "topic",
      commit_message: "Bring it in",
    });
    const tree = await inWork("merge-tree", "--write-tree", "main", "topic");
    const tip = await inWork("rev-parse", "topic");
    expect(merged).toMatchObject({
      status: 201,
      data: {
        commit: { message: "Bring it in", tree: { sha: tree } },
        parents: [{ sha: commits.at(-1) }, { sha: tip }],
      },
    });
    expect(await git.ok(["ls-remote", url, "refs/heads/main"])).toContain(merged.data.sha);
    expect((await octokit.rest.repos.merge({ ...at, base: "main", head: tip })).status).toBe(204);
    expect(await refusal(octokit.rest.repos.merge({ ...at, base: "none", head: "topic" }))).toEqual({
      status: 404,
      message: "Base does not exist",
    });
    expect(await refusal(octokit.rest.repos.merge({ ...at, base: "main", head: "none" }))).toEqual({
      status: 404,
      message: "Head does not exist",
    });
    const other = { ...at, path: "topic.txt", message: "another", content: btoa("other\n"), branch: "clash" };
    await octokit.rest.git.createRef({ ...at, ref: "refs/heads/clash", sha: String(commits[0]) });
    await octokit.rest.repos.createOrUpdateFileContents(other);
    expect(await refusal(octokit.rest.repos.merge({ ...at, base: "main", head: "clash" }))).toEqual({
      status: 409,
      message: "Merge conflict",
    });
    expect(await git.ok(["ls-remote", url, "refs/heads/main"])).toContain(merged.data.sha);
  });

  it("forks, and brings a branch of the fork up to its parent's", async () => {
    const { url, ...at } = await repository();
    const forked = await octokit.rest.repos.createFork({ ...at, name: `${at.repo}-fork` });
    expect(forked).toMatchObject({ status: 202, data: { full_name: `acme/${at.repo}-fork`, fork: true } });
    const there = { owner: "acme", repo: `${at.repo}-fork`, branch: "main" };
    expect((await octokit.rest.repos.mergeUpstream(there)).data).toMatchObject({ merge_type: "none" });
    await octokit.rest.repos.merge({ ...at, base: "main", head: "topic" });
    expect((await octokit.rest.repos.mergeUpstream(there)).data).toEqual({
      message: "Successfully fetched and fast-forwarded from upstream acme:main.",
      merge_type: "fast-forward",
      base_branch: "acme:main",
    });
    const main = async (of: string): Promise<string> =>
      (await git.ok(["ls-remote", of, "refs/heads/main"])).slice(0, 40);
    const copy = withToken(`${host.base}/acme/${there.repo}.git`, token);
    expect(await main(copy)).toBe(await main(url));
    await octokit.rest.repos.createOrUpdateFileContents({ ...there, path: "own.txt", message: "own", content: "b3du" });
    await octokit.rest.repos.createOrUpdateFileContents({ ...at, path: "up.txt", message: "up", content: "b3du" });
    expect((await refusal(octokit.rest.repos.mergeUpstream(there))).status).toBe(409);
  });

  it("is bound by the rules of a push, and by what a token may do", async () => {
    const { url: _, ...at } = await repository({ visibility: "public" });
    await operator("PATCH", `/repos/acme/${at.repo}`, { protected: [{ pattern: "main", pushers: [] }] });
    const file = { ...at, path: "x", message: "x", content: "eA==" };
    expect(await refusal(octokit.rest.repos.createOrUpdateFileContents(file))).toMatchObject({
      status: 403,
      message: expect.stringContaining("the rule for 'main' does not let you push here") as string,
    });
    const reader = clientOf(await issueToken(operator, "acme", "repo:read"));
    const asReader = { ...file, branch: "topic" };
    expect(await refusal(reader.rest.repos.createOrUpdateFileContents(asReader))).toMatchObject({ status: 403 });
    expect(
      await refusal(reader.rest.git.createRef({ ...at, ref: "refs/heads/y", sha: String(commits[0]) })),
    ).toMatchObject({ status: 403 });
    expect(await refusal(clientOf().rest.repos.createOrUpdateFileContents(asReader))).toMatchObject({ status: 401 });
    expect(await refusal(clientOf("wrong").rest.repos.get(at))).toMatchObject({ status: 401 });
    expect(await refusal(reader.rest.repos.listWebhooks(at))).toMatchObject({ status: 403 });
    await octokit.rest.repos.update({ ...at, description: "By the facade" });
    const { body } = await operator("GET", "/tenants/acme/audit");
    expect(JSON.stringify(body)).toContain(`"subject":"${at.repo}","details":{"changed":["description"]`);
  });

  it("creates a repository if the caller may, and reads no long body for it", async () => {
    const url = `${host.base}/api/v3/orgs/acme/repos`;
    const post = async (body: string, auth = token): Promise<number> => {
      const headers = {
        ...(auth === "" ? {} : { Authorization: `Bearer ${auth}` }),
        "Content-Type": "application/json",
      };
      return (await fetch(url, { method: "POST", headers, body })).status;
    };
    const name = `facade-${++count}`;
    const long = JSON.stringify({ name, description: "x".repeat(70_000) });
    expect(await post("no JSON", "")).toBe(401);
    expect(await post(long, "")).toBe(401);
    expect(await post(long)).toBe(413);
    expect(await post("no JSON")).toBe(400);
    await operator("PUT", "/tenants/elsewhere");
    const stranger = await issueToken(operator, "elsewhere", "tenant:admin");
    expect(await post("no JSON", stranger)).toBe(404);
    expect(await post(JSON.stringify({ name }), await issueToken(operator, "acme", "repo:read"))).toBe(403);
    expect((await octokit.rest.repos.createInOrg({ org: "acme", name })).status).toBe(201);
  });

  it("lists a part of directories that are nested without end", async () => {
    const { url, ...at } = await repository();
    const deep = await git.init();
    const path = "d/".repeat(3500);
    const stream = `commit refs/heads/deep\ncommitter A <a@example.com> 1 +0000\ndata 0\nM 100644 inline ${path}f\ndata 1\nx\n`;
    await git.ok(["fast-import", "--quiet"], { cwd: deep, input: stream });
    await git.ok(["-c", "core.maxTreeDepth=10000", "push", "-q", url, "deep"], { cwd: deep });
    const { data } = await octokit.rest.git.getTree({ ...at, tree_sha: "deep", recursive: "1" });
    expect(data.truncated).toBe(true);
    expect(data.tree.length).toBeGreaterThan(1000);
    expect((await octokit.rest.git.getTree({ ...at, tree_sha: "deep" })).data.tree).toHaveLength(1);
  });

  it("has webhooks and statuses", async () => {
    const { url: _, ...at } = await repository();
    const config = { url: "http://127.0.0.1:9999/hook", content_type: "json", secret: "s3cret" };
    const hook = await octokit.rest.repos.createWebhook({ ...at, config, events: ["push", "status"] });
    expect(hook).toMatchObject({
      status: 201,
      data: { events: ["push", "status"], active: true, config: { url: config.url } },
    });
    expect(JSON.stringify(hook.data)).not.toContain("s3cret");
    const hook_id = hook.data.id;
    expect((await octokit.rest.repos.listWebhooks(at)).data.map(({ id }) => id)).toEqual([hook_id]);
    expect((await octokit.rest.repos.updateWebhook({ ...at, hook_id, active: false })).data.active).toBe(false);
    expect((await octokit.rest.repos.deleteWebhook({ ...at, hook_id })).status).toBe(204);
    expect(await refusal(octokit.rest.repos.getWebhook({ ...at, hook_id }))).toMatchObject({ status: 404 });
    const form = { ...config, content_type: "form" };
    expect(await refusal(octokit.rest.repos.createWebhook({ ...at, config: form }))).toMatchObject({ status: 422 });
    const sha = String(commits[2]);
    expect((await octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: "main" })).data).toMatchObject({
      state: "pending",
      total_count: 0,
    });
    const status = await octokit.rest.repos.createCommitStatus({
      ...at,
      sha,
      state: "success",
      context: "ci",
      description: "well",
    });
    expect(status).toMatchObject({
      status: 201,
      data: { state: "success", context: "ci", creator: { login: "tenant:admin" } },
    });
    await octokit.rest.repos.createCommitStatus({ ...at, sha, state: "failure" });
    expect((await octokit.rest.repos.listCommitStatusesForRef({ ...at, ref: "main" })).data).toMatchObject([
      { context: "default", state: "failure" },
      { context: "ci", state: "success", id: status.data.id },
    ]);
    expect((await octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: sha })).data).toMatchObject({
      state: "failure",
      sha,
      total_count: 2,
    });
  });
});

describe("the facade", () => {
  const raw = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    await fetch(`${host.base}/api/v3${path}`, { headers });

  it("takes tokens in every way in which GitHub's clients send them", async () => {
    for (const Authorization of [
      `token ${token}`,
      `Bearer ${token}`,
      `Basic ${btoa(`x:${token}`)}`,
      `Basic ${btoa(`${token}:`)}`,
    ]) {
      const answer = await raw("/user", { Authorization });
      expect([answer.status, await answer.json()]).toEqual([
        200,
        expect.objectContaining({ login: "tenant:admin", type: "User" }),
      ]);
    }
    expect((await raw("/user")).status).toBe(401);
  });

  it("has tags that are asked for again, one version, and refusals that say what there is", async () => {
    const { repo } = await repository({ visibility: "public" });
    const answer = await raw(`/repos/acme/${repo}/git/ref/heads/main`);
    const etag = String(answer.headers.get("ETag"));
    expect((await raw(`/repos/acme/${repo}/git/ref/heads/main`, { "If-None-Match": etag })).status).toBe(304);
    expect((await raw("/", { "X-GitHub-Api-Version": "2022-11-28" })).status).toBe(200);
    expect((await raw("/", { "X-GitHub-Api-Version": "2019-01-01" })).status).toBe(400);
    expect((await raw("/rate_limit")).status).toBe(404);
    const nothing = await raw(`/repos/acme/${repo}/pulls`);
    expect([nothing.status, await nothing.json()]).toEqual([
      404,
      { message: "Not Found", documentation_url: "/docs/github-api.md", status: "404" },
    ]);
    const wrong = await fetch(`${host.base}/api/v3/repos/acme/${repo}/git/refs`, { method: "PUT" });
    expect([wrong.status, wrong.headers.get("Allow")]).toEqual([405, "GET, POST"]);
  });

  it("leads to the new name of a repository", async () => {
    const { repo } = await repository({ visibility: "public" });
    await operator("PATCH", `/repos/acme/${repo}`, { name: `${repo}-new` });
    const moved = await fetch(`${host.base}/api/v3/repos/acme/${repo}/branches`, { redirect: "manual" });
    expect([moved.status, moved.headers.get("Location")]).toEqual([
      308,
      `${host.base}/api/v3/repos/acme/${repo}-new/branches`,
    ]);
    expect((await octokit.rest.repos.listBranches({ owner: "acme", repo })).data).toHaveLength(2);
  });
});
