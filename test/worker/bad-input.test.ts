/**
 * What no honest client sends to the API: paths, methods and bodies. Every one is answered with a problem and a sentence.
 *
 * @packageDocumentation
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
let operator: ApiClient;

/** Asks with a path that no URL parser has touched; gives the status line, headers and body. */
async function askRaw(method: string, path: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(host.base);
  return await new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer test-token\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.setEncoding("utf8");
    socket.on("data", (data: string) => (text += data));
    socket.on("error", reject);
    socket.on("close", () => resolve({ status: Number(text.split(" ")[1]), text }));
  });
}

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/one", {});
  await operator("PUT", "/repos/other/two", {});
});

afterAll(async () => {
  await host.stop();
});

const SEGMENTS = [
  "..",
  ".",
  "%2e%2e",
  "%2e%2e%2fother",
  "..%2fother",
  "..%5cother",
  "acme%2fone",
  "%00",
  "a%00b",
  "a%0d%0ab",
  "%",
  "%zz",
  "%c0%ae%c0%ae",
  "%ff",
  "a%20b",
  "%F0%9F%98%80",
  "",
  "-rf",
  ".git",
  "x.git",
  "x.lock",
  "constructor%00",
  "n".repeat(101),
  "n".repeat(5000),
];

describe.each(SEGMENTS)("the segment %j", (segment) => {
  it.each([
    ["a tenant", `/api/v1/tenants/${segment}`],
    ["a tenant with tokens", `/api/v1/tenants/${segment}/tokens`],
    ["a tenant with repositories", `/api/v1/tenants/${segment}/repos`],
    ["a repository's tenant", `/api/v1/repos/${segment}/one`],
    ["a repository", `/api/v1/repos/acme/${segment}`],
    ["a repository with refs", `/api/v1/repos/acme/${segment}/refs`],
    ["git's tenant", `/${segment}/one/info/refs?service=git-upload-pack`],
    ["git's repository", `/acme/${segment}/info/refs?service=git-upload-pack`],
  ])("is refused for %s", async (_, path) => {
    for (const method of ["GET", "DELETE"]) {
      const { status } = await askRaw(method, path);
      // Dots are taken out of a path before the Worker sees it, and empty segments are passed over: then it is another
      // path, which may well be there.
      const isOther = /\/(?:\.|%2e){0,2}(?:\/|$)/i.test(path.split("?")[0] ?? "");
      if (isOther && status === 200) expect(method).toBe("GET");
      else expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect((await operator("GET", "/repos/other/two")).status).toBe(200);
  });
});

it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"])(
  "%s is a name like others",
  async (name) => {
    if (name !== "__proto__") {
      expect((await operator("GET", `/tenants/${name}`)).status).toBe(404);
      expect((await operator("GET", `/repos/${name}/x`)).status).toBe(404);
    }
    expect((await operator("GET", `/repos/acme/${name}`)).status).toBe(404);
    expect((await operator("PUT", `/repos/acme/${name}`)).status).toBe(201);
    expect((await operator("GET", `/repos/acme/${name}`)).body).toMatchObject({ name });
  },
);

it("is answered as missing when a repository of that name is deleted", async () => {
  expect((await operator("DELETE", "/repos/acme/never")).status).toBe(404);
  expect((await operator("DELETE", "/repos/nobody/never")).status).toBe(404);
});

describe("a body", () => {
  it.each([
    [String.raw`{"description":"\ud800"}`, 422, /^description: has half a character$/],
    [String.raw`{"default_branch":"x\udfff"}`, 422, /^default_branch: has half a character$/],
    [`{"visibility":"${"z".repeat(60_000)}"}`, 422, /^visibility: .{150,200}…$/],
    [`{"${"k".repeat(60_000)}":1}`, 422, /^unknown member "k{100,}…/],
    ['{"description": hunter2}', 400, /^The body is not JSON\.$/],
    ["{}x", 400, /^The body is not JSON: see character 2\.$/],
    ["[".repeat(30_000) + "]".repeat(30_000), 422, /^the body: has to be an object/],
    [`{"description":${"[".repeat(30_000)}${"]".repeat(30_000)}}`, 422, /^description: /],
  ])("number %# is refused in a short sentence that repeats little", async (body, status, detail) => {
    const answer = await operator("PUT", "/repos/acme/never-made", body);
    expect(answer.status).toBe(status);
    expect(answer.body["detail"]).toMatch(detail);
    expect((await operator("GET", "/repos/acme/never-made")).status).toBe(404);
  });

  it("that is not UTF-8 is refused as no JSON", async () => {
    const body = Buffer.concat([Buffer.from('{"description":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const answer = await fetch(`${host.base}/api/v1/repos/acme/never-made`, {
      method: "PUT",
      headers: { Authorization: "Bearer test-token", "Content-Type": "application/json" },
      body,
    });
    expect(answer.status).toBe(400);
  });

  it.each([
    ["POST", "/repos/acme/one/hooks", { url: "https://example.com/", secret: ["hunter2"] }],
    ["POST", "/repos/acme/one/hooks", { url: "https://example.com/", secret: 48151623 }],
    ["PUT", "/repos/acme/one/mirror", { upstream: "https://example.com/x", username: "u", password: 48151623 }],
    ["PUT", "/repos/acme/one/mirror", { upstream: "https://example.com/x", username: 48151623, password: "hunter2" }],
    ["PUT", "/repos/acme/one/mirror", { upstream: "https://example.com/x", hook_secret: [48151623] }],
    ["PUT", "/repos/acme/one/mirror", { upstream: "https://example.com/x", hook_secret: 48151623 }],
  ])("%s %s does not repeat secrets that it refuses", async (method, path, body) => {
    const answer = await operator(method, path, body);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|48151623/);
  });
});

describe("methods", () => {
  it.each([
    ["POST", "/repos/acme/one", "DELETE, GET, HEAD, PATCH, PUT"],
    ["PUT", "/repos/acme/one/refs", "GET, HEAD, POST"],
    ["POST", "/tenants", "GET, HEAD"],
    ["POST", "/tenants/acme", "DELETE, GET, HEAD, PATCH, PUT"],
    ["PUT", "/tenants/acme/tokens", "GET, HEAD, POST"],
    ["GET", "/tenants/acme/tokens/x", "DELETE"],
    ["DELETE", "/openapi.json", "GET, HEAD"],
    ["OPTIONS", "/repos/acme/one", "DELETE, GET, HEAD, PATCH, PUT"],
    ["PROPFIND", "/repos/acme/one", "DELETE, GET, HEAD, PATCH, PUT"],
  ])("%s %s is not taken", async (method, path, allow) => {
    const answer = await operator(method, path);
    expect([answer.status, answer.headers.get("Allow")]).toEqual([405, allow]);
  });

  it("of unknown paths and versions are answered with 404", async () => {
    for (const path of [
      "/nonsense",
      "/repository",
      "/repos/acme",
      "/repos/acme/one/nonsense",
      "/tenants/acme/nonsense",
    ]) {
      expect((await operator("GET", path)).status).toBe(404);
    }
    const answer = await fetch(`${host.base}/api/v2/tenants`);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([404, "application/problem+json"]);
  });
});

describe("bodies", () => {
  const PLACES = [
    ["PUT", "/tenants/acme"],
    ["PATCH", "/tenants/acme"],
    ["PUT", "/repos/acme/one"],
    ["PATCH", "/repos/acme/one"],
    ["POST", "/tenants/acme/tokens"],
  ] as const;

  it.each(PLACES)("of %s %s have to match their description", async (method, path) => {
    const status = async (body: string, headers = {}): Promise<number> =>
      (await operator(method, path, body, headers)).status;
    expect(await status("{")).toBe(400);
    expect(await status('{"a":1}{')).toBe(400);
    expect(await status("\u0000")).toBe(400);
    expect(await status("[]")).toBe(422);
    expect(await status('"text"')).toBe(422);
    expect(await status("null")).toBe(422);
    expect(await status('{"nonsense":1}')).toBe(422);
    expect(await status('{"__proto__":{"visibility":"public","push_to_create":false}}')).toBe(422);
    expect(await status('{"constructor":{"prototype":{"polluted":true}}}')).toBe(422);
    expect(await status("{}", { "Content-Type": "text/plain" })).toBe(415);
    expect(await status("{}", { "Content-Type": "application/x-www-form-urlencoded" })).toBe(415);
    expect(await status(`{"description":"${"x".repeat(70_000)}"}`)).toBe(413);
    expect(await status("[".repeat(60_000))).toBe(400);
    expect(await status(`{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`)).toBe(422);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("change nothing if they are refused", async () => {
    const before = (await operator("GET", "/tenants/acme")).body;
    for (const quotas of [{ repos: -1 }, { repos: 1.5 }, { repos: "1" }, { bytes: 1e300 }, { nonsense: 1 }, [], 5]) {
      expect((await operator("PATCH", "/tenants/acme", { push_to_create: false, quotas })).status).toBe(422);
    }
    expect((await operator("GET", "/tenants/acme")).body).toEqual(before);
  });

  it.each([
    [
      "PATCH",
      "/repos/acme/one",
      { visibilty: "public" },
      "#/visibilty",
      'unknown member "visibilty"; did you mean "visibility"?',
    ],
    [
      "PATCH",
      "/repos/acme/one",
      { protected: [{ pattern: "main", allow_deletoin: true }] },
      "#/protected/0/allow_deletoin",
      'unknown member "protected.0.allow_deletoin"; did you mean "allow_deletion"?',
    ],
    ["PATCH", "/repos/acme/one", { protected: [{}] }, "#/protected/0/pattern", "protected.0.pattern: is missing"],
    ["DELETE", "/repos/acme/one", { force: true }, "#/force", 'unknown member "force"'],
    ["POST", "/repos/acme/one/mirror/sync", { force: true }, "#/force", 'unknown member "force"'],
  ] as const)("point at what is wrong: %s %s %j", async (...[method, path, body, pointer, detail]) => {
    const { status, body: problem } = await operator(method, path, body);
    expect(status).toBe(422);
    expect(problem).toMatchObject({
      detail,
      code: detail.startsWith("unknown") ? "unknown_member" : "invalid_member",
      errors: [{ pointer, detail }],
    });
  });
});
