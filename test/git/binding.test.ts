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

/** Calls whatever method it is told to, and answers with the value, or with what an error has kept on its way. */
const CALLER = `export default {
  async fetch(request, env) {
    const { binding, method, args } = await request.json();
    try {
      return Response.json({ value: await env[binding][method](...args) });
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
  stranger: { tenant: "other", scopes: ["tenant:admin"] },
  nobody: { tenant: "nowhere", scopes: ["tenant:admin"] },
  broken: { tenant: "acme", scopes: ["all"] },
} as const;

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
});
