/**
 * The audit log of a tenant: what is in it, who reads it, and what is not in it.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
let operator: ApiClient;

type Entry = Readonly<Record<"actor" | "actor_name" | "action" | "subject", string>> & {
  readonly details: Record<string, unknown>;
};

async function log(query = ""): Promise<Entry[]> {
  const answer = await operator("GET", `/tenants/acme/audit${query}`);
  expect(answer.status).toBe(200);
  return answer.body["entries"] as Entry[];
}

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme", {});
});

afterAll(async () => {
  await host.stop();
});

it("the audit log names who did what, with the name that the token had, and no secret", async () => {
  const token = await issueToken(operator, "acme", "tenant:admin", { name: "ada" });
  const ada = apiClient(host.base, token);
  await ada("PUT", "/repos/acme/one", { visibility: "public" });
  await ada("PUT", "/repos/acme/one", {});
  await ada("PATCH", "/repos/acme/one", { protected: [{ pattern: "main" }], description: "x" });
  const hook = await ada("POST", "/repos/acme/one/hooks", { url: "https://x.example/in", secret: "very secret" });
  await ada("PATCH", "/repos/acme/one", { name: "two" });
  await ada("PUT", "/repos/acme/m/mirror", { upstream: "https://up.example/x.git" });
  await ada("DELETE", "/repos/acme/two");
  await ada("GET", "/repos/acme/two");
  const [id = ""] = (await log("?action=token.create")).map(({ subject }) => subject);
  await operator("DELETE", `/tenants/acme/tokens/${id}`);
  const entries = await log();
  expect(entries.map(({ actor_name, action, subject }) => [actor_name, action, subject]).toReversed()).toEqual([
    [null, "tenant.create", ""],
    [null, "token.create", id],
    ["ada", "repo.create", "one"],
    ["ada", "repo.change", "one"],
    ["ada", "hook.create", `one/${String(hook.body["id"])}`],
    ["ada", "repo.change", "one"],
    ["ada", "repo.delete", "two"],
    [null, "token.revoke", id],
  ]);
  expect(entries.at(-1)?.actor).toBe("operator");
  expect(entries.at(-3)).toMatchObject({ actor: `token:${id}`, details: { visibility: "public", by_push: false } });
  expect(entries.at(-4)?.details["changed"]).toEqual(["protected", "description"]);
  expect(JSON.stringify(entries)).not.toContain("secret");
  expect(JSON.stringify(entries)).not.toContain(token);
});

it("the audit log counts refused logins, at most one entry a minute", async () => {
  const forged = (await issueToken(operator, "acme", "repo:read")).replace(/.$/, (last) => last);
  const made = (await log("?action=token.create"))[0]?.subject ?? "";
  await operator("DELETE", `/tenants/acme/tokens/${made}`);
  for (let tries = 0; tries < 3; tries++) {
    expect((await apiClient(host.base, forged)("GET", "/repos/acme/x")).status).toBe(401);
  }
  expect(await log("?action=login.refused")).toMatchObject([{ actor: "nobody", subject: "x", details: { count: 1 } }]);
});

it("the audit log is read in pages, by those who administer the tenant", async () => {
  const first = await operator("GET", "/tenants/acme/audit?limit=2");
  expect(first.body["entries"]).toHaveLength(2);
  const rest = await log(`?limit=1000&cursor=${String(first.body["cursor"])}`);
  expect(rest.length).toBe((await log()).length - 2);
  const reader = apiClient(host.base, await issueToken(operator, "acme", "repo:write"));
  expect((await reader("GET", "/tenants/acme/audit")).status).toBe(403);
  await operator("PUT", "/tenants/other", {});
  const stranger = apiClient(host.base, await issueToken(operator, "other", "tenant:admin"));
  expect((await stranger("GET", "/tenants/acme/audit")).status).toBe(404);
});

it("a tenant of the same name does not get the log of a deleted one", async () => {
  await operator("DELETE", "/tenants/acme");
  expect((await operator("PUT", "/tenants/acme", {})).status).toBe(201);
  expect((await log()).map(({ action }) => action)).toEqual(["tenant.create"]);
});
