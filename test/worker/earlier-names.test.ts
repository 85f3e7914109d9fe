/**
 * Tenants and repositories whose names an earlier build stored with capitals.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_TENANT } from "../../src/access/directory.ts";
import { formatToken, TOKEN_RANDOM_BYTES } from "../../src/access/token.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { create, CREATION, oid, type RefStoreUnderTest } from "../suites/ref-store.ts";
import type { TenantUnderTest } from "../suites/tenant.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

const REFS = { refs: [{ name: "refs/heads/main", oid: oid(1) }] };

let host: RunningHost;
let operator: ApiClient;

async function objectOf<Kind>(binding: string, name: string): Promise<Kind> {
  const namespace = await host.miniflare.getDurableObjectNamespace(binding);
  return namespace.get(namespace.idFromName(name)) as unknown as Kind;
}

/** Stores a tenant as an earlier build did: by its name as it was written. */
async function earlierTenant(name: string, quotas = {}): Promise<TenantUnderTest> {
  const tenant = await objectOf<TenantUnderTest>("TENANTS", name);
  await tenant.create({ ...DEFAULT_TENANT, quotas });
  return tenant;
}

/** Stores a repository with one ref as an earlier build did. */
async function earlierRepository(tenant: string, repo: string): Promise<void> {
  const registry = await objectOf<TenantUnderTest>("TENANTS", tenant);
  const wanted = {
    repo,
    tenant,
    objectFormat: "sha1",
    visibility: "private",
    byPush: false,
    byOperator: true,
  } as const;
  const entered = await registry.register(wanted);
  if (entered.kind !== "registered") throw new Error(entered.why);
  const store = await objectOf<RefStoreUnderTest>("REPOSITORIES", `${tenant}/${repo}`);
  const updates = [create("refs/heads/main", oid(1))];
  const begun = await store.beginPush({ names: ["refs/heads/main"], create: { ...CREATION, id: entered.id } });
  if (begun.kind !== "begun") throw new Error(begun.kind);
  const who = { actor: "tester", pusher: {}, signed: false, pushOptions: [] };
  await store.commitPush({ id: begun.record.id, updates, atomic: false, ...who });
}

async function tokenOf(tenant: TenantUnderTest, name: string, repos?: string[]): Promise<string> {
  const text = formatToken(name, crypto.getRandomValues(new Uint8Array(TOKEN_RANDOM_BYTES)));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  await tenant.issue({ hash, name: "old", scopes: ["repo:read"], ...(repos === undefined ? {} : { repos }) });
  return text;
}

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
});

afterAll(async () => {
  await host.stop();
});

describe("a tenant that an earlier build stored with capitals", () => {
  it("is found with its repositories, settings and tokens once the operator has adopted it", async () => {
    const tenant = await earlierTenant("Acme", { repos: 7 });
    await earlierRepository("Acme", "Widgets");
    await earlierRepository("Acme", "tools");
    const token = await tokenOf(tenant, "Acme", ["Widgets"]);
    expect((await operator("GET", "/repos/Acme/Widgets/refs")).status).toBe(404);
    const adopted = await operator("POST", "/tenants/acme/adoption", {});
    expect(adopted.status).toBe(200);
    expect(adopted.body).toEqual({ tenants: ["Acme"], repos: ["Acme/Widgets", "Acme/tools"], left: [], more: false });
    for (const name of ["acme/widgets", "Acme/Widgets", "acme/tools"]) {
      expect((await operator("GET", `/repos/${name}/refs`)).body).toMatchObject(REFS);
    }
    expect((await operator("GET", "/repos/acme/widgets")).body).toMatchObject({ tenant: "Acme", name: "Widgets" });
    expect((await operator("GET", "/tenants/acme")).body).toMatchObject({
      name: "Acme",
      repos: 2,
      quotas: { repos: 7 },
    });
    expect((await operator("GET", "/tenants")).body["tenants"]).toMatchObject([{ name: "Acme" }]);
    const holder = apiClient(host.base, token);
    expect((await holder("GET", "/repos/acme/widgets/refs")).body).toMatchObject(REFS);
    expect((await holder("GET", "/repos/acme/tools/refs")).status).toBe(404);
    // Nothing is left to be adopted.
    const again = await operator("POST", "/tenants/Acme/adoption", {});
    expect(again.body).toEqual({ tenants: [], repos: [], left: [], more: false });
  });

  it("is not mixed with one that has the name in lower case unless that is asked for, and then gives no rights", async () => {
    await operator("PUT", "/tenants/both", {});
    await operator("PUT", "/repos/both/taken", {});
    const tenant = await earlierTenant("Both");
    await earlierRepository("Both", "Taken");
    await earlierRepository("Both", "Free");
    const token = await tokenOf(tenant, "Both");
    const refused = await operator("POST", "/tenants/both/adoption", {});
    expect([refused.status, refused.body["detail"]]).toMatchObject([409, expect.stringContaining("merge")]);
    const merged = await operator("POST", "/tenants/both/adoption", { merge: true });
    expect(merged.body).toMatchObject({ tenants: [], repos: ["Both/Free"] });
    expect(merged.body["left"]).toEqual([{ name: "Both/Taken", why: "name: there is a repository of this name." }]);
    expect((await operator("GET", "/repos/both/free/refs")).body).toMatchObject(REFS);
    const holder = apiClient(host.base, token);
    expect((await holder("GET", "/repos/both/free/refs")).status).toBe(401);
    // When the name is free, the one that was left follows.
    await operator("DELETE", "/repos/both/taken");
    const rest = await operator("POST", "/tenants/both/adoption", { merge: true });
    expect(rest.body).toEqual({ tenants: ["Both"], repos: ["Both/Taken"], left: [], more: false });
  });
});

describe("a repository that an earlier build stored with capitals, of a tenant without", () => {
  it("is found once the operator has adopted it", async () => {
    await operator("PUT", "/tenants/plain", {});
    await earlierRepository("plain", "Old");
    const adopted = await operator("POST", "/tenants/plain/adoption", {});
    expect(adopted.body).toEqual({ tenants: [], repos: ["plain/Old"], left: [], more: false });
    expect((await operator("GET", "/repos/plain/old/refs")).body).toMatchObject(REFS);
    expect((await operator("GET", "/tenants/plain")).body["repos"]).toBe(1);
  });

  it("is for nobody but the operator to adopt", async () => {
    await operator("PUT", "/tenants/mine", {});
    const issued = await operator("POST", "/tenants/mine/tokens", { name: "a", scopes: ["tenant:admin"] });
    const admin = apiClient(host.base, String(issued.body["token"]));
    expect((await admin("POST", "/tenants/mine/adoption", {})).status).toBe(403);
    expect((await operator("POST", "/tenants/nobody/adoption", {})).status).toBe(404);
  });
});
