/**
 * Names of refs, commits and the like with pieces that a URL resolves: `.`, `..`, and their encoded forms. None of them leads a request to
 * another thing than the one that it is about, whoever passes the name on: the facade, or the command.
 */
import { request as openRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startCommand } from "../support/command.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const TOKEN = "test-token";

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let tip = "";

/** Sends a path as it is given: `fetch` would resolve it. */
function askRaw(
  method: string,
  path: string,
  body?: object,
  accept = "*/*",
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(host.base);
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", Accept: accept };
  return new Promise((resolve, reject) => {
    const request = openRequest({ hostname, port, method, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? -1, text }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Everything that must not change: the repositories, the tenants, and the refs of the victim. */
async function everything(): Promise<object> {
  const [repos, tenants, refs] = await Promise.all(
    ["/tenants/acme/repos", "/tenants", "/repos/acme/victim/refs"].map(
      async (path) => (await operator("GET", path)).body,
    ),
  );
  const namesOf = (list: unknown): string[] => (list as { name: string }[]).map(({ name }) => name).toSorted();
  return { repos: namesOf(repos?.["repos"]), tenants: namesOf(tenants?.["tenants"]), refs: refs?.["refs"] };
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("names-in-paths");
  operator = apiClient(host.base, TOKEN);
  const work = await git.init();
  tip = await git.commit(work, "a.txt", "a\n", "the secret of nobody");
  for (const tenant of ["acme", "evil"]) await operator("PUT", `/tenants/${tenant}`);
  for (const repo of ["priv", "victim", "refs"]) {
    await operator("PUT", `/repos/acme/${repo}`);
    await git.ok(["push", "-q", withToken(`${host.base}/acme/${repo}.git`, TOKEN), "main"], { cwd: work });
  }
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("a request", () => {
  const FACADE = "/api/v3/repos/acme/priv";
  const V1 = "/api/v1/repos/acme/priv";
  const MOVE = { sha: "", force: true };
  it.each<[string, string, object?]>([
    ["DELETE", `${FACADE}/git/refs/heads%2F..%2F..%2F..%2Fvictim`],
    ["DELETE", `${FACADE}/git/refs/heads%2F..%2F..%2F..%2F..%2Fvictim`],
    ["DELETE", `${FACADE}/git/refs/heads%2F..%2F..%2F..%2F..%2F..%2Ftenants%2Fevil`],
    ["DELETE", `${FACADE}/git/refs/heads%2F%252e%252e%2F..%2F..%2Fvictim`],
    ["DELETE", `${FACADE}/git/refs/heads%2F..%5C..%5C..%5C..%5Cvictim`],
    ["PATCH", `${FACADE}/git/refs/heads%2F..%2F..%2F..%2Fvictim%2Frefs%2Fheads%2Fmain`, MOVE],
    ["POST", `${FACADE}/git/refs`, { ref: "refs/heads/../../../victim/refs/heads/zz", sha: "" }],
    ["POST", `${FACADE}/git/refs`, { ref: "refs/heads/./dot", sha: "" }],
    ["POST", `${FACADE}/git/refs`, { ref: "refs/heads//dot", sha: "" }],
    ["POST", `${FACADE}/statuses/..%2F..%2Fvictim`, { state: "success" }],
    ["POST", `/api/v3/orgs/acme/repos`, { name: ".." }],
    ["POST", `/api/v3/orgs/acme/repos`, { name: "../evil" }],
    ["DELETE", `${V1}/refs/heads%2F..%2F..%2F..%2Fvictim`],
    ["DELETE", `${V1}/notes/..%2F..%2Fvictim`],
    ["DELETE", `${V1}/refs/..%2F..%2F..%2Fvictim`],
    ["DELETE", `${V1}/hooks/..%2F..%2Fvictim`],
    ["DELETE", "/api/v1/tenants/acme/tokens/..%2F..%2Fevil"],
    ["DELETE", "/api/v1/repos/acme/priv%2F..%2Fvictim"],
    ["PUT", `${V1}/refs/heads/x/..%2Fy`, { oid: "" }],
  ])("%s %s %j changes nothing", async (method, path, body) => {
    const before = await everything();
    const named =
      body === undefined
        ? undefined
        : { ...body, ...("sha" in body ? { sha: tip } : {}), ...("oid" in body ? { oid: tip } : {}) };
    const { status } = await askRaw(method, path, named);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(await everything()).toEqual(before);
    expect((await operator("GET", "/repos/acme/priv/refs")).body["refs"]).toEqual([
      { name: "refs/heads/main", oid: tip },
    ]);
  });

  it("may make a ref whose name only looks so", async () => {
    const ref = "refs/heads/%2e%2e/dot";
    expect((await askRaw("POST", `${FACADE}/git/refs`, { ref, sha: tip })).status).toBe(201);
    expect((await operator("GET", "/repos/acme/priv/refs")).body["refs"]).toContainEqual({ name: ref, oid: tip });
    expect((await askRaw("DELETE", `${FACADE}/git/${ref.replaceAll("%", "%25")}`)).status).toBe(204);
    expect((await operator("GET", "/repos/acme/priv/refs")).body["refs"]).toHaveLength(1);
  });

  it.each([
    ["commits", "commits/..%2F..%2Fvictim%2Fcommits%2Fmain"],
    ["compare", "compare/..%2F..%2Fvictim%2Fdiff%2Fmain...main"],
  ])("for %s of one repository does not give another's", async (_, path) => {
    const answer = await askRaw("GET", `${FACADE}/${path}`, undefined, "application/vnd.github.diff");
    expect([answer.status, answer.text]).toEqual([
      expect.toSatisfy((status) => [404, 422].includes(Number(status))),
      expect.not.stringContaining("diff --git"),
    ]);
  });
});

describe("the command", () => {
  it.each([
    ["branch", "delete", "acme/priv", "../../../../acme/victim"],
    ["branch", "delete", "acme/priv", "./main"],
    ["branch", "delete", "acme/priv", "%2e%2e/main"],
    ["branch", "delete", "acme/priv", "a b"],
    ["branch", "set", "acme/priv", "../../../victim/refs/heads/zz", "--at", "main"],
    ["tag", "delete", "acme/priv", "../../../victim"],
    ["notes", "remove", "acme/priv", "../../victim"],
    ["notes", "remove", "acme/priv", ".."],
    ["notes", "add", "acme/priv", "../refs/heads/main", "-m", "x"],
    ["hook", "remove", "acme/priv", ".."],
    ["key", "remove", "acme/priv", ".."],
    ["token", "revoke", "evil", ".."],
    ["repo", "delete", "../tenants", "--yes"],
    ["repo", "delete", "acme/..", "--yes"],
    ["tenant", "delete", "..", "--yes"],
    ["commit", "acme/..", "-b", "main", "-m", "x", "--allow-empty"],
    ["api", "-X", "DELETE", "repos/acme/priv/../victim"],
    ["api", "-X", "DELETE", "repos/acme/priv/%2E%2e/victim"],
    ["api", "-X", "DELETE", "repos/acme/priv/.\t./victim"],
    ["api", "-X", "DELETE", "repos/acme/priv\\..\\victim"],
    // What stands in an argument for a byte that is no UTF-8 would name another branch.
    ["branch", "delete", "acme/priv", "caf\uFFFD"],
    ["commit", "acme/priv", "-b", "caf\uFFFD", "-m", "x", "--start", "main", "--allow-empty"],
    ["commit", "acme/priv", "-b", "main", "-m", "x", "--delete", "caf\uFFFD"],
    ["branch", "default", "acme/priv", "caf\uFFFD"],
    ["merge", "acme/priv", "main", "--into", "caf\uFFFD"],
    ["notes", "add", "acme/priv", "main", "-m", "x", "--ref", "caf\uFFFD"],
    ["repo", "protect", "acme/priv", "caf\uFFFD"],
  ])("%s %s %s %s changes nothing, and says so", async (...args) => {
    const before = await everything();
    const { code, stderr } = await startCommand(git, [...args, "--base", host.base, "--token", TOKEN]).ended;
    expect([code, stderr]).toEqual([expect.toSatisfy((given) => given !== 0), expect.stringMatching(/./)]);
    expect(await everything()).toEqual(before);
    expect((await operator("GET", "/repos/acme/priv/refs")).body["refs"]).toEqual([
      { name: "refs/heads/main", oid: tip },
    ]);
  });
});
