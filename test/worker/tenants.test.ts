/**
 * Tenants, their tokens and the lists of both, over HTTP.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiAnswer, type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { HostClock } from "../support/host-clock.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let operator: ApiClient;

const as = (token: string): ApiClient => apiClient(host.base, token);
const service = (name: string, which = "upload"): string =>
  `${host.base}/${name}.git/info/refs?service=git-${which}-pack`;
const statusOf = async (url: string, token?: string): Promise<number> => {
  const headers = token === undefined ? {} : { Authorization: `Basic ${btoa(`any:${token}`)}` };
  const answer = await fetch(url, { headers: { "Git-Protocol": "version=2", ...headers } });
  await answer.text();
  return answer.status;
};

beforeAll(async () => {
  host = await startTestHost({ hasClock: true });
  operator = as("test-token");
});

afterAll(async () => {
  await host.stop();
});

describe("tenants", () => {
  it("are made once, shown, changed and deleted", async () => {
    const made = await operator("PUT", "/tenants/first", { push_to_create: false });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: "first",
        repos: 0,
        usage: { repos: 0, bytes: 0, objects: 0 },
        push_to_create: false,
        least_mirror_interval: null,
        quotas: { repos: null, bytes: null, objects: null, largest_blob: null },
      },
    });
    expect(await operator("PUT", "/tenants/first", { push_to_create: false })).toMatchObject({
      status: 200,
      body: made.body,
    });
    expect((await operator("PUT", "/tenants/first", { push_to_create: true })).status).toBe(409);
    expect((await operator("PUT", "/tenants/first", { quotas: { repos: 3 } })).status).toBe(409);
    expect((await operator("PUT", "/tenants/first", {}, { "If-None-Match": "*" })).status).toBe(412);
    const changed = await operator("PATCH", "/tenants/first", { quotas: { repos: 3 } });
    expect(changed).toMatchObject({ status: 200, body: { push_to_create: false, quotas: { repos: 3, bytes: null } } });
    expect((await operator("GET", "/tenants/first")).body).toEqual(changed.body);
    expect((await operator("DELETE", "/tenants/first")).status).toBe(204);
    for (const method of ["GET", "DELETE"]) expect((await operator(method, "/tenants/first")).status).toBe(404);
    expect((await operator("PATCH", "/tenants/first", {})).status).toBe(404);
    expect((await operator("GET", "/tenants/first/repos")).status).toBe(404);
    expect((await operator("GET", "/tenants/first/tokens")).status).toBe(404);
    expect((await operator("POST", "/tenants/first/tokens", { name: "x", scopes: ["repo:read"] })).status).toBe(404);
    expect((await operator("PUT", "/tenants/first")).status).toBe(201);
  });

  it("are changed only if they are as the client saw them", async () => {
    const made = await operator("PUT", "/tenants/seen");
    const etag = made.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[-0-9a-f]+"$/);
    const change = { push_to_create: false };
    expect((await operator("PATCH", "/tenants/seen", change, { "If-Match": `"other", W/${etag}` })).status).toBe(412);
    expect((await operator("PATCH", "/tenants/seen", change, { "If-Match": `"other", ${etag}` })).status).toBe(200);
    expect((await operator("PATCH", "/tenants/seen", change, { "If-Match": etag })).status).toBe(412);
    expect((await operator("PATCH", "/tenants/seen", change, { "If-Match": "*" })).status).toBe(200);
    expect((await operator("DELETE", "/tenants/seen", undefined, { "If-Match": etag })).status).toBe(412);
    expect((await operator("GET", "/tenants/seen")).status).toBe(200);
  });

  it("are listed page by page, by name", async () => {
    for (const name of ["list-c", "list-a", "list-b"]) await operator("PUT", `/tenants/${name}`);
    const names: string[] = [];
    let cursor = "";
    do {
      const page = await operator("GET", `/tenants?limit=2&cursor=${cursor}`);
      expect(page.status).toBe(200);
      const tenants = page.body["tenants"] as { name: string }[];
      expect(tenants.length).toBeLessThanOrEqual(2);
      names.push(...tenants.map(({ name }) => name));
      cursor = typeof page.body["cursor"] === "string" ? page.body["cursor"] : "";
    } while (cursor !== "");
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(names).toEqual(expect.arrayContaining(["list-a", "list-b", "list-c"]));
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(["a.git", "a.lock", ".a", "-a", "_a", "api", "assets", "healthz", "n".repeat(101), "a%2Fb", "a%00", "ä"])(
    "are not called %s",
    async (name) => {
      expect((await operator("PUT", `/tenants/${name}`)).status).toBe(422);
      expect((await operator("GET", `/tenants/${name}`)).status).toBe(404);
      expect((await operator("GET", `/tenants/${name}/tokens`)).status).toBe(404);
    },
  );

  it("may have the longest name", async () => {
    const name = "n".repeat(100);
    expect((await operator("PUT", `/tenants/${name}`)).status).toBe(201);
    expect((await operator("PUT", `/repos/${name}/${name}`)).status).toBe(201);
    const token = await issueToken(operator, name, "repo:read");
    expect(await statusOf(service(`${name}/${name}`), token)).toBe(200);
  });

  it("take access from everybody at once when they are deleted, and from their bytes soon", async () => {
    await operator("PUT", "/tenants/going");
    const token = await issueToken(operator, "going", "tenant:admin");
    const { body } = await as(token)("PUT", "/repos/going/open", { visibility: "public" });
    await as(token)("PUT", "/repos/going/closed");
    const prefix = `repos/${String(body["id"])}.git/`;
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const keys = async (): Promise<number> => (await bucket.list({ prefix })).objects.length;
    await vi.waitFor(async () => expect(await keys()).toBeGreaterThan(0), { timeout: WAIT_LIMIT, interval: 200 });
    expect((await operator("DELETE", "/tenants/going")).status).toBe(204);
    expect(await statusOf(service("going/open"))).toBe(401);
    expect(await statusOf(service("going/closed"), token)).toBe(401);
    expect((await as(token)("GET", "/tenants/going")).status).toBe(401);
    expect((await operator("GET", "/repos/going/closed")).status).toBe(404);
    expect(JSON.stringify((await operator("GET", "/tenants?limit=1000")).body)).not.toContain('"going"');
    await vi.waitFor(async () => expect(await keys()).toBe(0), { timeout: WAIT_LIMIT, interval: 200 });
    // The same names again have nothing of the old.
    await operator("PUT", "/tenants/going");
    const again = await operator("PUT", "/repos/going/open");
    expect(again).toMatchObject({ status: 201, body: { visibility: "private" } });
    expect(again.body["id"]).not.toBe(body["id"]);
    expect(await statusOf(service("going/open"), token)).toBe(401);
    expect((await operator("GET", "/tenants/going/tokens")).body).toEqual({ tokens: [] });
  });
});

describe("tokens", () => {
  it("are shown once, listed without their text, and end with the next request when revoked", async () => {
    await operator("PUT", "/tenants/keys");
    await operator("PUT", "/repos/keys/one");
    const made = await operator("POST", "/tenants/keys/tokens", {
      name: "ci",
      scopes: ["repo:write", "repo:read"],
      repos: ["one", "one"],
      expires_in: 3600,
    });
    expect(made.status).toBe(201);
    expect(made.headers.get("Cache-Control")).toBe("no-store");
    expect(made.body).toMatchObject({ name: "ci", scopes: ["repo:read", "repo:write"], repos: ["one"] });
    const { token, id } = made.body as { token: string; id: string };
    expect(token).toMatch(/^tpk_keys_[0-9A-Za-z]{38}$/);
    expect(Date.parse(String(made.body["expires_at"])) - Date.now()).toBeGreaterThan(3_590_000);
    expect(await statusOf(service("keys/one"), token)).toBe(200);
    const listed = await operator("GET", "/tenants/keys/tokens");
    expect(listed.body["tokens"]).toMatchObject([{ id, name: "ci", last_used_at: expect.any(String) }]);
    expect(JSON.stringify(listed.body)).not.toContain(token.slice(-38));
    expect((await operator("DELETE", `/tenants/keys/tokens/${id}`)).status).toBe(204);
    expect(await statusOf(service("keys/one"), token)).toBe(401);
    expect((await as(token)("GET", "/repos/keys/one")).status).toBe(401);
    expect((await operator("DELETE", `/tenants/keys/tokens/${id}`)).status).toBe(404);
  });

  it("are unknown after they have expired", async () => {
    await operator("PUT", "/repos/keys/one");
    const token = await issueToken(operator, "keys", "repo:read", { expires_in: 60 });
    expect(await statusOf(service("keys/one"), token)).toBe(200);
    await new HostClock(host.base).advance(61_000);
    expect(await statusOf(service("keys/one"), token)).toBe(401);
  });

  it("are only for their repositories, and not for later ones of the same names", async () => {
    await operator("PUT", "/repos/keys/mine");
    await operator("PUT", "/repos/keys/theirs");
    const token = await issueToken(operator, "keys", "tenant:admin", { repos: ["mine"] });
    const client = as(token);
    expect(await statusOf(service("keys/mine"), token)).toBe(200);
    expect(await statusOf(service("keys/theirs"), token)).toBe(404);
    expect((await client("GET", "/tenants/keys/repos")).body["repos"]).toMatchObject([{ name: "mine" }]);
    // A cursor would name the last of the page, which may be somebody else's.
    await operator("PUT", "/repos/keys/before");
    for (const limit of [1, 2, 100]) {
      const page = await client("GET", `/tenants/keys/repos?limit=${limit}`);
      expect(page.body).toEqual({ repos: [expect.objectContaining({ name: "mine" })] });
    }
    expect((await client("PATCH", "/repos/keys/mine", { description: "changed" })).status).toBe(200);
    expect((await client("PATCH", "/repos/keys/theirs", { description: "changed" })).status).toBe(404);
    expect((await client("POST", "/tenants/keys/tokens", { name: "x", scopes: ["repo:read"] })).status).toBe(403);
    expect((await client("DELETE", "/repos/keys/mine")).status).toBe(204);
    expect((await operator("PUT", "/repos/keys/mine")).status).toBe(201);
    expect(await statusOf(service("keys/mine"), token)).toBe(404);
  });

  it("make none that outlives them, and are revoked together with those that they made if the request says so", async () => {
    await operator("PUT", "/tenants/family");
    const maker = await operator("POST", "/tenants/family/tokens", {
      name: "maker",
      scopes: ["tenant:admin"],
      expires_in: 3600,
    });
    const admin = as(String(maker.body["token"]));
    const make = async (more: object): Promise<ApiAnswer> =>
      await admin("POST", "/tenants/family/tokens", { name: "made", scopes: ["repo:read"], ...more });
    const made = await make({});
    expect(made).toMatchObject({
      status: 201,
      body: { created_by: maker.body["id"], expires_at: maker.body["expires_at"], children: 0 },
    });
    expect(await make({ expires_in: 60 })).toMatchObject({ status: 201 });
    expect(await make({ expires_in: 7200 })).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("can't outlive the one that makes it") as string },
    });
    const { body } = await operator("GET", "/tenants/family/tokens");
    expect(body["tokens"]).toContainEqual(expect.objectContaining({ id: maker.body["id"], children: 2 }));
    const path = `/tenants/family/tokens/${String(maker.body["id"])}`;
    expect((await operator("DELETE", `${path}?children=yes`)).status).toBe(422);
    expect(await operator("DELETE", `${path}?children=1`)).toMatchObject({ status: 200, body: { revoked: 3 } });
    expect((await operator("GET", "/tenants/family/tokens")).body["tokens"]).toEqual([]);
  });

  it("are revoked in their own tenant only", async () => {
    await operator("PUT", "/tenants/other");
    const admin = as(await issueToken(operator, "other", "tenant:admin"));
    const { body } = await operator("POST", "/tenants/keys/tokens", { name: "safe", scopes: ["repo:read"] });
    const id = String(body["id"]);
    expect((await admin("DELETE", `/tenants/keys/tokens/${id}`)).status).toBe(404);
    expect((await admin("DELETE", `/tenants/other/tokens/${id}`)).status).toBe(404);
    expect(await statusOf(service("keys/one"), String(body["token"]))).toBe(200);
  });

  it.each([
    ["no name", { scopes: ["repo:read"] }],
    ["an empty name", { name: "", scopes: ["repo:read"] }],
    ["a long name", { name: "n".repeat(101), scopes: ["repo:read"] }],
    ["a name of several lines", { name: "a\nb", scopes: ["repo:read"] }],
    ["no scope", { name: "x", scopes: [] }],
    ["another scope", { name: "x", scopes: ["repo:admin"] }],
    ["a scope from the prototype", { name: "x", scopes: ["constructor"] }],
    ["no repository", { name: "x", scopes: ["repo:read"], repos: [] }],
    [
      "too many repositories",
      { name: "x", scopes: ["repo:read"], repos: Array.from({ length: 101 }, (_, n) => `r${n}`) },
    ],
    ["a path for a repository", { name: "x", scopes: ["repo:read"], repos: ["../other"] }],
    ["no time", { name: "x", scopes: ["repo:read"], expires_in: 0 }],
    ["a time past all", { name: "x", scopes: ["repo:read"], expires_in: 1e15 }],
    ["half a second", { name: "x", scopes: ["repo:read"], expires_in: 0.5 }],
    ["a member too many", { name: "x", scopes: ["repo:read"], admin: true }],
    ["a polluting member", '{"name":"x","scopes":["repo:read"],"__proto__":{"scopes":["tenant:admin"]}}'],
    ["a polluting constructor", '{"name":"x","scopes":["repo:read"],"constructor":{"prototype":{"repos":["x"]}}}'],
  ])("are not made from %s", async (_, body) => {
    expect((await operator("POST", "/tenants/keys/tokens", body)).status).toBe(422);
  });

  it("are not made from a body that is no JSON, too large or too deep", async () => {
    const post = async (body: string, headers = {}): Promise<number> =>
      (await operator("POST", "/tenants/keys/tokens", body, headers)).status;
    expect(await post("{")).toBe(400);
    expect(await post(`{"name":"${"x".repeat(70_000)}"}`)).toBe(413);
    expect(await post("[".repeat(60_000))).toBe(400);
    expect(await post(`${"[".repeat(30_000)}${"]".repeat(30_000)}`)).toBe(422);
    expect(await post(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`)).toBe(422);
    expect(await post("name=x", { "Content-Type": "application/x-www-form-urlencoded" })).toBe(415);
    expect(await post("null")).toBe(422);
  });

  it("are refused in a URL, even if everything else is right", async () => {
    const token = await issueToken(operator, "keys", "repo:read");
    for (const query of [`x=${token}`, "access_token=abc", "private_token=abc", `q=a%20${token}`, `${token}=1`]) {
      const answer = await fetch(`${host.base}/api/v1/repos/keys/one?${query}`, {
        headers: { Authorization: "Bearer test-token" },
      });
      expect(answer.status).toBe(400);
      expect(await answer.text()).not.toContain(token);
      expect(await statusOf(`${service("keys/one")}&${query}`, token)).toBe(400);
    }
  });
});

describe("a repository and its token", () => {
  it("are made by one request", async () => {
    const asked = { description: "d", token: { name: "agent", scopes: ["repo:write"], expires_in: 3600 } };
    const made = await operator("PUT", "/repos/pairs/one", asked);
    expect([made.status, made.body]).toMatchObject([
      201,
      { name: "one", description: "d", token: { name: "agent", scopes: ["repo:write"], repos: ["one"] } },
    ]);
    const { token } = made.body["token"] as { token: string };
    expect((await as(token)("GET", "/repos/pairs/one")).status).toBe(200);
    expect((await as(token)("GET", "/tenants/pairs/tokens")).status).toBe(403);
    // What exists gets no further token.
    const again = await operator("PUT", "/repos/pairs/one", asked);
    expect(again.status).toBe(200);
    expect(again.body).not.toHaveProperty("token");
    expect((await operator("PUT", "/repos/pairs/one", { ...asked, description: "other" })).status).toBe(409);
    expect((await operator("GET", "/tenants/pairs/tokens")).body["tokens"]).toMatchObject([{ name: "agent" }]);
  });

  it("are both not made where one may not be", async () => {
    await operator("PUT", "/tenants/short");
    const maker = await issueToken(operator, "short", "tenant:admin", { expires_in: 600 });
    const asked = { token: { name: "agent", scopes: ["repo:read"], expires_in: 3600 } };
    expect((await as(maker)("PUT", "/repos/short/one", asked)).status).toBe(422);
    expect((await as(maker)("GET", "/repos/short/one")).status).toBe(404);
    const admin = { token: { name: "agent", scopes: ["tenant:admin"] } };
    expect((await operator("PUT", "/repos/short/one", admin)).status).toBe(422);
  });
});

describe("repositories of a tenant", () => {
  it("are listed page by page, as they are", async () => {
    await operator("PUT", "/tenants/many");
    const token = await issueToken(operator, "many", "repo:read");
    for (const name of ["c", "a", "B"]) await operator("PUT", `/repos/many/${name}`, { description: `it is ${name}` });
    await operator("PATCH", "/repos/many/a", { visibility: "public" });
    const first = await as(token)("GET", "/tenants/many/repos?limit=2");
    expect(first.body["repos"]).toMatchObject([
      { name: "a", visibility: "public", git_url: `${host.base}/many/a.git` },
      { name: "B", description: "it is B" },
    ]);
    const second = await as(token)("GET", `/tenants/many/repos?limit=2&cursor=${String(first.body["cursor"])}`);
    expect(second.body).toEqual({ repos: [expect.objectContaining({ name: "c" })] });
    expect((await operator("GET", "/tenants/many")).body).toMatchObject({ repos: 3 });
    for (const query of ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=e30"]) {
      expect((await operator("GET", `/tenants/many/repos?${query}`)).status).toBe(422);
    }
  });

  it("are no more than the tenant's quota, and made by a push only if the tenant allows it", async () => {
    await operator("PUT", "/tenants/small", { quotas: { repos: 1 } });
    const admin = await issueToken(operator, "small", "tenant:admin");
    expect((await as(admin)("PATCH", "/tenants/small", { quotas: { repos: 9 } })).status).toBe(403);
    expect(await statusOf(service("small/one", "receive"), admin)).toBe(200);
    expect((await as(admin)("PUT", "/repos/small/one")).status).toBe(201);
    expect((await as(admin)("PUT", "/repos/small/one")).status).toBe(200);
    expect(await as(admin)("PUT", "/repos/small/two")).toMatchObject({
      status: 403,
      body: { detail: "The tenant has as many repositories as it may." },
    });
    expect(await statusOf(service("small/two", "receive"), admin)).toBe(403);
    expect((await as(admin)("DELETE", "/repos/small/one")).status).toBe(204);
    expect((await as(admin)("PUT", "/repos/small/two")).status).toBe(201);
    await as(admin)("DELETE", "/repos/small/two");
    expect((await as(admin)("PATCH", "/tenants/small", { push_to_create: false })).status).toBe(200);
    expect(await statusOf(service("small/two", "receive"), admin)).toBe(403);
    expect((await as(admin)("PUT", "/repos/small/two")).status).toBe(201);
    expect(await statusOf(service("small/two", "receive"), admin)).toBe(200);
    expect(await statusOf(service("small/three", "receive"), "test-token")).toBe(200);
  });

  it("follow an upstream no more often than the operator lets their tenant", async () => {
    await operator("PUT", "/tenants/slow", { least_mirror_interval: 300 });
    const admin = await issueToken(operator, "slow", "tenant:admin");
    const path = "/repos/slow/one";
    await as(admin)("PUT", path);
    const mirror = async (interval: number): Promise<{ status: number; body: unknown }> =>
      await as(admin)("PUT", `${path}/mirror`, { upstream: "https://upstream.invalid/one.git", interval });
    const change = { least_mirror_interval: 5 };
    expect((await as(admin)("PATCH", "/tenants/slow", change)).status).toBe(403);
    expect(await mirror(299)).toMatchObject({ status: 422, body: { detail: expect.stringContaining("300 seconds") } });
    expect(await mirror(300)).toMatchObject({ status: 200, body: { interval: 300 } });
    for (const wrong of [0, -1, 1.5, 1e9, "5"]) {
      expect((await operator("PATCH", "/tenants/slow", { least_mirror_interval: wrong })).status).toBe(422);
    }
    expect(await operator("PATCH", "/tenants/slow", change)).toMatchObject({ status: 200, body: change });
    expect(await mirror(5)).toMatchObject({ status: 200, body: { interval: 5 } });
    const none = { least_mirror_interval: null };
    expect(await operator("PATCH", "/tenants/slow", none)).toMatchObject({ status: 200, body: none });
    expect(await mirror(59)).toMatchObject({ status: 422, body: { detail: expect.stringContaining("60 seconds") } });
    expect(await mirror(0)).toMatchObject({ status: 200, body: { interval: 0 } });
  });

  it("are changed only if their settings are as the client saw them, whatever is pushed meanwhile", async () => {
    const made = await operator("PUT", "/repos/many/tagged");
    const etag = made.headers.get("ETag") ?? "";
    const change = async (tag: string): Promise<number> =>
      (await operator("PATCH", "/repos/many/tagged", { read_only: true }, { "If-Match": tag })).status;
    expect(await change('"00"')).toBe(412);
    expect(await change(etag)).toBe(200);
    expect(await change(etag)).toBe(412);
    expect((await operator("GET", "/repos/many/tagged")).body).toMatchObject({ read_only: true });
    const gone = await operator("DELETE", "/repos/many/tagged", undefined, { "If-Match": etag });
    expect(gone.status).toBe(412);
    const { headers } = await operator("GET", "/repos/many/tagged");
    const current = { "If-Match": headers.get("ETag") ?? "" };
    expect((await operator("DELETE", "/repos/many/tagged", undefined, current)).status).toBe(204);
    expect((await operator("DELETE", "/repos/many/tagged", undefined, current)).status).toBe(404);
  });

  it("have rules", async () => {
    const rules = [
      { pattern: "main", pushers: ["ci"] },
      { pattern: "v*", allow_deletion: true, require_signed: true },
    ];
    expect((await operator("PATCH", "/repos/many/a", { protected: rules })).body["protected"]).toEqual([
      {
        pattern: "main",
        allow_force_push: false,
        allow_deletion: false,
        pushers: ["ci"],
        require_signed: false,
        required_contexts: [],
      },
      {
        pattern: "v*",
        allow_force_push: false,
        allow_deletion: true,
        pushers: null,
        require_signed: true,
        required_contexts: [],
      },
    ]);
    for (const wrong of [
      { pattern: "a..b" },
      { pattern: "" },
      { pattern: "main", pushers: [""] },
      { pattern: "x", y: 1 },
    ]) {
      expect((await operator("PATCH", "/repos/many/a", { protected: [wrong] })).status).toBe(422);
    }
  });
});

describe("what not everybody sees of a public repository", () => {
  const OF_TENANT = ["repo:read", "repo:write", "tenant:admin"] as const;
  let callers: Map<string, ApiClient>;

  beforeAll(async () => {
    await operator("PUT", "/tenants/elsewhere");
    await operator("PUT", "/repos/shown/rules", { visibility: "public" });
    await operator("PUT", "/repos/shown/mirror", { visibility: "public" });
    callers = new Map([
      ["operator", operator],
      ["anybody", apiClient(host.base)],
      ["another tenant's", as(await issueToken(operator, "elsewhere", "tenant:admin"))],
    ]);
    for (const scope of OF_TENANT) callers.set(scope, as(await issueToken(operator, "shown", scope)));
  });

  /** Gives an answer as each caller sees it. */
  async function seenBy(path: string): Promise<Map<string, ApiAnswer>> {
    const seen = new Map<string, ApiAnswer>();
    for (const [who, ask] of callers) seen.set(who, await ask("GET", path));
    expect([...seen.values()].map(({ status }) => status)).toEqual(Array.from(seen, () => 200));
    return seen;
  }

  it("is who may push to a protected ref: the body and the tag tell those who administer it", async () => {
    const tags: Map<string, string | null>[] = [];
    for (const pushers of [["ci"], ["ci", "deploy"], null]) {
      const rules = [{ pattern: "main", pushers }];
      expect((await operator("PATCH", "/repos/shown/rules", { protected: rules })).status).toBe(200);
      const seen = await seenBy("/repos/shown/rules");
      for (const [who, { body }] of seen) {
        const shown = {
          pattern: "main",
          allow_force_push: false,
          allow_deletion: false,
          require_signed: false,
          required_contexts: [],
        };
        const administers = who === "operator" || who === "tenant:admin";
        expect([who, body["protected"]]).toEqual([who, [administers ? { ...shown, pushers } : shown]]);
      }
      tags.push(new Map(Array.from(seen, ([who, { headers }]) => [who, headers.get("ETag")])));
    }
    for (const who of callers.keys()) {
      const different = new Set(tags.map((byCaller) => byCaller.get(who)));
      expect([who, different.size]).toEqual([who, who === "operator" || who === "tenant:admin" ? 3 : 1]);
    }
    // What they see has a tag that changes with it.
    await operator("PATCH", "/repos/shown/rules", { description: "other" });
    const other = await seenBy("/repos/shown/rules");
    for (const [who, { headers }] of other)
      expect([who, headers.get("ETag")]).not.toEqual([who, tags.at(-1)?.get(who)]);
  });

  it("is whom a mirror follows: those are told who could push to it if it were none", async () => {
    const upstream = "https://upstream.invalid/secret-place.git";
    expect((await operator("PUT", "/repos/shown/mirror/mirror", { upstream, interval: 0 })).status).toBe(200);
    const told = ["operator", "repo:write", "tenant:admin"];
    for (const [who, { body }] of await seenBy("/repos/shown/mirror")) {
      const shown = told.includes(who) ? { upstream } : {};
      expect([who, body["mirror"]]).toEqual([who, { ...shown, interval: 0, synced_at: null }]);
    }
    for (const scope of OF_TENANT) {
      const token = await issueToken(operator, "shown", scope);
      const headers = { Authorization: `Bearer ${token}` };
      const refused = await fetch(service("shown/mirror", "receive"), { headers });
      expect(refused.status).toBe(403);
      expect([scope, (await refused.text()).includes(upstream)]).toEqual([scope, told.includes(scope)]);
    }
  });
});

describe("an authenticated ls-remote", () => {
  it("takes three Durable Object calls, and looks up the token while it opens the repository", async () => {
    await operator("PUT", "/repos/keys/counted");
    const token = await issueToken(operator, "keys", "repo:read");
    const headers = { Authorization: `Bearer ${token}`, "Git-Protocol": "version=2" };
    const figures = (answer: Response): (string | undefined)[] =>
      ["do", "rt"].map(
        (key) => new RegExp(`\\b${key};desc="(\\d+)"`).exec(answer.headers.get("Server-Timing") ?? "")?.[1],
      );
    const advertised = await fetch(service("keys/counted"), { headers });
    await advertised.text();
    expect(figures(advertised)).toEqual(["1", "1"]);
    const listRefs = async (): Promise<Response> => {
      const listed = await fetch(`${host.base}/keys/counted.git/git-upload-pack`, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/x-git-upload-pack-request" },
        body: "0014command=ls-refs\n00010009peel\n0000",
      });
      expect(listed.status).toBe(200);
      await listed.text();
      return listed;
    };
    // The first time it might be a mirror, which is looked for first.
    expect(figures(await listRefs())).toEqual(["2", "2"]);
    expect(figures(await listRefs())).toEqual(["2", "1"]);
  });
});
