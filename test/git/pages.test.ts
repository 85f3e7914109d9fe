/**
 * The pages of a repository, as a browser asks for them: what is pushed is shown, what is hostile is harmless, and a visitor signs in.
 *
 * @packageDocumentation
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const SCRIPT = "<script>alert(1)</script>";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let work = "";
let tip = "";

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(work, path)), { recursive: true });
  writeFileSync(join(work, path), content);
}

/** An answer's status, text and headers. Redirects are not followed. */
async function page(path: string, headers: Record<string, string> = {}): Promise<Response & { readonly html: string }> {
  const answer = await fetch(host.base + path, { headers: { Accept: "text/html", ...headers }, redirect: "manual" });
  return Object.assign(answer, { html: await answer.text() });
}

async function form(
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(host.base + path, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: String(new URLSearchParams(fields)),
    redirect: "manual",
  });
}

function cookieOf(answer: Response): string {
  return (answer.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("pages");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/shown", { visibility: "public", description: `About ${SCRIPT}` });
  await operator("PUT", "/repos/acme/hidden");
  work = await git.init();
  write("README.md", `# Title\n\nSee [the code](src/main.c) and ![logo](logo.png).\n\n${SCRIPT}\n`);
  write("src/main.c", `int main(void) { return 0; } /* ${SCRIPT} */\n`);
  write("src/deep/er/x.txt", "deep\n");
  write("logo.png", PNG);
  write("evil.svg", `<svg xmlns="http://www.w3.org/2000/svg">${SCRIPT}</svg>`);
  write("evil.html", `<!doctype html>${SCRIPT}`);
  write("binary", Buffer.from([0, 1, 2, 3]));
  write('odd "name" <b>&.txt', "odd\n");
  write("\u202Egnp.exe", "turned\n");
  await git.ok(["add", "-A"], { cwd: work });
  await git.ok(["commit", "-q", "-m", `First ${SCRIPT}\n\nThe body <b>is</b> long.`], { cwd: work });
  await git.ok(["mv", "src/main.c", "src/other.c"], { cwd: work });
  write("src/new.c", "int x;\n");
  await git.ok(["add", "-A"], { cwd: work });
  await git.ok(["commit", "-q", "-m", "Second"], { cwd: work });
  await git.ok(["tag", "-a", "v1", "-m", "one"], { cwd: work });
  await git.ok(["branch", "a/b<c>&d"], { cwd: work });
  tip = await git.ok(["rev-parse", "HEAD"], { cwd: work });
  for (const repo of ["shown", "hidden"]) {
    await git.ok(["push", "-q", "--all", withToken(`${host.base}/acme/${repo}.git`, "test-token")], { cwd: work });
    await git.ok(["push", "-q", "--tags", withToken(`${host.base}/acme/${repo}.git`, "test-token")], { cwd: work });
  }
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("the pages of a public repository", () => {
  it("show its files, and its README with links that lead into it", async () => {
    const { status, html, headers } = await page("/acme/shown");
    expect(status).toBe(200);
    expect(headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(html).toContain('<a href="/acme/shown/tree/HEAD/src"><bdi>src</bdi>/</a>');
    expect(html).toContain('href="/acme/shown/blob/HEAD/src/main.c"');
    expect(html).toContain('<img src="/acme/shown/raw/HEAD/logo.png" alt="logo"');
    expect(html.indexOf("<bdi>src</bdi>/")).toBeLessThan(html.indexOf("<bdi>README.md</bdi>"));
  });

  it("show directories, files, commits and refs", async () => {
    expect((await page("/acme/shown/tree/main/src/deep")).html).toContain('href="/acme/shown/tree/main/src/deep/er"');
    const file = await page("/acme/shown/blob/main/src/other.c");
    expect(file.html).toContain('<a id="L1" href="#L1" tabindex="-1">1</a>');
    expect(file.html).toContain('<span class="hljs-type">int</span>');
    const commits = await page("/acme/shown/commits/main");
    expect(commits.html.indexOf("Second")).toBeLessThan(commits.html.indexOf("First"));
    const commit = await page("/acme/shown/commit/main");
    expect(commit.html).toContain(tip);
    expect(commit.html).toContain("<bdi>src/main.c</bdi> &rarr; <bdi>src/other.c</bdi>");
    expect(commit.html).toContain('<td class="l"><span class="sign">+</span>int x;</td>');
    expect((await page("/acme/shown/branches")).html).toContain("/acme/shown/tree/a/b%3Cc%3E%26d");
    expect((await page("/acme/shown/tree/a/b%3Cc%3E%26d/src")).status).toBe(200);
    expect((await page("/acme/shown/tags")).html).toContain("/acme/shown/tree/v1");
    expect((await page("/acme/shown/commits/main/src/new.c")).html).not.toContain("First");
  });

  it("show differences as git does, in one column or two, and as text", async () => {
    for (const range of [
      ["main~1", "main"],
      ["main", "a/b<c>&d"],
    ] as const) {
      const [before, after] = range.map((name) => encodeURIComponent(name).replaceAll("%2F", "/"));
      const text = await page(`/acme/shown/compare/${before}...${after}.diff`);
      expect(text.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
      const expected = await git.git(["diff", "--full-index", "-M", `${range[0]}...${range[1]}`], { cwd: work });
      expect(text.html).toBe(expected.stdout);
    }
    const compared = await page("/acme/shown/compare/main~1...main?view=split");
    expect(compared.html).toContain("1 commit ahead.");
    expect(compared.html).toContain('<table class="split">');
    expect((await page("/acme/shown/commit/main.diff")).html).toContain("rename from src/main.c");
    const mail = await page("/acme/shown/commit/main.patch");
    const wanted = await git.git(["format-patch", "-1", "--stdout", "--full-index", "main"], { cwd: work });
    const withoutVersion = (text: string): string => text.replace(/-- \n.*\n\n$/, "");
    expect(withoutVersion(mail.html)).toBe(withoutVersion(wanted.stdout));
    expect((await page("/acme/shown/compare/main~1...none")).status).toBe(404);
  });

  it("show what changed each entry last, and where each line comes from", async () => {
    const { html } = await page("/acme/shown/tree/main/src");
    const [, second = ""] = /<bdi>new\.c<\/bdi>.*?commit\/([0-9a-f]{40})/s.exec(html) ?? [];
    const [, first = ""] = /<bdi>deep<\/bdi>.*?commit\/([0-9a-f]{40})/s.exec(html) ?? [];
    expect([first, second]).toEqual([await git.ok(["rev-parse", "HEAD~1"], { cwd: work }), tip]);
    const blame = await page("/acme/shown/blame/main/src/other.c");
    expect(blame.html).toContain(`<a href="/acme/shown/commit/${first}" title="First &lt;script&gt;`);
    expect((await page("/acme/shown/blame/main/src")).status).toBe(422);
    const branch = await git.init();
    for (const text of ["a {\nb\n}\n", "a {\n  b\n}\n"]) {
      writeFileSync(join(branch, "f"), text);
      await git.ok(["add", "f"], { cwd: branch });
      await git.ok(["commit", "-q", "-m", "change"], { cwd: branch });
    }
    await operator("PUT", "/repos/acme/spaced", { visibility: "public" });
    await git.ok(["push", "-q", withToken(`${host.base}/acme/spaced.git`, "test-token"), "HEAD:main"], { cwd: branch });
    const commits = async (path: string): Promise<number> =>
      new Set((await page(path)).html.match(/spaced\/commit\/[0-9a-f]{40}" title/g)).size;
    expect(await commits("/acme/spaced/blame/main/f")).toBe(2);
    expect(await commits("/acme/spaced/blame/main/f?w=1")).toBe(1);
  });

  it("find lines and files, and lead to them", async () => {
    const all = await page("/acme/shown/search?q=int&rev=main");
    expect(all.html).toContain('<a href="/acme/shown/blob/main/src/other.c?plain=1#L1">1</a>');
    expect(all.html).toContain("int main(void) { return 0; } /* &lt;script&gt;");
    expect(all.html).toContain("<bdi>src/new.c</bdi>");
    const one = await page("/acme/shown/search?q=%5Eint+.;$&regexp=true");
    expect(one.html).not.toContain("src/other.c");
    expect(one.html).toContain("src/new.c");
    expect((await page("/acme/shown/search?q=int&path=src/new.c")).html).not.toContain("src/other.c");
    const names = await page("/acme/shown/search?q=SRC+.c&in=names");
    expect(names.html).toContain('<a href="/acme/shown/blob/HEAD/src/new.c"><bdi>src/new.c</bdi></a>');
    expect(names.html).not.toContain("README.md");
    const wrong = await page(`/acme/shown/search?regexp=true&q=${encodeURIComponent(`(${SCRIPT}`)}`);
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain("a ( has no ) behind it");
    expect((await page("/acme/shown/search?q=x&rev=none")).status).toBe(404);
    expect((await page("/acme/hidden/search?q=x")).status).toBe(404);
  });

  it("are Markdown where a client asks for it", async () => {
    const Accept = "text/markdown";
    const tree = await page("/acme/shown", { Accept });
    expect([tree.status, tree.headers.get("Content-Type")]).toEqual([200, "text/markdown; charset=utf-8"]);
    expect(tree.headers.get("Content-Security-Policy")).toBe("default-src 'none'; sandbox");
    expect(tree.html).toContain("- [src/](/acme/shown/tree/HEAD/src)\n");
    expect(tree.html).toContain(String.raw`\<script\>alert\(1\)`);
    expect(tree.html).toContain(`git clone ${host.base}/acme/shown.git`);
    expect(tree.html).toContain("# Title\n\nSee [the code](src/main.c)");
    expect((await page("/acme/shown/tree/main/src", { Accept })).html).toContain(String.raw`[new\.c](`);
    const commit = await page("/acme/shown/commit/main", { Accept });
    expect(commit.html).toContain(`- Commit: \`${tip}\``);
    expect(commit.html).toContain(String.raw`- renamed: src/main\.c to src/other\.c`);
    expect((await page("/acme/shown/commit/main~1", { Accept })).html).toContain("    The body <b>is</b> long.");
    expect((await page("/acme/shown", { Accept: "text/html, text/markdown" })).html).toContain("<!doctype html>");
    expect((await page("/acme/hidden", { Accept })).status).toBe(404);
  });

  it("give archives, to those who may read", async () => {
    const answer = await fetch(`${host.base}/acme/shown/archive/main.tar`);
    expect(Buffer.from(await answer.arrayBuffer()).includes("int x;\n")).toBe(true);
    expect((await page("/acme/hidden/archive/main.tar")).status).toBe(404);
  });

  it("lead from one kind of page to the right one", async () => {
    const redirects: readonly (readonly [string, string])[] = [
      ["/acme/shown.git", "/acme/shown"],
      ["/acme/shown/tree/main/README.md", "/acme/shown/blob/main/README.md"],
      ["/acme/shown/blob/main/src", "/acme/shown/tree/main/src"],
      ["/acme/shown/tree?go=v1&path=src%252Fdeep", "/acme/shown/tree/v1/src/deep"],
    ];
    for (const [from, to] of redirects) {
      const { status, headers } = await page(from);
      expect([status, headers.get("Location")]).toEqual([302, to]);
    }
  });

  it("have feeds that are XML", async () => {
    const commits = await page("/acme/shown/feed/commits");
    expect(commits.headers.get("Content-Type")).toBe("application/atom+xml; charset=utf-8");
    expect(commits.html).toContain(`<link href="${host.base}/acme/shown/commit/${tip}"/>`);
    expect((await page("/acme/shown/feed/tags")).html).toContain("<title>v1</title>");
  });

  it("let nothing run that an author wrote", async () => {
    const paths = [
      "",
      "/tree/main",
      "/blob/main/README.md",
      "/blob/main/README.md?plain=1",
      "/blob/main/evil.svg",
      "/blob/main/evil.html",
      "/blob/main/src/other.c",
      "/commits/main",
      "/commit/main~1",
      "/search?q=%3Cscript",
      "/search?q=%22&in=names",
      "/branches",
      "/blob/main/odd%20%22name%22%20%3Cb%3E%26.txt",
    ];
    for (const path of paths) {
      const { status, html, headers } = await page(`/acme/shown${path}`);
      expect(status, `the page ${path}`).toBe(200);
      const own = html.replace('<script src="/-/assets/pages.js" defer=""></script>', "");
      expect(own, `the page ${path}`).not.toContain("<script");
      expect(own, `the page ${path}`).not.toMatch(/<b>(?:&|is)/);
      expect(headers.get("Content-Security-Policy")).toContain(`script-src ${host.base}/-/assets/;`);
    }
  });

  it("send files as they are, in a sandbox", async () => {
    const types: readonly (readonly [string, string])[] = [
      ["logo.png", "image/png"],
      ["evil.svg", "image/svg+xml"],
      ["evil.html", "text/plain; charset=utf-8"],
      ["binary", "application/octet-stream"],
    ];
    for (const [path, type] of types) {
      const { headers } = await page(`/acme/shown/raw/main/${path}`);
      expect(headers.get("Content-Type")).toBe(type);
      expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; sandbox");
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    }
  });

  it("stay small, however long a message is", async () => {
    const branch = await git.init();
    for (let i = 0; i < 50; i++) writeFileSync(join(branch, `f${i}`), "x\n");
    await git.ok(["add", "-A"], { cwd: branch });
    await git.ok(["commit", "-q", "-F", "-"], { cwd: branch, input: "x".repeat(200_000) });
    await operator("PUT", "/repos/acme/long", { visibility: "public" });
    await git.ok(["push", "-q", withToken(`${host.base}/acme/long.git`, "test-token"), "HEAD:main"], { cwd: branch });
    for (const path of ["", "/commits/main", "/commit/main", "/blame/main/f1", "/feed/commits", "/branches"]) {
      const { status, html } = await page(`/acme/long${path}`);
      expect([path, status, html.length < 60_000]).toEqual([path, 200, true]);
    }
  });

  it("are sent once to a browser that keeps them", async () => {
    const { headers } = await page("/acme/shown/tree/main/src");
    const etag = headers.get("ETag") ?? "";
    expect(headers.get("Cache-Control")).toBe("public, no-cache");
    expect((await page("/acme/shown/tree/main/src", { "If-None-Match": etag })).status).toBe(304);
  });

  it("are rendered once for everybody, and anew for what has changed", async () => {
    await operator("PUT", "/repos/acme/kept-pages", { visibility: "public" });
    const url = withToken(`${host.base}/acme/kept-pages.git`, "test-token");
    await git.ok(["push", "-q", url, "main"], { cwd: work });
    for (const path of ["", "/tree/main/src", "/blob/main/src/new.c", "/blame/main/src/new.c", "/commits/main"]) {
      const first = (await page(`/acme/kept-pages${path}`)).html;
      const again = async (): Promise<[string | null, string]> => {
        const { headers, html } = await page(`/acme/kept-pages${path}`);
        return [headers.get("Cache-Status"), html];
      };
      await expect.poll(again, { timeout: WAIT_LIMIT }).toEqual(["thinpack; hit", first]);
    }
    const commit = await page("/acme/kept-pages/commit/main");
    const etag = commit.headers.get("ETag") ?? "";
    expect((await page("/acme/kept-pages/commit/main", { "If-None-Match": etag })).status).toBe(304);
    await operator("PATCH", "/repos/acme/kept-pages", { description: "Another one" });
    expect((await page("/acme/kept-pages")).html).toContain("Another one");
    await operator("PATCH", "/repos/acme/kept-pages", { visibility: "private" });
    expect((await page("/acme/kept-pages")).status).toBe(404);
    expect((await page("/acme/kept-pages/commit/main", { "If-None-Match": etag })).status).toBe(404);
  });

  it("say what is missing, in git's words for a program", async () => {
    const missing = await page("/acme/shown/tree/none");
    expect(missing.status).toBe(404);
    expect(missing.html).toContain("There is no revision &quot;none&quot;.");
    const json = await page("/acme/shown/tree/none", { Accept: "application/json" });
    expect(json.headers.get("Content-Type")).toBe("application/problem+json");
  });
});

describe("signing in", () => {
  it("shows a private repository until the token is revoked", async () => {
    const hidden = await page("/acme/hidden");
    expect(hidden.status).toBe(404);
    expect(hidden.headers.get("WWW-Authenticate")).toBeNull();
    expect(hidden.html).toContain('href="/-/login?to=%2Facme%2Fhidden"');
    const token = await issueToken(operator, "acme", "repo:read");
    const answer = await form("/-/login", { token, to: "/acme/hidden" });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/acme/hidden"]);
    expect(answer.headers.get("Set-Cookie")).toMatch(
      /^__Host-thinpack=[\w-]+; .*Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    );
    const Cookie = cookieOf(answer);
    expect(Cookie).not.toContain(token);
    const shown = await page("/acme/hidden", { Cookie });
    expect(shown.status).toBe(200);
    expect(shown.headers.get("Cache-Control")).toBe("private, no-cache");
    expect((await page("/acme", { Cookie })).html).toContain('href="/acme/hidden"');
    expect((await page("/", { Cookie })).html).toContain('href="/acme/hidden"');
    // The cookie is for pages alone.
    expect((await page("/api/v1/repos/acme/hidden", { Cookie })).status).toBe(401);
    expect((await page("/acme/hidden.git/info/refs?service=git-upload-pack", { Cookie })).status).toBe(401);
    const { body } = await operator("GET", "/tenants/acme/tokens");
    for (const { id } of body["tokens"] as { id: string }[]) await operator("DELETE", `/tenants/acme/tokens/${id}`);
    const ended = await page("/acme/hidden", { Cookie });
    expect([ended.status, cookieOf(ended)]).toEqual([404, "__Host-thinpack="]);
  });

  it("is asked of nobody who brings a token, and no shared cache keeps what they see", async () => {
    const { status, headers } = await page("/acme/shown", { Authorization: "Bearer test-token" });
    expect([status, headers.get("Cache-Control")]).toEqual([200, "private, no-cache"]);
  });

  it("refuses what is no token, and leads to no other host", async () => {
    expect((await form("/-/login", { token: "nonsense" })).status).toBe(403);
    for (const to of ["//evil.example", "https://evil.example", "/\\evil.example", "/-/logout"]) {
      const answer = await form("/-/login", { token: "test-token", to });
      expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/"]);
    }
  });

  it("takes no cookie that was not made here, and no form from elsewhere", async () => {
    const answer = await form("/-/login", { token: "test-token" });
    const Cookie = cookieOf(answer);
    expect((await page("/acme/hidden", { Cookie })).status).toBe(200);
    expect((await page("/acme/hidden", { Cookie: `${Cookie.slice(0, -2)}xx` })).status).toBe(404);
    expect((await form("/-/logout", {}, { Cookie })).status).toBe(403);
    const foreign = await form("/-/login", { token: "test-token" }, { "Sec-Fetch-Site": "cross-site" });
    expect(foreign.status).toBe(403);
    const { html } = await page("/acme/hidden", { Cookie });
    const [, token = ""] = /name="form" value="([\w-]+)"/.exec(html) ?? [];
    const out = await form("/-/logout", { form: token }, { Cookie });
    expect([out.status, cookieOf(out)]).toEqual([303, "__Host-thinpack="]);
  });
});

describe("the operator's page", () => {
  const paths = ["/-/admin", "/-/admin/"];

  it.each(paths)("shows the deployment at %s", async (path) => {
    const Cookie = cookieOf(await form("/-/login", { token: "test-token" }));
    const { status, html, headers } = await page(path, { Cookie });
    expect([status, headers.get("Cache-Control")]).toEqual([200, "private, no-cache"]);
    const health: { readonly version: string } = JSON.parse((await page("/healthz")).html);
    expect(html).toContain(`thinpack ${health.version}.`);
    expect(html).toContain('<a href="/acme"><bdi>acme</bdi></a>');
    expect(html).toMatch(/<svg role="img" aria-label="Pushes: at most \d+, \d{4}-/);
    expect(html).toMatch(/<dt>Together<\/dt><dd>\$\d+\.\d+<\/dd>/);
    expect(html).toContain("thinpack-maintenance");
    expect(html).toContain("No mirror of those that were asked for fails.");
  });

  it("names the mirrors that fail", async () => {
    await operator("PUT", "/repos/acme/failing");
    // Nothing answers there.
    await operator("PUT", "/repos/acme/failing/mirror", { upstream: "https://failing.invalid/x.git", interval: 0 });
    const Cookie = cookieOf(await form("/-/login", { token: "test-token" }));
    const shown = async (): Promise<string> => (await page("/-/admin", { Cookie })).html;
    await expect.poll(shown, { timeout: WAIT_LIMIT }).toContain('href="/acme/failing/settings/mirror"');
    await operator("DELETE", "/repos/acme/failing");
  });

  it("is missing to everybody else", async () => {
    const admin = cookieOf(await form("/-/login", { token: await issueToken(operator, "acme", "tenant:admin") }));
    for (const path of paths) {
      for (const headers of [{}, { Cookie: admin }, { Authorization: "Bearer nonsense" }]) {
        const { status, html } = await page(path, headers);
        expect([path, status]).toEqual([path, 404]);
        expect(html).not.toContain("thinpack-maintenance");
      }
    }
  });
});

describe("settings", () => {
  /** Signs the operator in. Returns a function that sends a form of a page, with what its forms carry. */
  async function signedIn(): Promise<{
    readonly Cookie: string;
    readonly send: (path: string, fields: Record<string, string>) => Promise<Response>;
  }> {
    const Cookie = cookieOf(await form("/-/login", { token: "test-token" }));
    const [, own = ""] = /name="form" value="([\w-]+)"/.exec((await page("/", { Cookie })).html) ?? [];
    return { Cookie, send: async (path, fields) => await form(path, { form: own, ...fields }, { Cookie }) };
  }

  it("are changed by forms, as the API would change them", async () => {
    await operator("PUT", "/repos/acme/kept");
    const { Cookie, send } = await signedIn();
    const settings = "/acme/kept/settings";
    const saved = await send(settings, {
      action: "save",
      description: "New <words>",
      visibility: "public",
      default_branch: "trunk",
      knows_read_only: "1",
    });
    expect([saved.status, saved.headers.get("Location")]).toEqual([303, settings]);
    const { body } = await operator("GET", "/repos/acme/kept");
    expect(body).toMatchObject({ description: "New <words>", visibility: "public", default_branch: "trunk" });
    await send(settings, { action: "add-hook", url: "https://example.com/hook", events: "push" });
    const { html } = await page(settings, { Cookie });
    expect(html).toContain('value="New &lt;words&gt;"');
    expect(html).toContain("<bdi>https://example.com/hook</bdi>");
    const [, id = ""] = /name="hook" value="(\w+)"/.exec(html) ?? [];
    await send(settings, { action: "remove-hook", hook: id });
    expect((await operator("GET", "/repos/acme/kept/hooks")).body).toEqual({ hooks: [] });
    const refused = await send(settings, { action: "add-hook", url: "http://127.0.0.1/", events: "push" });
    expect(refused.status).toBe(422);
    expect((await operator("GET", "/tenants/acme/audit")).body["entries"]).not.toEqual([]);
  });

  it("protect refs, and change no rules but those that were shown", async () => {
    await operator("PUT", "/repos/acme/ruled");
    const { Cookie, send } = await signedIn();
    const shown = async (): Promise<{ readonly html: string; readonly tag: string }> => {
      const { html } = await page("/acme/ruled/settings/rules", { Cookie });
      const [, tag = ""] = /name="tag" value="([^"]*)"/.exec(html.replaceAll("&quot;", "'")) ?? [];
      return { html, tag: tag.replaceAll("'", '"') };
    };
    const before = (await shown()).tag;
    const lists = { pushers: "ci, bot", required_contexts: "ci/build lint" };
    const add = { action: "add-rule", pattern: "release/*", ...lists, allow_deletion: "1" };
    const added = await send("/acme/ruled/settings", { ...add, tag: before });
    expect([added.status, added.headers.get("Location")]).toEqual([303, "/acme/ruled/settings/rules"]);
    const rules = async (): Promise<unknown> => (await operator("GET", "/repos/acme/ruled")).body["protected"];
    const wanted = { allow_deletion: true, pushers: ["ci", "bot"], required_contexts: ["ci/build", "lint"] };
    expect(await rules()).toMatchObject([{ ...wanted, pattern: expect.stringContaining("release/*") as string }]);
    const stale = await send("/acme/ruled/settings", { action: "remove-rule", rule: "0", tag: before });
    expect(stale.status).toBe(412);
    const { html, tag } = await shown();
    expect(html).toContain("release/*</bdi>");
    expect((await send("/acme/ruled/settings", { action: "add-rule", pattern: "a..b", tag })).status).toBe(422);
    expect((await send("/acme/ruled/settings", { action: "remove-rule", rule: "0", tag })).status).toBe(303);
    expect(await rules()).toEqual([]);
  });

  it("make a mirror, change what it follows, and stop it", async () => {
    await operator("PUT", "/repos/acme/copied");
    const { Cookie, send } = await signedIn();
    const settings = "/acme/copied/settings";
    expect((await page(`${settings}/mirror`, { Cookie })).html).toContain("Make it a mirror");
    const upstream = "https://example.com/a/b.git";
    const made = await send(settings, { action: "save-mirror", upstream, interval: "0", policy: "keep" });
    expect([made.status, made.headers.get("Location")]).toEqual([303, `${settings}/mirror`]);
    const { body } = await operator("GET", "/repos/acme/copied/mirror");
    expect(body).toMatchObject({ upstream, interval: 0, policy: "keep" });
    const { html } = await page(`${settings}/mirror`, { Cookie });
    expect(html).toContain(`value="${upstream}"`);
    expect(html).toContain("Sync now");
    const wrong = { action: "save-mirror", upstream, interval: "-5", policy: "keep" };
    expect((await send(settings, wrong)).status).toBe(422);
    expect((await send(settings, { action: "stop-mirror", confirm: "other" })).status).toBe(422);
    expect((await send(settings, { action: "stop-mirror", confirm: "copied" })).status).toBe(303);
    expect((await operator("GET", "/repos/acme/copied/mirror")).status).toBe(404);
  });

  it("show what Git LFS has and who locked what, and unlock it", async () => {
    await operator("PUT", "/repos/acme/large");
    const { Cookie, send } = await signedIn();
    const settings = "/acme/large/settings";
    const saved = { action: "save-lfs", require_lfs_objects: "1", lfs_above: "4096" };
    expect((await send(settings, saved)).status).toBe(303);
    expect((await operator("GET", "/repos/acme/large")).body).toMatchObject({ require_lfs_objects: true, lfs_above: 4096 }); // prettier-ignore
    expect((await send(settings, { ...saved, lfs_above: "x" })).status).toBe(422);
    const locked = await fetch(`${host.base}/acme/large.git/info/lfs/locks`, {
      method: "POST",
      headers: { Authorization: "Bearer test-token", "Content-Type": "application/vnd.git-lfs+json" },
      body: JSON.stringify({ path: "a <b>.psd" }),
    });
    expect(locked.status).toBe(201);
    const { html } = await page(`${settings}/lfs`, { Cookie });
    expect(html).toContain("<bdi>a &lt;b&gt;.psd</bdi>");
    const [, lock = ""] = /name="lock" value="([^"]+)"/.exec(html) ?? [];
    expect((await send(settings, { action: "unlock", lock: "../verify" })).status).toBe(404);
    expect((await send(settings, { action: "unlock", lock })).status).toBe(303);
    expect((await page(`${settings}/lfs`, { Cookie })).html).toContain("No file is locked.");
    expect((await send(settings, { action: "unlock", lock })).status).toBe(404);
  });

  it("run maintenance, purge and rename what was named", async () => {
    await operator("PUT", "/repos/acme/old-name");
    const url = withToken(`${host.base}/acme/old-name.git`, "test-token");
    await git.ok(["push", "-q", url, "main"], { cwd: work });
    const { Cookie, send } = await signedIn();
    const settings = "/acme/old-name/settings";
    expect((await page(`${settings}/maintenance`, { Cookie })).html).toMatch(/<dd>\d+ objects in 1 pack,/);
    expect((await send(settings, { action: "maintain" })).headers.get("Location")).toBe(`${settings}/maintenance`);
    expect((await send(settings, { action: "purge", confirm: "x" })).status).toBe(422);
    expect((await send(settings, { action: "purge", confirm: "old-name" })).status).toBe(303);
    expect((await send(settings, { action: "rename", name: "new-name", confirm: "" })).status).toBe(422);
    expect((await send(settings, { action: "rename", name: "new-name", confirm: "old-name" })).status).toBe(303);
    const moved = await page(settings, { Cookie });
    expect(moved.status).toBe(308);
    expect(moved.headers.get("Location")).toMatch(/\/acme\/new-name\/settings$/);
  });

  it("give back what a push moved", async () => {
    await operator("PUT", "/repos/acme/undone");
    const url = withToken(`${host.base}/acme/undone.git`, "test-token");
    await git.ok(["push", "-q", url, "main:side", "main"], { cwd: work });
    await git.ok(["push", "-q", url, ":side"], { cwd: work });
    const { Cookie, send } = await signedIn();
    const { html } = await page("/acme/undone/reflog", { Cookie });
    expect(html).toContain("<bdi>refs/heads/side</bdi>: deleted, was");
    const [, push = ""] = /name="push" value="(\d+)"/.exec(html) ?? [];
    expect((await send("/acme/undone/settings", { action: "restore", push })).status).toBe(303);
    expect(await git.ok(["ls-remote", url, "side"], { cwd: work })).toContain(tip);
  });

  it("ask the API for nothing else than what the form is for", async () => {
    await operator("PUT", "/repos/acme/stays");
    const { send } = await signedIn();
    for (const hook of ["..", ".", "../../stays", "%2e%2e"]) {
      expect((await send("/acme/stays/settings", { action: "remove-hook", hook })).status).toBe(404);
    }
    expect((await send("/acme/-/tokens", { action: "revoke", id: ".." })).status).toBe(404);
    expect((await operator("GET", "/repos/acme/stays")).status).toBe(200);
  });

  it("delete a repository whose name was typed", async () => {
    await operator("PUT", "/repos/acme/brief");
    const { send } = await signedIn();
    const wrong = await send("/acme/brief/settings", { action: "delete", confirm: "other" });
    expect(wrong.status).toBe(422);
    const right = await send("/acme/brief/settings", { action: "delete", confirm: "brief" });
    expect([right.status, right.headers.get("Location")]).toEqual([303, "/acme"]);
    expect((await operator("GET", "/repos/acme/brief")).status).toBe(404);
  });

  it("make and revoke tokens", async () => {
    const { Cookie, send } = await signedIn();
    const made = await send("/acme/-/tokens", { action: "issue", name: "ci <1>", scope: "repo:read", repos: "shown" });
    const html = await made.text();
    const [, token = ""] = /value="(tpk_\w+)"/.exec(html) ?? [];
    expect((await apiClient(host.base, token)("GET", "/repos/acme/shown")).status).toBe(200);
    expect(html).toContain("<bdi>ci &lt;1&gt;</bdi>");
    expect((await page("/acme/-/tokens", { Cookie })).html).not.toContain(token);
    const { body } = await operator("GET", "/tenants/acme/tokens");
    for (const { id } of body["tokens"] as { id: string }[]) {
      expect((await send("/acme/-/tokens", { action: "revoke", id })).status).toBe(303);
    }
    expect((await apiClient(host.base, token)("GET", "/repos/acme/shown")).status).toBe(401);
  });

  it("are shut to those who may only read, and to forms from elsewhere", async () => {
    const token = await issueToken(operator, "acme", "repo:read");
    const Cookie = cookieOf(await form("/-/login", { token }));
    expect((await page("/acme/shown/settings", { Cookie })).status).toBe(403);
    for (const path of ["rules", "mirror", "keys", "lfs", "maintenance"]) {
      expect((await page(`/acme/shown/settings/${path}`, { Cookie })).status).toBe(403);
      expect((await page(`/acme/hidden/settings/${path}`)).status).toBe(404);
    }
    expect((await page("/acme/shown/reflog", { Cookie })).status).toBe(403);
    for (const path of ["tokens", "ssh-keys"]) expect((await page(`/acme/-/${path}`, { Cookie })).status).toBe(403);
    expect((await page("/acme/hidden/settings")).status).toBe(404);
    const [, own = ""] = /name="form" value="([\w-]+)"/.exec((await page("/acme/shown", { Cookie })).html) ?? [];
    const fields = { action: "save", description: "x", visibility: "private" };
    expect((await form("/acme/shown/settings", { ...fields, form: own }, { Cookie })).status).toBe(403);
    const admin = await signedIn();
    expect((await form("/acme/shown/settings", { ...fields, form: own }, { Cookie: admin.Cookie })).status).toBe(403);
    expect((await operator("GET", "/repos/acme/shown")).body["visibility"]).toBe("public");
  });
});
