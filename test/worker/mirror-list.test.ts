/**
 * The lists of mirrors: of a tenant, and of all.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const WAIT = { timeout: WAIT_LIMIT, interval: 100 };

let host: RunningHost;
let operator: ApiClient;

async function mirror(path: string, upstream: string): Promise<void> {
  await operator("PUT", `/repos/${path}`, {});
  expect((await operator("PUT", `/repos/${path}/mirror`, { upstream: host.base + upstream })).status).toBe(200);
}

async function rows(path: string): Promise<Record<string, unknown>[]> {
  return (await operator("GET", path)).body["mirrors"] as Record<string, unknown>[];
}

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "blank", "other"]) await operator("PUT", `/tenants/${tenant}`, {});
  await operator("PUT", "/repos/other/upstream", { visibility: "public" });
  await mirror("acme/Good", "/other/upstream.git");
  await mirror("acme/lost", "/other/nothing.git");
  await mirror("other/copy", "/other/upstream.git");
});

afterAll(async () => {
  await host.stop();
});

it("mirrors report to their tenant how they go, and are listed with state, lag and error", async () => {
  await vi.waitFor(async () => {
    const found = await rows("/tenants/acme/mirrors");
    expect(found).toMatchObject([
      { repository: "acme/Good", state: "ok", failures: 0, last_error: null, lag: expect.any(Number) },
      { repository: "acme/lost", state: "failing", lag: null, last_sync: null },
    ]);
    expect(found[1]?.["last_error"]).toMatch(/wants credentials/);
  }, WAIT);
  expect(await rows("/tenants/acme/mirrors?state=failing")).toMatchObject([{ repository: "acme/lost" }]);
  const first = await operator("GET", "/tenants/acme/mirrors?limit=1");
  expect(first.body).toMatchObject({ mirrors: [{ repository: "acme/Good" }], cursor: expect.any(String) });
  expect(await rows(`/tenants/acme/mirrors?cursor=${String(first.body["cursor"])}`)).toMatchObject([
    { repository: "acme/lost" },
  ]);
  expect((await operator("GET", "/tenants/acme/mirrors?state=ok")).status).toBe(422);
});

it("the operator lists the mirrors of all tenants, page by page", async () => {
  await vi.waitFor(async () => expect(await rows("/mirrors")).toHaveLength(3), WAIT);
  const seen: unknown[] = [];
  for (let [cursor, pages] = ["", 0]; pages < 10; pages++) {
    const page = await operator("GET", `/mirrors?limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`);
    seen.push(...(page.body["mirrors"] as Record<string, unknown>[]).map(({ repository }) => repository));
    const next = page.body["cursor"];
    if (typeof next !== "string") break;
    cursor = next;
  }
  expect(seen).toEqual(["acme/Good", "acme/lost", "other/copy"]);
  const admin = apiClient(host.base, await issueToken(operator, "acme", "tenant:admin"));
  expect((await admin("GET", "/mirrors")).status).toBe(403);
  expect((await admin("GET", "/tenants/acme/mirrors")).status).toBe(200);
  expect((await admin("GET", "/tenants/other/mirrors")).status).toBe(404);
});

it("what is a mirror no more is not listed", async () => {
  await operator("PATCH", "/repos/acme/good", { name: "better" });
  await vi.waitFor(
    async () => expect(await rows("/tenants/acme/mirrors")).toMatchObject([{ repository: "acme/better" }, {}]),
    WAIT,
  );
  await operator("DELETE", "/repos/acme/better/mirror");
  await operator("DELETE", "/repos/acme/lost");
  expect(await rows("/tenants/acme/mirrors")).toEqual([]);
});
