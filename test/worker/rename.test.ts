/**
 * Renames over the API: who may, what follows, and where the old address leads.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it, describe } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

const READ = "info/refs?service=git-upload-pack";

let host: RunningHost;
let operator: ReturnType<typeof apiClient>;

/** Asks without following a redirect. */
async function ask(path: string, token?: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  return await fetch(host.base + path, { redirect: "manual", ...init, headers });
}

async function leadsTo(path: string, token?: string, init?: RequestInit): Promise<readonly [number, string | null]> {
  const answer = await ask(path, token, init);
  await answer.text();
  return [answer.status, answer.headers.get("Location")?.replace(host.base, "") ?? null];
}

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`, {});
});

afterAll(async () => {
  await host.stop();
});

describe("a renamed repository", () => {
  it("answers at its new name, and at its old one with a redirect until that is taken", async () => {
    await operator("PUT", "/repos/acme/old", { description: "mine" });
    const reader = await issueToken(operator, "acme", "repo:read", { repos: ["OLD"] });
    const renamed = await operator("PATCH", "/repos/acme/old", { name: "New", description: "ours" });
    expect([renamed.status, renamed.body]).toMatchObject([200, { name: "New", description: "ours" }]);
    expect((await ask(`/acme/new.git/${READ}`, "test-token")).status).toBe(200);
    expect(await leadsTo(`/acme/old.git/${READ}`, "test-token")).toEqual([301, `/acme/New.git/${READ}`]);
    expect(await leadsTo("/acme/old/HEAD", "test-token")).toEqual([301, "/acme/New/HEAD"]);
    expect(await leadsTo("/api/v1/repos/acme/old/refs", "test-token")).toEqual([308, "/api/v1/repos/acme/New/refs"]);
    const push = "info/refs?service=git-receive-pack";
    expect(await leadsTo(`/acme/old.git/${push}`, "test-token")).toEqual([301, `/acme/New.git/${push}`]);
    const change = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: "{}" };
    expect(await leadsTo("/api/v1/repos/acme/old", "test-token", change)).toEqual([308, "/api/v1/repos/acme/New"]);
    // A token that was for the old name is for the new one.
    expect((await ask("/api/v1/repos/acme/new", reader)).status).toBe(200);
    const listed = await operator("GET", "/tenants/acme/repos");
    expect(listed.body["repos"]).toMatchObject([{ name: "New" }]);
    expect((await operator("GET", "/tenants/acme")).body["repos"]).toBe(1);
    expect((await operator("PUT", "/repos/acme/old", {})).status).toBe(201);
    expect((await ask(`/acme/old.git/${READ}`, "test-token")).status).toBe(200);
    expect((await ask("/api/v1/repos/acme/old", reader)).status).toBe(404);
  });

  it("is no secret to those who could read it, and none that is told to others", async () => {
    await operator("PUT", "/repos/acme/shown", { visibility: "public" });
    await operator("PUT", "/repos/acme/hidden", {});
    for (const name of ["shown", "hidden"]) await operator("PATCH", `/repos/acme/${name}`, { name: `${name}-2` });
    const stranger = await issueToken(operator, "other", "tenant:admin");
    expect(await leadsTo(`/acme/shown.git/${READ}`)).toEqual([301, `/acme/shown-2.git/${READ}`]);
    expect(await leadsTo(`/acme/shown.git/${READ}`, stranger)).toEqual([301, `/acme/shown-2.git/${READ}`]);
    expect(await leadsTo(`/acme/hidden.git/${READ}`)).toEqual([401, null]);
    expect(await leadsTo(`/acme/hidden.git/${READ}`, stranger)).toEqual([404, null]);
    await operator("PATCH", "/repos/acme/shown-2", { visibility: "private" });
    expect(await leadsTo(`/acme/shown.git/${READ}`)).toEqual([401, null]);
  });

  it("may get a name that is free, and no other", async () => {
    await operator("PUT", "/repos/acme/one", {});
    await operator("PUT", "/repos/acme/two", {});
    expect((await operator("PATCH", "/repos/acme/one", { name: "TWO" })).status).toBe(409);
    expect((await operator("PATCH", "/repos/acme/one", { name: "a.lock" })).status).toBe(422);
    expect((await operator("PATCH", "/repos/acme/none", { name: "three" })).status).toBe(404);
    const renamed = await operator("PATCH", "/repos/acme/one", { name: "ONE" });
    expect([renamed.status, renamed.body]).toMatchObject([200, { tenant: "acme", name: "ONE" }]);
    const admin = apiClient(host.base, await issueToken(operator, "acme", "tenant:admin"));
    expect((await admin("PATCH", "/repos/acme/one", { tenant: "other" })).status).toBe(403);
    const bound = apiClient(host.base, await issueToken(operator, "acme", "tenant:admin", { repos: ["one"] }));
    expect((await bound("PATCH", "/repos/acme/one", { name: "free" })).status).toBe(403);
    expect((await admin("PATCH", "/repos/acme/one", { name: "free" })).status).toBe(200);
  });

  it("in which all is signed goes to another tenant only where that one has a key to sign with", async () => {
    for (const tenant of ["signs", "keyless"]) await operator("PUT", `/tenants/${tenant}`, {});
    await operator("PUT", "/tenants/signs/signing-key");
    for (const repo of ["plain", "signed"]) await operator("PUT", `/repos/signs/${repo}`, {});
    const away = { tenant: "keyless" };
    const refused = { status: 409, body: { code: "no_signing_key", detail: expect.stringContaining("other tenant") } };
    expect(await operator("PATCH", "/repos/signs/plain", { ...away, sign: "host" })).toMatchObject(refused);
    expect((await operator("GET", "/repos/signs/plain")).body).toMatchObject({ sign: null });
    expect((await operator("PATCH", "/repos/signs/signed", { sign: "host" })).status).toBe(200);
    expect(await operator("PATCH", "/repos/signs/signed", away)).toMatchObject(refused);
    // Within its tenant it may have another name, and without signing it may go.
    expect((await operator("PATCH", "/repos/signs/signed", { name: "signed-2" })).status).toBe(200);
    expect((await operator("PATCH", "/repos/signs/signed-2", { ...away, sign: null })).status).toBe(200);
    await operator("PUT", "/tenants/keyless/signing-key");
    expect((await operator("PATCH", "/repos/signs/plain", { ...away, sign: "host" })).status).toBe(200);
  });

  it("goes to another tenant with the operator's token, and counts there", async () => {
    await operator("PUT", "/repos/acme/goes", {});
    const before = (await operator("GET", "/tenants/acme")).body["repos"];
    expect((await operator("PATCH", "/repos/acme/goes", { tenant: "Other" })).status).toBe(200);
    expect((await operator("GET", "/tenants/acme")).body["repos"]).toBe(Number(before) - 1);
    expect((await operator("GET", "/tenants/other")).body["repos"]).toBe(1);
    expect(await leadsTo(`/acme/goes.git/${READ}`, "test-token")).toEqual([301, `/other/goes.git/${READ}`]);
    // A token of the old tenant is not told where it went.
    expect(await leadsTo(`/acme/goes.git/${READ}`, await issueToken(operator, "acme", "tenant:admin"))).toEqual([
      404,
      null,
    ]);
    expect((await operator("PATCH", "/repos/other/goes", { tenant: "nobody" })).status).toBe(200);
  });
});
