/**
 * Bounds on wrong tokens and on requests of a tenant, with the platform's counters as workerd plays them.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;

beforeAll(async () => {
  host = await startTestHost({ rateLimits: { login: 3, tenant: 5 } });
});

afterAll(async () => {
  await host.stop();
});

async function ask(address: string, authorization?: string, path = "/acme/open.git/HEAD"): Promise<Response> {
  const answer = await fetch(host.base + path, {
    headers: { "CF-Connecting-IP": address, ...(authorization === undefined ? {} : { Authorization: authorization }) },
  });
  await answer.text();
  return answer;
}

it("the host shuts out an address that sends too many wrong tokens, on every surface, and no other address", async () => {
  await apiClient(host.base, "test-token")("PUT", "/repos/acme/open", { visibility: "public" });
  const wrong = "Bearer tpk_acme_wrong";
  for (let tries = 0; tries < 3; tries++) expect((await ask("192.0.2.1", wrong)).status).toBe(401);
  for (const path of [
    "/acme/open.git/HEAD",
    "/acme/open.git/info/refs?service=git-upload-pack",
    "/api/v1/repos/acme/open",
  ]) {
    const answer = await ask("192.0.2.1", wrong, path);
    expect(answer.status).toBe(429);
    expect(answer.headers.get("Retry-After")).toBe("60");
  }
  // A guess must not be told from the rest by being right.
  expect((await ask("192.0.2.1", "Bearer test-token")).status).toBe(429);
  expect((await ask("192.0.2.1")).status).toBe(200);
  expect((await ask("192.0.2.2", "Bearer test-token")).status).toBe(200);
});

it("the host counts an IPv6 network as one address", async () => {
  for (const host64 of ["1", "2", "ffff:1"]) expect((await ask(`2001:db8::${host64}`, "Bearer x")).status).toBe(401);
  expect((await ask("2001:db8:0:0:9::1", "Bearer x")).status).toBe(429);
  expect((await ask("2001:db8:0:1::1", "Bearer x")).status).toBe(401);
});

it("the host bounds the requests of a tenant's tokens together, and those of no other tenant", async () => {
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/busy");
  await operator("PUT", "/tenants/quiet");
  const tokens = [await issueToken(operator, "busy", "repo:read"), await issueToken(operator, "busy", "repo:read")];
  const statuses: number[] = [];
  for (let request = 0; request < 6; request++) {
    const answer = await apiClient(host.base, tokens[request % 2])("GET", "/tenants/busy");
    statuses.push(answer.status);
    if (answer.status === 429) expect(answer.headers.get("Retry-After")).toBe("60");
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  const other = await issueToken(operator, "quiet", "repo:read");
  expect((await apiClient(host.base, other)("GET", "/tenants/quiet")).status).toBe(200);
});

it("the host takes no session for a guess, whatever its pages ask the API for", async () => {
  const signIn = async (token: string): Promise<string> => {
    const answer = await fetch(`${host.base}/-/login`, {
      method: "POST",
      headers: { Origin: host.base, "Content-Type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams({ token })),
      redirect: "manual",
    });
    return (answer.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
  };
  const look = async (address: string, cookie: string, path: string): Promise<number> => {
    const headers = { Accept: "text/html", "CF-Connecting-IP": address, Cookie: cookie };
    return (await fetch(host.base + path, { headers })).status;
  };
  // Others at the address have guessed.
  for (let tries = 0; tries < 4; tries++) await ask("192.0.2.8", "Bearer tpk_acme_wrong");
  const mine = await signIn("test-token");
  for (const path of ["/", "/acme", "/-/public"])
    expect([path, await look("192.0.2.8", mine, path)]).toEqual([path, 200]);
  const operator = apiClient(host.base, "test-token");
  const made = await operator("POST", "/tenants/acme/tokens", { name: "session", scopes: ["repo:read"] });
  const ended = await signIn(String(made.body["token"]));
  await operator("DELETE", `/tenants/acme/tokens/${String(made.body["id"])}`);
  for (let views = 0; views < 5; views++) expect(await look("192.0.2.9", ended, "/acme")).toBe(404);
  expect((await ask("192.0.2.9", "Bearer test-token")).status).toBe(200);
});
