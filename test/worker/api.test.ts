/**
 * The API of repositories, and what happens behind it: derived files, export, deletion.
 *
 * @packageDocumentation
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { exportRepository } from "../support/export.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;

type Asked = { readonly status: number; readonly body: Record<string, unknown> };

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Asked> {
  const answer = await fetch(`${host.base}/api/v1${path}`, {
    method,
    headers: { Authorization: "Bearer test-token", "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  expect(answer.headers.get("Server-Timing")).toMatch(/^r2r;desc="\d+"/);
  const text = await answer.text();
  if (answer.status >= 400) {
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    expect(JSON.parse(text)).toMatchObject({ type: "about:blank", status: answer.status });
  }
  return { status: answer.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

async function keysOf(prefix: string): Promise<string[]> {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  return (await bucket.list({ prefix })).objects.map(({ key }) => key.slice(prefix.length));
}

beforeAll(async () => {
  host = await startTestHost();
});

afterAll(async () => {
  await host.stop();
});

describe("repositories", () => {
  it("are made, shown, changed and removed", async () => {
    const made = await ask("PUT", "/repos/acme/one", { description: "first", default_branch: "trunk" });
    expect(made).toMatchObject({
      status: 201,
      body: {
        tenant: "acme",
        name: "one",
        visibility: "private",
        default_branch: "trunk",
        description: "first",
        object_format: "sha1",
        read_only: false,
        size_bytes: 0,
        pushed_at: null,
        git_url: `${host.base}/acme/one.git`,
      },
    });
    expect(await ask("PUT", "/repos/acme/one", { description: "first" })).toEqual({ status: 200, body: made.body });
    const differing = await ask("PUT", "/repos/acme/one", { description: "other", visibility: "public" });
    expect(differing).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(differing.body["detail"]).toBe(
      "It exists already, and differs in visibility, description. PATCH changes what exists.",
    );
    expect((await ask("PUT", "/repos/acme/one", undefined, { "If-None-Match": "*" })).status).toBe(412);
    expect(await ask("GET", "/repos/acme/one")).toEqual({ status: 200, body: made.body });
    const changed = { ...made.body, visibility: "public", default_branch: "main" };
    expect(await ask("PATCH", "/repos/acme/one", { visibility: "public", default_branch: "main" })).toEqual({
      status: 200,
      body: changed,
    });
    expect(await ask("DELETE", "/repos/acme/one")).toEqual({ status: 204, body: {} });
    for (const method of ["GET", "PATCH", "DELETE"]) {
      expect((await ask(method, "/repos/acme/one", method === "PATCH" ? {} : undefined)).status).toBe(404);
    }
    const again = await ask("PUT", "/repos/acme/one");
    expect(again.status).toBe(201);
    expect(again.body["id"]).not.toBe(made.body["id"]);
  });

  it.each([
    ["not JSON", "{", 400],
    ["another shape", "[]", 422],
    ["an unknown member", { nonsense: 1 }, 422],
    ["a polluting member", '{"__proto__":{"visibility":"public"}}', 422],
    ["a wrong visibility", { visibility: "secret" }, 422],
    ["a bad branch name", { default_branch: "a..b" }, 422],
    ["an option for a branch", { default_branch: "-d" }, 422],
    ["an unknown hash", { object_format: "md5" }, 422],
    ["a long description", { description: "x".repeat(1001) }, 422],
    ["a huge body", { description: "x".repeat(70_000) }, 413],
  ])("are not made from %s", async (_, body, status) => {
    expect((await ask("PUT", "/repos/acme/bad", body)).status).toBe(status);
    expect((await ask("GET", "/repos/acme/bad")).status).toBe(404);
  });

  it("are made only from JSON with its content type, under valid names", async () => {
    expect((await ask("PUT", "/repos/acme/bad", "{}", { "Content-Type": "text/plain" })).status).toBe(415);
    for (const name of ["acme/x.git", "api/x", "_t/x", ".acme/x", `acme/${"x".repeat(101)}`]) {
      expect((await ask("PUT", `/repos/${name}`, {})).status).toBe(422);
    }
  });

  it("are shown to anybody if they are public, and changed only by their own administrators", async () => {
    await ask("PUT", "/repos/acme/seen", { visibility: "public" });
    const init = { headers: { "Content-Type": "application/json" } };
    expect((await fetch(`${host.base}/api/v1/repos/acme/seen`, init)).status).toBe(200);
    expect((await fetch(`${host.base}/api/v1/repos/acme/seen/refs`, init)).status).toBe(200);
    for (const [method, path] of [
      ["PUT", "/repos/acme/seen"],
      ["PUT", "/repos/acme/unseen"],
      ["PATCH", "/repos/acme/seen"],
      ["DELETE", "/repos/acme/seen"],
      ["GET", "/repos/acme/seen/export"],
      ["GET", "/repos/acme/seen/export/HEAD"],
    ] as const) {
      expect((await fetch(`${host.base}/api/v1${path}`, { ...init, method })).status).toBe(401);
    }
  });

  it("say of what is not there yet that it will be", async () => {
    const later = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const answer = await fetch(`${host.base}/acme/seen.git/${path}`, { headers });
      return [answer.status, (await answer.text()) !== ""];
    };
    await ask("PUT", "/repos/acme/seen", { visibility: "public" });
    await ask("PUT", "/repos/acme/unseen", { visibility: "private" });
    // Not to who may not know that it is there.
    expect(await later("../unseen.git/info/lfs/locks")).toEqual([401, true]);
    expect((await ask("GET", "/nonsense")).status).toBe(404);
    expect((await ask("POST", "/repos/acme/seen")).status).toBe(405);
  });
});

describe("behind the API", () => {
  it("writes the files of a bare repository shortly after it is made, and again when it changes", async () => {
    const { body } = await ask("PUT", "/repos/acme/derived");
    const prefix = `repos/${String(body["id"])}.git/`;
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const head = async (): Promise<string | undefined> => (await bucket.get(`${prefix}HEAD`))?.text();
    await vi.waitFor(async () => expect(await head()).toBe("ref: refs/heads/main\n"), {
      timeout: WAIT_LIMIT,
      interval: 200,
    });
    expect(await keysOf(prefix)).toEqual([
      "HEAD",
      "config",
      "info/refs",
      "objects/info/packs",
      "packed-refs",
      "refs/keep.lock",
    ]);
    await ask("PATCH", "/repos/acme/derived", { default_branch: "trunk" });
    await vi.waitFor(async () => expect(await head()).toBe("ref: refs/heads/trunk\n"), {
      timeout: WAIT_LIMIT,
      interval: 200,
    });
  });

  it("exports what belongs to the repository and nothing else", async () => {
    const { body } = await ask("PUT", "/repos/acme/exported");
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    await bucket.put(`repos/${String(body["id"])}.git/objects/pack/pack-${"a".repeat(40)}.pack`, "staged");
    const directory = mkdtempSync(join(tmpdir(), "thinpack-export-"));
    const [files] = await exportRepository(`${host.base}/api/v1/repos/acme/exported`, "test-token", directory);
    expect(files).toBe(5);
    expect(readFileSync(join(directory, "HEAD"), "utf8")).toBe("ref: refs/heads/main\n");
    expect(readdirSync(join(directory, "objects", "pack"))).toEqual([]);
    // When nothing is left but the bucket, this is how its prefixes are told apart.
    expect(readFileSync(join(directory, "config"), "utf8")).toContain('[thinpack]\n\trepository = "acme/exported"\n');
    rmSync(directory, { recursive: true });
    expect((await ask("GET", `/repos/acme/exported/export/objects/pack/pack-${"a".repeat(40)}.pack`)).status).toBe(404);
    expect((await ask("GET", "/repos/acme/exported/export/..%2f..%2fx")).status).toBe(404);
  });

  it("deletes the bytes of a removed repository", async () => {
    const { body } = await ask("PUT", "/repos/acme/removed");
    const prefix = `repos/${String(body["id"])}.git/`;
    await vi.waitFor(async () => expect((await keysOf(prefix)).length).toBe(6), { timeout: WAIT_LIMIT, interval: 200 });
    await ask("DELETE", "/repos/acme/removed");
    await vi.waitFor(async () => expect(await keysOf(prefix)).toEqual([]), { timeout: WAIT_LIMIT, interval: 200 });
  });

  it("are not sent to a client that has them", async () => {
    await ask("PUT", "/repos/acme/known", { description: "first" });
    const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
      await fetch(`${host.base}/api/v1${path}`, { headers: { Authorization: "Bearer test-token", ...headers } });
    for (const path of [
      "/repos/acme/known",
      "/repos/acme/known/refs",
      "/repos/acme/known/refs?prefix=refs/tags/",
      "/tenants/acme",
    ]) {
      const etag = (await get(path)).headers.get("ETag") ?? "";
      expect(etag).toMatch(/^"[-0-9a-f]+"$/);
      const again = await get(path, { "If-None-Match": `"other", W/${etag}` });
      expect([again.status, await again.text(), again.headers.get("ETag")]).toEqual([304, "", etag]);
      expect((await get(path, { "If-None-Match": '"other"' })).status).toBe(200);
    }
    const etag = (await get("/repos/acme/known")).headers.get("ETag") ?? "";
    await ask("PATCH", "/repos/acme/known", { description: "second" }, { "If-Match": etag });
    expect((await get("/repos/acme/known", { "If-None-Match": etag })).status).toBe(200);
    const stale = await ask("PATCH", "/repos/acme/known", { description: "third" }, { "If-Match": etag });
    expect(stale.status).toBe(412);
    const refs = (await get("/repos/acme/known/refs")).headers.get("ETag") ?? "";
    await ask("PATCH", "/repos/acme/known", { default_branch: "trunk" });
    expect((await get("/repos/acme/known/refs", { "If-None-Match": refs })).status).toBe(200);
  });

  it("are listed page by page, each with a link to the next", async () => {
    for (const name of ["a", "b", "c"]) await ask("PUT", `/repos/paged/${name}`);
    const seen: string[] = [];
    let url: string | undefined = `${host.base}/api/v1/tenants/paged/repos?limit=1`;
    while (url !== undefined && seen.length < 5) {
      const answer: Response = await fetch(url, { headers: { Authorization: "Bearer test-token" } });
      const body = await answer.json<{ repos: { name: string }[]; cursor?: string }>();
      seen.push(...body.repos.map(({ name }) => name));
      const [, next] = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("Link") ?? "") ?? [];
      expect(next === undefined).toBe(body.cursor === undefined);
      url = next;
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("are answered under an id, by which the log knows the request", async () => {
    const answer = await fetch(`${host.base}/api/v1/repos/acme/none`);
    const id = answer.headers.get("X-Request-Id") ?? "";
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    await vi.waitFor(
      () => expect(readFileSync(join(host.stateDir, "requests.jsonl"), "utf8")).toContain(`"sid":"${id}"`),
      { timeout: WAIT_LIMIT },
    );
  });

  it("describe themselves, to programs and to people", async () => {
    const answer = await fetch(`${host.base}/api/v1/openapi.json`);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "application/json"]);
    expect(await answer.json()).toMatchObject({ openapi: "3.1.0" });
    const page = await fetch(`${host.base}/api/v1/docs`);
    expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("X-Frame-Options")).toBe("DENY");
    expect(await page.text()).toContain("<h1>thinpack API, version 1</h1>");
  });

  it("asks programs that walk the web to leave what is below repositories, of which there is no end", async () => {
    const answer = await fetch(`${host.base}/robots.txt`);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "text/plain; charset=UTF-8"]);
    const lines = (await answer.text()).trim().split("\n");
    expect(lines).toEqual(["User-agent: *", "Disallow: /-/", "Disallow: /api/", "Disallow: /*/*/"]);
  });

  it("refuses a rule for a name that git would take for another", async () => {
    await ask("PUT", "/repos/acme/ruled");
    const set = (pattern: string) => ask("PATCH", "/repos/acme/ruled", { protected: [{ pattern }] });
    for (const pattern of ["heads/main", "tags/v*", "remotes/origin/main"]) {
      expect(await set(pattern)).toMatchObject({
        status: 422,
        body: {
          errors: [
            {
              pointer: "#/protected/0/pattern",
              detail: expect.stringMatching(
                /: a pattern is a branch, such as main, or a full name that begins with refs\/$/,
              ),
            },
          ],
        },
      });
    }
    for (const pattern of ["main", "refs/tags/v*", "refs/heads/heads/main"])
      expect((await set(pattern)).status).toBe(200);
  });

  it("tells its operator that each storage answers", async () => {
    const answer = await fetch(`${host.base}/healthz?deep=1`, { headers: { Authorization: "Bearer test-token" } });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { ok: true, checks: { bucket: true, kv: true, durable_objects: true } },
    ]);
    expect((await fetch(`${host.base}/healthz?deep=1`)).status).toBe(401);
  });

  it("logs every request once its answer is out", async () => {
    await ask("PUT", "/repos/acme/logged");
    const lines = readFileSync(join(host.stateDir, "requests.jsonl"), "utf8").trim().split("\n");
    const line = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .findLast(({ path }) => path === "/api/v1/repos/acme/logged");
    expect(line).toMatchObject({ method: "PUT", status: 201, r2r: 0, r2w: 0, r2b: 0, do: 2, kv: 0, rt: 2 });
    expect(line).toHaveProperty("ms");
    expect(line).toMatchObject({ tenant: "acme", repo: "logged", principal: "operator", outcome: "ok" });
    expect(line).not.toHaveProperty("log");
  });
});
