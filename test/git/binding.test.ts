/**
 * Another Worker of the account, with bindings to the host. What it commits is cloned by git; the Worker of the documentation is
 * compiled and run as it stands there.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { parse } from "smol-toml";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { readWranglerConfig } from "../../scripts/wrangler-config.ts";
import type { GitHostProps } from "../../src/host/git-host-types.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { PROJECT } from "../support/git-process.ts";
import { startTestHost } from "../support/host.ts";

const OPERATOR = "test-token";
const using = readFileSync(join(PROJECT, "docs", "using.md"), "utf8");
const blockOf = (kind: string): string =>
  new RegExp(`^\`\`\`${kind} binding\\n([\\s\\S]*?)^\`\`\``, "m").exec(using)?.[1] ?? "";
const SERVICES = v.object({
  services: v.tuple([
    v.object({
      binding: v.string(),
      service: v.string(),
      entrypoint: v.string(),
      props: v.record(v.string(), v.unknown()),
    }),
  ]),
});
const [documented] = v.parse(SERVICES, parse(blockOf("toml"))).services;
const compatibilityDate = "2026-11-01";

/**
 * Calls whatever method it is told to, and answers with the value, or with what an error has kept on its way. Of streams it reads what comes,
 * and of events the first lines; a text that begins with `stream:` is sent as a stream.
 */
const CALLER = `export default {
  async fetch(request, env) {
    const { binding, method, args, lines } = await request.json();
    const given = args.map((one) =>
      String(one).startsWith("stream:") ? new Blob([one.slice("stream:".length)]).stream() : one);
    try {
      const value = await env[binding][method](...given);
      if (value instanceof Response) return Response.json({ value: { status: value.status, text: await value.text() } });
      if (value instanceof ReadableStream) {
        const reader = value.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        while (text.split("\\n").length <= lines) {
          const { done, value: more } = await reader.read();
          if (done) break;
          text += more;
        }
        await reader.cancel();
        return Response.json({ value: text.trim().split("\\n").map((line) => JSON.parse(line)) });
      }
      if (value?.content instanceof ReadableStream) value.content = await new Response(value.content).text();
      return Response.json({ value });
    } catch (error) {
      const { name, message, status, code, problem } = error;
      return Response.json({ error: { name, message, status, code, problem } });
    }
  },
};`;
const entrypoint = "GitHost";
const BINDINGS = {
  admin: { tenant: "Acme", scopes: ["tenant:admin"], name: "builder" },
  writer: { tenant: "acme", scopes: ["repo:write"], repositories: ["Shared"], name: "writer" },
  reader: { tenant: "acme", scopes: ["repo:read"] },
  limited: { tenant: "acme", scopes: ["tenant:admin"], repositories: ["limited"] },
  stranger: { tenant: "other", scopes: ["tenant:admin"] },
  nobody: { tenant: "nowhere", scopes: ["tenant:admin"] },
  broken: { tenant: "acme", scopes: ["all"] },
} as const satisfies Record<string, Omit<GitHostProps, "scopes"> & { readonly scopes: readonly string[] }>;

const CALLED = v.object({ value: v.optional(v.unknown()), error: v.optional(v.record(v.string(), v.unknown())) });

describe("a binding of another Worker", () => {
  const git = new GitSandbox("binding");
  let host: RunningHost;

  beforeAll(async () => {
    const { code } = await transform(blockOf("ts"), { loader: "ts" });
    host = await startTestHost({
      variables: { ORIGIN: "https://git.example.com" },
      neighbours: [
        {
          name: "caller",
          script: CALLER,
          compatibilityDate,
          bindings: Object.fromEntries(Object.entries(BINDINGS).map(([name, props]) => [name, { entrypoint, props }])),
        },
        {
          name: "documented",
          script: code,
          compatibilityDate,
          bindings: { [documented.binding]: { entrypoint: documented.entrypoint, props: documented.props } },
        },
      ],
    });
    const operator = apiClient(host.base, OPERATOR);
    for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`);
  });
  afterAll(async () => {
    await host.stop();
    git.close();
  });

  /** Calls a method whose answer is JSON, and gives that. */
  async function ok(method: string, ...args: readonly unknown[]): Promise<Record<string, unknown>> {
    const { value, error } = await call("admin", method, ...args);
    expect(error).toBeUndefined();
    return v.parse(v.record(v.string(), v.unknown()), value);
  }

  async function call(
    binding: keyof typeof BINDINGS,
    method: string,
    ...args: readonly unknown[]
  ): Promise<v.InferOutput<typeof CALLED>> {
    const caller = await host.miniflare.getWorker("caller");
    const answer = await caller.fetch("http://caller/", {
      method: "POST",
      body: JSON.stringify({ binding, method, args }),
    });
    return v.parse(CALLED, await answer.json());
  }

  it("the documentation's Worker compiles with the package's types, and git clones what it commits", async () => {
    const modules = git.path("node_modules");
    mkdirSync(join(modules, "thinpack"), { recursive: true });
    const packed = await fetch(`${host.base}/-/thinpack.tgz`);
    writeFileSync(git.path("thinpack.tgz"), Buffer.from(await packed.arrayBuffer()));
    const tar = ["-xzf", git.path("thinpack.tgz"), "--strip-components=1", "-C", join(modules, "thinpack")];
    expect(spawnSync("tar", tar).status).toBe(0);
    mkdirSync(join(modules, "@cloudflare"));
    const types = join("@cloudflare", "workers-types");
    symlinkSync(join(PROJECT, "node_modules", types), join(modules, types));
    writeFileSync(git.path("worker.ts"), blockOf("ts"));
    const tsc = [
      "--strict",
      "--noEmit",
      "--target",
      "es2024",
      "--lib",
      "es2024",
      "--module",
      "esnext",
      "--moduleResolution",
      "bundler",
    ];
    const args = [
      join(PROJECT, "node_modules", "typescript", "bin", "tsc"),
      ...tsc,
      "--types",
      "@cloudflare/workers-types",
      "worker.ts",
    ];
    const compiled = spawnSync(process.execPath, args, { cwd: git.directory, encoding: "utf8" });
    expect(compiled.stdout + compiled.stderr).toBe("");
    expect(compiled.status).toBe(0);
    expect(documented.service).toBe(readWranglerConfig().name);

    const worker = await host.miniflare.getWorker("documented");
    const page = "<h1>Hello</h1>\n";
    const made = await worker.fetch("http://documented/site", { method: "POST", body: page });
    expect(made.status).toBe(201);
    const { git_url, token, oid } = v.parse(
      v.object({ git_url: v.string(), token: v.string(), oid: v.string() }),
      await made.json(),
    );
    expect(git_url).toBe("https://git.example.com/acme/site.git");
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", withToken(`${host.base}/acme/site.git`, token), clone]);
    expect(readFileSync(join(clone, "index.html"), "utf8")).toBe(page);
    expect(await git.ok(["log", "--format=%H %an <%ae> %s"], { cwd: clone })).toBe(
      `${oid} builder <builder@users.noreply.invalid> First page`,
    );
    await git.ok(["fsck", "--strict"], { cwd: clone });

    const again = await worker.fetch("http://documented/site", { method: "POST", body: page });
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ status: 409, code: "stale", current: oid });
  });

  it("what was done has the binding's name in both logs, and its scopes and repositories bind it", async () => {
    expect((await call("admin", "createRepository", "shared")).value).toMatchObject({ tenant: "acme", name: "shared" });
    const action = { action: "create", path: "a.txt", content: "one\n" };
    const commit = { branch: "main", message: "One", actions: [action] };
    const made = await call("writer", "createCommit", "shared", commit);
    expect(made.value).toMatchObject({ branch: "main", previous: null });
    const admin = apiClient(host.base, await issueToken(apiClient(host.base, OPERATOR), "acme", "tenant:admin"));
    expect((await admin("GET", "/repos/acme/shared/reflog")).body).toMatchObject({
      pushes: [{ actor: "binding:writer", actor_name: "writer" }],
    });
    expect((await admin("GET", "/tenants/acme/audit?action=repo.create")).body["entries"]).toContainEqual(
      expect.objectContaining({ actor: "binding:builder", subject: "shared" }),
    );

    expect((await call("reader", "listRefs", "shared")).value).toMatchObject({ head: "refs/heads/main" });
    expect((await call("reader", "createCommit", "shared", commit)).error).toMatchObject({
      name: "GitHostError",
      status: 403,
      code: "forbidden",
    });
    expect((await call("writer", "createRepository", "mine")).error).toMatchObject({ status: 404 });
    expect((await call("admin", "createRepository", "hidden")).error).toBeUndefined();
    expect((await call("writer", "getRepository", "hidden")).error).toMatchObject({ status: 404, code: "not_found" });
    expect((await call("stranger", "getRepository", "shared")).error).toMatchObject({ status: 404 });
    expect((await call("nobody", "createRepository", "any")).error).toMatchObject({ status: 404 });
    expect((await call("broken", "getRepository", "shared")).error).toMatchObject({ name: "TypeError" });
  });

  it("has the API's operations, each by its name, and answers as the API does", async () => {
    const admin = apiClient(host.base, await issueToken(apiClient(host.base, OPERATOR), "acme", "tenant:admin"));
    const api = async (path: string): Promise<unknown> => (await admin("GET", `/repos/acme/every${path}`)).body;
    await ok("createRepository", "every", { default_branch: "main" });
    const file = "line\n".repeat(50_000);
    const blob = await ok("createBlob", "every", `stream:${file}`, file.length);
    expect(await ok("createBlob", "every", file)).toEqual(blob);
    expect((await call("admin", "createBlob", "every", "stream:x")).error).toMatchObject({ status: 411 });
    expect(blob["oid"]).toBe(await git.ok(["hash-object", "--stdin"], { input: file }));
    const actions = [
      { action: "create", path: "src/large.txt", blob: blob["oid"] },
      { action: "create", path: "é/ü #1.txt", content: "odd\n" },
    ];
    const order = { branch: "main", message: "First", actions, idempotency_key: "once" };
    const first = await ok("createCommit", "every", order);
    expect(await ok("createCommit", "every", order)).toEqual(first);
    const one = String(first["oid"]);
    const edit = (path: string, content: string): object[] => [{ action: "upsert", path, content }];
    await ok("createCommit", "every", { branch: "topic", base: "main", message: "T", actions: edit("t.txt", "t\n") });
    await ok("createCommit", "every", { branch: "main", message: "M", actions: edit("c.txt", "ours\n") });
    await ok("createCommit", "every", { branch: "clash", base: one, message: "C", actions: edit("c.txt", "theirs\n") });
    const refused = await call("admin", "mergeBranches", "every", { base: "main", head: "clash" });
    expect(refused.error).toMatchObject({
      status: 409,
      code: "merge_conflict",
      problem: { conflicts: [{ path: "c.txt", kind: "add-add" }] },
    });
    const merged = await ok("mergeBranches", "every", { base: "main", head: "topic" });
    expect(await ok("mergeBranches", "every", { base: "main", head: "topic" })).toEqual({ status: "up-to-date" });
    const picked = await ok("cherryPick", "every", { branch: "clash", commits: ["topic"] });
    await ok("revertCommits", "every", { branch: "clash", commits: [picked["oid"]] });

    expect(await ok("getRepository", "every")).toMatchObject({ name: "every", default_branch: "main" });
    expect(await ok("listRefs", "every")).toEqual(await api("/refs"));
    expect(await ok("listDirectory", "every", "main", "src")).toEqual(await api("/tree/main/src"));
    expect(await ok("listDirectory", "every", "main", "", { limit: 1 })).toEqual(await api("/tree/main?limit=1"));
    expect(await ok("listCommits", "every", { rev: "topic" })).toEqual(await api("/commits?rev=topic"));
    expect(await ok("getCommit", "every", "main")).toEqual(await api("/commits/main"));
    expect(await ok("compareRevisions", "every", "clash", "main")).toEqual(await api("/compare/clash...main"));
    expect(await ok("diffRevisions", "every", "clash", "main")).toEqual(await api("/diff/clash..main?format=json"));
    expect(await ok("diffRevisions", "every", "clash", "main", { merge_base: true })).toEqual(
      await api("/diff/clash...main?format=json"),
    );
    expect(await ok("getFile", "every", "main", "src/large.txt")).toEqual({
      oid: blob["oid"],
      size: file.length,
      content: file,
    });
    expect(await ok("getFile", "every", "main", "é/ü #1.txt")).toMatchObject({ content: "odd\n" });
    expect(await ok("readBlobs", "every", { rev: "main", paths: ["c.txt"] })).toMatchObject({
      blobs: [{ path: "c.txt", content: btoa("ours\n") }],
    });

    await ok("setRef", "every", "heads/new", { oid: one, expected: null });
    await call("admin", "deleteRef", "every", "heads/new", { expected: one });
    const updates = [{ name: "refs/heads/x", old: null, new: one }];
    expect(await ok("updateRefs", "every", { updates })).toMatchObject({ updates: [{ status: "ok" }] });
    await ok("createTag", "every", { name: "v1", target: "main", message: "One" });
    await ok("setStatus", "every", String(merged["oid"]), { context: "ci", state: "success" });
    expect(await ok("listStatuses", "every", String(merged["oid"]))).toMatchObject({ state: "success" });
    await ok("createFork", "every", { repo: "every-fork" });
    expect(await ok("syncFork", "every-fork")).toMatchObject({ branch: "main", oid: merged["oid"] });
    expect(await ok("updateRepository", "every", { description: "All" })).toMatchObject({ description: "All" });
    const listed = await ok("listRepositories", { limit: 100 });
    expect(listed["repos"]).toContainEqual(expect.objectContaining({ name: "every-fork" }));
    expect((await call("admin", "deleteRepository", "every-fork")).error).toBeUndefined();
    const asked = await call("admin", "fetch", "https://git/api/v1/repos/acme/every/refs?prefix=refs/tags/");
    expect(asked.value).toMatchObject({ status: 200, text: expect.stringContaining("refs/tags/v1") });
    const strange = await call("stranger", "fetch", "https://git/acme/every.git/info/refs?service=git-upload-pack");
    expect(strange.value).toMatchObject({ status: 404 });

    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", withToken(`${host.base}/acme/every.git`, OPERATOR), clone]);
    await git.ok(["fsck", "--strict"], { cwd: clone });
    expect(await git.ok(["rev-parse", "main^{tree}"], { cwd: clone })).toBe(merged["tree"]);
  });

  it("streams events from where the reader was", async () => {
    await ok("createRepository", "told", { default_branch: "main" });
    for (const name of ["one", "two"]) {
      const actions = [{ action: "create", path: name, content: name }];
      await ok("createCommit", "told", { branch: "main", message: name, actions });
    }
    const caller = await host.miniflare.getWorker("caller");
    const read = { binding: "admin", method: "streamEvents", args: ["told", { since: 0 }], lines: 2 };
    const answer = await caller.fetch("http://caller/", { method: "POST", body: JSON.stringify(read) });
    expect(await answer.json()).toMatchObject({
      value: [
        { type: "ref", repo: "acme/told", name: "refs/heads/main" },
        { type: "ref", repo: "acme/told", name: "refs/heads/main" },
      ],
    });
    expect((await call("stranger", "streamEvents", "told")).error).toMatchObject({ status: 404 });
  });

  it("makes tokens and keys that may do no more than itself, and names nothing by a path that leads elsewhere", async () => {
    const token = { name: "child", scopes: ["repo:write"], expires_in: 60 };
    const made = await ok("createToken", token);
    expect(made).toMatchObject({ name: "child", token: expect.stringMatching(/./) });
    const child = apiClient(host.base, String(made["token"]));
    expect((await child("GET", "/repos/acme/shared/refs")).status).toBe(200);
    await call("admin", "revokeToken", String(made["id"]));
    expect((await child("GET", "/repos/acme/shared/refs")).status).toBe(401);

    expect((await call("limited", "createRepository", "limited")).error).toBeUndefined();
    // It administers one repository, and no tenant.
    expect((await call("limited", "createToken", token)).error).toMatchObject({ status: 403 });
    const own = { name: "own", scopes: ["repo:write"] };
    expect((await call("limited", "createRepository", "other", { token: own })).error).toMatchObject({ status: 404 });

    for (const name of ["..", "../tenants", ".", "shared/refs", "%2e%2e"])
      expect((await call("admin", "getRepository", name)).error).toMatchObject({
        name: "GitHostError",
        status: expect.toSatisfy((status) => status === 404 || status === 422),
      });
    for (const path of ["../../hidden", "a/../../../x", "./c.txt"])
      expect((await call("admin", "getFile", "shared", "main", path)).error).toMatchObject({ status: 404 });
    expect((await call("admin", "getFile", "shared", "main", "\ud800")).error).toMatchObject({ status: 422 });
  });
});
