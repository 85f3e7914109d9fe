/**
 * What pages are for machines: JSON that is the API's, Markdown, and patches as git prints them.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { MARKDOWN_HEADERS } from "../../src/web/twins.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
let git: GitSandbox;
let work = "";

/** The pages below a repository, and what is behind `/api/v1` for each. */
const TWINS: readonly (readonly [string, string])[] = [
  ["", "/repos/acme/code"],
  ["/tree/main", "/repos/acme/code/tree/main"],
  ["/tree/a/b/src", "/repos/acme/code/tree/a/b/src"],
  ["/blob/main/data.json", "/repos/acme/code/blob/main/data.json"],
  ["/blame/main/src/a.c", "/repos/acme/code/blame/main/src/a.c"],
  ["/commits/a/b/src/a.c", "/repos/acme/code/commits?rev=a/b&path=src/a.c"],
  ["/commits/main?limit=1", "/repos/acme/code/commits?limit=1&rev=main"],
  ["/commits/main/src/moved.c?follow=1", "/repos/acme/code/commits?rev=main&path=src/moved.c&follow=true"],
  ["/activity/main/src", "/repos/acme/code/activity/main/src"],
  ["/commit/main~1", "/repos/acme/code/commits/main~1"],
  ["/compare/main~1...main", "/repos/acme/code/compare/main~1...main"],
  ["/branches", "/repos/acme/code/refs?prefix=refs/heads/"],
  ["/tags", "/repos/acme/code/refs?prefix=refs/tags/"],
  ["/search?q=int&path=src", "/repos/acme/code/search?q=int&path=src"],
  ["/search?q=src&in=names", "/repos/acme/code/files/HEAD?q=src"],
  ["/settings", "/repos/acme/code"],
  ["/settings/rules", "/repos/acme/code"],
  ["/settings/lfs", "/repos/acme/code"],
  ["/settings/keys", "/repos/acme/code/deploy-keys"],
  ["/settings/maintenance", "/repos/acme/code/maintenance"],
  ["/reflog", "/repos/acme/code/reflog"],
];

async function get(path: string, headers: Record<string, string> = {}): Promise<Response & { readonly body_: string }> {
  const answer = await fetch(host.base + path, { headers: { Authorization: "Bearer test-token", ...headers } });
  return Object.assign(answer, { body_: await answer.text() });
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("twins");
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/code", { visibility: "public" });
  await operator("PUT", "/repos/acme/hidden");
  work = await git.init();
  await git.commit(work, "README.md", "# Title\n\n*text*\n", "first");
  await git.commit(work, "data.json", '{"a":1}\n', "data");
  await git.commit(work, "src/a.c", "int a;\nint b;\nint c;\n", "code");
  await git.ok(["branch", "a/b"], { cwd: work });
  await git.ok(["mv", "src/a.c", "src/moved.c"], { cwd: work });
  await git.ok(["commit", "-q", "-m", "moved"], { cwd: work });
  await git.commit(work, "src/a.c", "int x;\n", "another");
  await git.ok(["tag", "v1"], { cwd: work });
  await git.ok(["branch", "odd.patch", "main~1"], { cwd: work });
  const url = withToken(`${host.base}/acme/code.git`, "test-token");
  await git.ok(["push", "-q", url, "main", "a/b", "odd.patch", "v1"], { cwd: work });
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("the JSON of a page", () => {
  it.each(TWINS)("at %s is the API's %s", async (path, api) => {
    const expected = await get(`/api/v1${api}`);
    expect(expected.status).toBe(200);
    const asked = await get(`/acme/code${path}`, { Accept: "application/json" });
    expect([asked.status, asked.headers.get("Content-Type")]).toEqual([200, "application/json"]);
    expect(asked.headers.get("Vary")).toContain("Accept");
    const [before = "", query] = path.split("?");
    const named = await get(`/acme/code${before}.json${query === undefined ? "" : `?${query}`}`);
    // The cursor of a page names itself in a link, but the bodies are the same.
    for (const answer of [asked, named]) expect(answer.body_).toBe(expected.body_);
  });

  it.each([
    ["/acme", "/tenants/acme/repos"],
    ["/-/admin", "/tenants"],
    ["/acme/-/tokens", "/tenants/acme/tokens"],
    ["/acme/-/ssh-keys", "/tenants/acme/ssh-keys"],
  ])("at %s is the API's %s", async (path, api) => {
    const expected = await get(`/api/v1${api}`);
    expect((await get(path, { Accept: "application/json" })).body_).toBe(expected.body_);
    expect((await get(`${path}.json`)).body_).toBe(expected.body_);
  });

  it("is that of the whole name where there is one", async () => {
    expect((await get("/acme/code/blob/main/data.json")).headers.get("Content-Type")).toContain("text/html");
    const { content } = JSON.parse((await get("/acme/code/blob/main/data.json.json")).body_) as { content: string };
    expect(content).toBe('{"a":1}\n');
    const missing = await get("/acme/code/blob/main/data.json.json.json");
    expect(missing.status).toBe(404);
  });

  it.each([
    "/commits/main?after=x",
    "/commits/main/src/a.c?follow=1&at=src/a.c&after=x",
    "/branches?q=a",
    "/tags?after=a",
  ])("is refused at %s rather than that of another page", async (path) => {
    const answer = await get(`/acme/code${path}`, { Accept: "application/json" });
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([422, "application/problem+json"]);
  });

  it("is not that of a shorter name where a page of a log has no commit", async () => {
    const [tip = "", first = ""] = [
      await git.ok(["rev-parse", "main"], { cwd: work }),
      await git.ok(["rev-list", "--max-parents=0", "main"], { cwd: work }),
    ].map((each) => each.trim());
    const answer = await get(`/acme/code/commits/main/data.json?after=${tip}-1-0-${first}`);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(answer.body_).toContain("No commit was found");
  });

  it("tells a stranger nothing of what is private", async () => {
    for (const path of [
      "/acme/hidden.json",
      "/acme/hidden/branches.json",
      "/acme/none.json",
      "/acme/none/branches.json",
    ]) {
      const answer = await fetch(host.base + path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    }
  });
});

describe("the Markdown of a page", () => {
  it.each([
    ["", "## Files"],
    ["/blob/main/src/a.c", "    int x;"],
    ["/blame/main/src/moved.c", "int b;"],
    ["/commits/main", "[another](/acme/code/commit/"],
    ["/commit/main", "# another"],
    ["/compare/main~1...main", "- added: src/a\\.c"],
    ["/activity/main", "## Activity of main"],
    ["/branches", "[a/b](/acme/code/tree/a/b)"],
    ["/tags", "[v1](/acme/code/tree/v1)"],
    ["/search?q=int", "int x;"],
    ["/settings", "## General"],
    ["/reflog", "Who moved what"],
  ])("at %s says what the page does", async (path, text) => {
    const answer = await get(`/acme/code${path}`, { Accept: "text/markdown" });
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "text/markdown; charset=utf-8"]);
    expect(answer.headers.get("Content-Security-Policy")).toBe("default-src 'none'; sandbox");
    expect(answer.body_).toContain(text);
    expect(answer.body_).not.toMatch(/<(?:a|p|td|form)\b/);
  });

  it("of a document is the document", async () => {
    const answer = await get("/acme/code/blob/main/README.md", { Accept: "text/markdown" });
    expect([answer.status, answer.body_]).toEqual([200, "# Title\n\n*text*\n"]);
    for (const [header, value] of Object.entries(MARKDOWN_HEADERS)) expect(answer.headers.get(header)).toBe(value);
  });

  it("of a document comes in parts, and not to those who have it", async () => {
    const path = "/acme/code/blob/main/README.md";
    const markdown = { Accept: "text/markdown" };
    const whole = await get(path, markdown);
    const known = await get(path, { ...markdown, "If-None-Match": whole.headers.get("ETag") ?? "" }); // It has one.
    expect([known.status, known.body_]).toEqual([304, ""]);
    const part = await get(path, { ...markdown, Range: "bytes=0-6" });
    expect([part.status, part.body_]).toEqual([206, "# Title"]);
    expect((await get(path, { ...markdown, Range: "bytes=5000-" })).status).toBe(416);
  });

  it.each(["", "/blob/main/README.md", "/blob/main/src/a.c", "/commit/main", "/branches", "/search?q=int"])(
    "at %s has a tag of its own",
    async (path) => {
      const markdown = { Accept: "text/markdown" };
      const tagOf = async (headers: Record<string, string>): Promise<string> => {
        return (await get(`/acme/code${path}`, headers)).headers.get("ETag") ?? ""; // Without one nothing is equal below.
      };
      const [page, twin] = [await tagOf({ Accept: "text/html" }), await tagOf(markdown)];
      const ask = async (tag: string): Promise<number> => {
        return (await get(`/acme/code${path}`, { ...markdown, "If-None-Match": tag })).status;
      };
      expect([twin === page, await ask(page), await ask(twin)]).toEqual([false, 200, 304]);
      const raw = await get(path.replace("/blob/", "/acme/code/raw/"));
      expect(raw.headers.get("ETag")).not.toBe(twin);
    },
  );

  it("says what is missing", async () => {
    const answer = await get("/acme/code/tree/none", { Accept: "text/markdown" });
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([404, "text/markdown; charset=utf-8"]);
    expect(answer.body_).toContain("# There is nothing here");
  });
});

describe("the menus of a page without a script", () => {
  it("lead to lists of branches and tags that lead back to its path", async () => {
    const page = await get("/acme/code/commits/main/src");
    expect(page.body_).toContain('href="/acme/code/branches?to=commits&amp;path=src"');
    const list = await get("/acme/code/branches?to=commits&path=src");
    expect(list.body_).toContain('<a href="/acme/code/commits/a/b/src"><bdi>a/b</bdi></a>');
    const odd = await get("/acme/code/tags?to=tree&path=%25FF%2520x");
    expect(odd.body_).toContain('<a href="/acme/code/tree/v1/%FF%20x"><bdi>v1</bdi></a>');
    expect((await get("/acme/code/tags?to=settings")).body_).toContain(
      '<a href="/acme/code/tree/v1"><bdi>v1</bdi></a>',
    );
  });
});

describe("the patches of a page, and of the API", () => {
  it.each([
    ["/acme/code/compare/a/b...main.diff", ["diff", "--full-index", "-M", "a/b...main"]],
    [
      "/acme/code/compare/a/b...main.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "a/b..main"],
    ],
    [
      "/acme/code/commit/main.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "-1", "main"],
    ],
    ["/api/v1/repos/acme/code/compare/a/b...main.diff", ["diff", "--full-index", "-M", "a/b...main"]],
    ["/api/v1/repos/acme/code/diff/a/b..main.diff", ["diff", "--full-index", "-M", "a/b..main"]],
    [
      "/api/v1/repos/acme/code/diff/a/b..main.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "a/b..main"],
    ],
    [
      "/api/v1/repos/acme/code/compare/a/b...main.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "a/b..main"],
    ],
    ["/api/v1/repos/acme/code/commits/main.diff", ["diff", "--full-index", "-M", "main~1", "main"]],
    [
      "/api/v1/repos/acme/code/commits/main.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "-1", "main"],
    ],
    [
      "/acme/code/commit/main~1.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "-1", "main~1"],
    ],
    ["/acme/code/commit/odd.patch.diff", ["diff", "--full-index", "-M", "main~2", "main~1"]],
    ["/acme/code/compare/main~2...odd.patch.diff", ["diff", "--full-index", "-M", "main~2...main~1"]],
    [
      "/api/v1/repos/acme/code/commits/main~1.patch",
      ["format-patch", "--stdout", "--full-index", "--signature=thinpack", "-1", "main~1"],
    ],
    ["/api/v1/repos/acme/code/compare/main~2...main^.diff", ["diff", "--full-index", "-M", "main~2...main^"]],
    ["/api/v1/repos/acme/code/diff/main~2..main^.diff", ["diff", "--full-index", "-M", "main~2..main^"]],
  ])("at %s are git's", async (path, args) => {
    const { status, body_ } = await get(path);
    const expected = (await git.bytes(args, { cwd: work })).toString();
    expect(expected).not.toBe("");
    expect([status, body_]).toEqual([200, expected]);
  });

  it.each(["/commit/odd.patch", "/compare/main~2...odd.patch"])(
    "are not what %s is: a branch has that name",
    async (path) => {
      const { status, headers } = await get(`/acme/code${path}`);
      expect([status, headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    },
  );

  it.each(["/commit/main~~x.patch", "/commit/none.patch"])("are not at %s", async (path) => {
    expect((await get(`/acme/code${path}`)).status).toBe(path.includes("none") ? 404 : 422);
  });

  it("make git am take the commits over", async () => {
    const { body_ } = await get("/acme/code/compare/a/b...main.patch");
    await git.ok(["checkout", "-q", "-b", "taken", "a/b"], { cwd: work });
    await git.ok(["am", "-q"], { cwd: work, input: body_ });
    expect(await git.ok(["rev-parse", "HEAD^{tree}"], { cwd: work })).toBe(
      await git.ok(["rev-parse", "main^{tree}"], { cwd: work }),
    );
  });
});
