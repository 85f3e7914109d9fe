/**
 * Webhooks through the API, the queue and the network, to a receiver on loopback.
 *
 * @packageDocumentation
 */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { startTestHost } from "../support/host.ts";
import { type Received, startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { create, oid, packRecord, push, type RefStoreUnderTest } from "../suites/ref-store.ts";

const WAIT = { timeout: WAIT_LIMIT, interval: 100 };

let host: RunningHost;
let closed: RunningHost;
let receiver: WebhookReceiver;
let count = 0;

type Asked = { readonly status: number; readonly body: Record<string, unknown>; readonly text: string };

async function ask(method: string, path: string, body?: unknown, base = host.base): Promise<Asked> {
  const answer = await fetch(`${base}/api/v1/repos/${path}`, {
    method,
    headers: { Authorization: "Bearer test-token", "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** Makes a repository of its own for a test. */
async function repository(): Promise<string> {
  const path = `acme/hooked-${++count}`;
  expect((await ask("PUT", path, {})).status).toBe(201);
  return path;
}

async function hooked(path: string, settings: Record<string, unknown> = {}): Promise<string> {
  const made = await ask("POST", `${path}/hooks`, { url: `${receiver.base}/${path}`, ...settings });
  expect(made.status).toBe(201);
  return String(made.body["id"]);
}

/** Moves a ref of a repository, as a push would. */
async function move(path: string, ref: string): Promise<void> {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  const object = namespace.get(namespace.idFromName(path)) as unknown as RefStoreUnderTest;
  const store = {
    beginPush: (request: Parameters<RefStoreUnderTest["beginPush"]>[0]) => object.beginPush(request),
    commitPush: (request: Parameters<RefStoreUnderTest["commitPush"]>[0]) => object.commitPush(request),
  } as RefStoreUnderTest;
  await push(store, [create(ref, oid(1))], { pack: packRecord("p1") });
}

/** What came in for a repository's webhooks. */
function received(path: string): Received[] {
  return receiver.received.filter((entry) => entry.path === `/${path}`);
}

async function deliveries(path: string, hook: string): Promise<Record<string, unknown>[]> {
  const { body } = await ask("GET", `${path}/hooks/${hook}/deliveries`);
  return body["deliveries"] as Record<string, unknown>[];
}

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  closed = await startTestHost();
  receiver = await startReceiver();
});

afterAll(async () => {
  await host.stop();
  await closed.stop();
  await receiver.close();
});

beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = () => ({ status: 204 });
});

describe("webhooks", () => {
  it("are made, shown without their secret, changed and removed", async () => {
    const path = await repository();
    const made = await ask("POST", `${path}/hooks`, {
      url: `${receiver.base}/a?b#c`,
      secret: "s3cret-value",
      events: ["push", "delete", "push"],
      active: false,
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      url: `${receiver.base}/a?b#c`,
      has_secret: true,
      events: ["push", "delete"],
      active: false,
      disabled_reason: null,
    });
    const id = String(made.body["id"]);
    const listed = await ask("GET", `${path}/hooks`);
    expect(listed).toMatchObject({ status: 200, body: { hooks: [made.body] } });
    expect(await ask("GET", `${path}/hooks/${id}`)).toMatchObject({ status: 200, body: made.body });
    const changed = await ask("PATCH", `${path}/hooks/${id}`, { secret: "", events: ["sync"] });
    expect(changed).toMatchObject({
      status: 200,
      body: { id, url: made.body["url"], has_secret: false, events: ["sync"], active: false },
    });
    for (const answer of [made, listed, changed]) expect(answer.text).not.toContain("s3cret-value");
    // Another repository's webhook is none of this one's.
    const other = await repository();
    expect((await ask("DELETE", `${other}/hooks/${id}`)).status).toBe(404);
    expect((await ask("PATCH", `${other}/hooks/${id}`, {})).status).toBe(404);
    expect((await ask("GET", `${other}/hooks/${id}/deliveries`)).status).toBe(404);
    expect((await ask("DELETE", `${path}/hooks/${id}`)).status).toBe(204);
    expect((await ask("DELETE", `${path}/hooks/${id}`)).status).toBe(404);
    expect((await ask("GET", `${path}/hooks`)).body).toEqual({ hooks: [] });
  });

  it.each([
    ["no URL", {}],
    ["a number", { url: 1 }],
    ["an unknown event", { url: "https://example.com/", events: ["pull_request"] }],
    ["no event", { url: "https://example.com/", events: [] }],
    ["an unknown member", { url: "https://example.com/", config: {} }],
    ["a long secret", { url: "https://example.com/", secret: "x".repeat(1001) }],
    ["loopback", { url: "https://127.0.0.1/" }],
    ["loopback without TLS", { url: "http://localhost:8080/" }],
    ["a number for an address", { url: "https://2130706433/" }],
    ["metadata", { url: "https://169.254.169.254/" }],
    ["a mapped address", { url: "https://[::ffff:10.0.0.1]/" }],
    ["full-width digits", { url: "https://１２７.０.０.１/" }],
    ["a local name", { url: "https://db.internal/" }],
    ["a file", { url: "file:///etc/passwd" }],
    ["credentials", { url: "https://user:hunter2@example.com/" }],
  ])("are not made of %s", async (_, body) => {
    await ask("PUT", "acme/guarded", {}, closed.base);
    const answer = await ask("POST", "acme/guarded/hooks", body, closed.base);
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain("hunter2");
    expect((await ask("GET", "acme/guarded/hooks", undefined, closed.base)).body).toEqual({ hooks: [] });
  });

  it("can't be pointed to private networks", async () => {
    await ask("PUT", "acme/moved", {}, closed.base);
    const made = await ask("POST", "acme/moved/hooks", { url: "https://example.com/", active: false }, closed.base);
    const path = `acme/moved/hooks/${String(made.body["id"])}`;
    expect((await ask("PATCH", path, { url: "https://10.0.0.1/" }, closed.base)).status).toBe(422);
    expect((await ask("GET", path, undefined, closed.base)).body["url"]).toBe("https://example.com/");
  });

  it("are at most twenty per repository, which has to exist", async () => {
    const path = await repository();
    const settings = { url: `${receiver.base}/`, active: false };
    for (let at = 0; at < 20; at++) expect((await ask("POST", `${path}/hooks`, settings)).status).toBe(201);
    expect((await ask("POST", `${path}/hooks`, settings)).status).toBe(422);
    expect((await ask("POST", "acme/missing/hooks", settings)).status).toBe(404);
    expect((await ask("GET", "acme/missing/hooks")).status).toBe(404);
  });

  it("are shown to nobody else", async () => {
    const path = await repository();
    await ask("PATCH", path, { visibility: "public" });
    const hook = await hooked(path, { active: false });
    for (const below of ["hooks", `hooks/${hook}`, `hooks/${hook}/deliveries`]) {
      expect((await fetch(`${host.base}/api/v1/repos/${path}/${below}`)).status).toBe(401);
    }
  });
});

it("are for those who administer the repository, and known to nobody else", async () => {
  const path = await repository();
  const hook = await hooked(path, { active: false });
  const headers = { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" };
  await fetch(`${host.base}/api/v1/tenants/other`, { method: "PUT", headers, body: "{}" });
  const issue = async (tenant: string, scope: string): Promise<string> => {
    const body = JSON.stringify({ name: scope, scopes: [scope] });
    const answer = await fetch(`${host.base}/api/v1/tenants/${tenant}/tokens`, { method: "POST", headers, body });
    expect(answer.status).toBe(201);
    return (await answer.json<{ token: string }>()).token;
  };
  const asks = [
    ["GET", "hooks", undefined],
    ["POST", "hooks", { url: `${receiver.base}/` }],
    ["GET", `hooks/${hook}`, undefined],
    ["PATCH", `hooks/${hook}`, { active: true }],
    ["GET", `hooks/${hook}/deliveries`, undefined],
    ["POST", `hooks/${hook}/pings`, undefined],
    ["POST", `hooks/${hook}/deliveries/1/redeliver`, undefined],
    ["DELETE", `hooks/${hook}`, undefined],
  ] as const;
  const statuses = async (token: string | undefined): Promise<number[]> =>
    await Promise.all(
      asks.slice(0, -1).map(async ([method, below, body]) => {
        const answer = await fetch(`${host.base}/api/v1/repos/${path}/${below}`, {
          method,
          headers: {
            "Content-Type": "application/json",
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return answer.status;
      }),
    );
  expect(new Set(await statuses(undefined))).toEqual(new Set([401]));
  expect(new Set(await statuses("wrong"))).toEqual(new Set([401]));
  expect(new Set(await statuses(await issue("acme", "repo:write")))).toEqual(new Set([403]));
  expect(new Set(await statuses(await issue("other", "tenant:admin")))).toEqual(new Set([404]));
  expect(await statuses(await issue("acme", "tenant:admin"))).toEqual([200, 201, 200, 200, 200, 409, 404]);
});

describe("deliveries", () => {
  it("begin with a signed ping", async () => {
    const path = await repository();
    const hook = await hooked(path, { secret: "s3cret" });
    await vi.waitFor(() => expect(received(path)).toHaveLength(1), WAIT);
    const [ping] = received(path);
    const [tenant, repo] = path.split("/");
    expect(ping?.headers).toMatchObject({
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-thinpack-event": "ping",
      "x-thinpack-hook-id": hook,
      "x-hub-signature-256": `sha256=${createHmac("sha256", "s3cret")
        .update(ping?.raw ?? "")
        .digest("hex")}`,
    });
    expect(ping?.headers["x-github-delivery"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect(ping?.headers["user-agent"]).toMatch(/^thinpack\//);
    expect(ping?.raw.toString()).not.toContain("s3cret");
    expect(ping?.body).toMatchObject({
      hook_id: Number.parseInt(hook.slice(0, 13), 16),
      repository: { name: repo, owner: { login: tenant }, private: true, clone_url: `${host.base}/${path}.git` },
    });
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([
        { event: "ping", state: "delivered", status: 204, attempts: 1, redelivery: false, error: null },
      ]);
    }, WAIT);
  });

  it("are pings on request, too", async () => {
    const path = await repository();
    const hook = await hooked(path, { secret: "s3cret" });
    await vi.waitFor(() => expect(received(path)).toHaveLength(1), WAIT);
    const asked = await ask("POST", `${path}/hooks/${hook}/pings`);
    expect(asked).toMatchObject({ status: 202, body: { event: "ping", state: "pending" } });
    await vi.waitFor(() => expect(received(path)).toHaveLength(2), WAIT);
    const [first, second] = received(path);
    expect(second?.body).toEqual(first?.body);
    expect(second?.headers["x-github-delivery"]).not.toBe(first?.headers["x-github-delivery"]);
    expect((await ask("POST", `${path}/hooks/none/pings`)).status).toBe(404);
    await ask("PATCH", `${path}/hooks/${hook}`, { active: false });
    expect((await ask("POST", `${path}/hooks/${hook}/pings`)).status).toBe(409);
  });

  it("of a tenant begin with a signed ping, and another tells at once what the receiver answers", async () => {
    await ask("PUT", "league/one", {});
    const tenants = `${host.base}/api/v1/tenants/league/hooks`;
    const asked = async (path: string, body?: unknown, method = "POST"): Promise<Asked> => {
      const answer = await fetch(tenants + path, {
        method,
        headers: { Authorization: "Bearer test-token", "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, text, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
    };
    const made = await asked("", { url: `${receiver.base}/league`, secret: "s3cret", events: ["push"] });
    const id = String(made.body["id"]);
    await vi.waitFor(() => expect(received("league")).toHaveLength(1), WAIT);
    const [ping] = received("league");
    expect(ping?.headers).toMatchObject({
      "x-github-event": "ping",
      "x-thinpack-hook-id": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", "s3cret")
        .update(ping?.raw ?? "")
        .digest("hex")}`,
    });
    expect(ping?.raw.toString()).not.toContain("s3cret");
    expect(ping?.body).toMatchObject({ hook: { type: "Organization" }, organization: { login: "league" } });
    expect(await asked(`/${id}/pings`)).toMatchObject({
      status: 200,
      body: { delivered: true, status: 204, error: null },
    });
    receiver.answer = () => ({ status: 500 });
    expect(await asked(`/${id}/pings`)).toMatchObject({
      body: { delivered: false, status: 500, error: "The receiver answered 500." },
    });
    expect((await asked("/none/pings")).status).toBe(404);
    await asked(`/${id}`, { active: false }, "PATCH");
    expect((await asked(`/${id}/pings`)).status).toBe(409);
    expect(received("league")).toHaveLength(3);
  });

  it("of a tenant are told of each of its repositories, also of those that come later, and of no other", async () => {
    const tenants = `${host.base}/api/v1/tenants/guild`;
    const asked = async (method: string, path: string, body?: unknown): Promise<Asked> => {
      const answer = await fetch(tenants + path, {
        method,
        headers: { Authorization: "Bearer test-token", "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, text, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
    };
    expect((await asked("PUT", "", {})).status).toBe(201);
    expect((await ask("PUT", "guild/early", {})).status).toBe(201);
    const made = await asked("POST", "/hooks", { url: `${receiver.base}/guild`, secret: "s3cret", events: ["push"] });
    expect(made.status).toBe(201);
    const id = String(made.body["id"]);
    expect((await ask("PUT", "guild/late", {})).status).toBe(201);
    const copies = async (path: string): Promise<number> => (await ask("GET", `${path}/hooks/${id}/deliveries`)).status;
    for (const path of ["guild/early", "guild/late"]) {
      await vi.waitFor(async () => expect(await copies(path)).toBe(200), WAIT);
      await move(path, "refs/heads/main");
    }
    const pushes = (): Received[] => received("guild").filter(({ headers }) => headers["x-github-event"] === "push");
    const seen = (): string[] => pushes().map(({ body }) => (body["repository"] as { full_name: string }).full_name);
    await vi.waitFor(() => expect(seen().toSorted()).toEqual(["guild/early", "guild/late"]), WAIT);
    expect(pushes()[0]?.headers["x-hub-signature-256"]).toMatch(/^sha256=/);
    // A repository neither lists nor changes what is its tenant's.
    expect((await ask("GET", "guild/late/hooks")).body).toEqual({ hooks: [] });
    expect((await ask("DELETE", `guild/late/hooks/${id}`)).status).toBe(404);
    expect((await ask("PATCH", "guild/late", { tenant: "acme" })).status).toBe(200);
    expect(await copies("acme/late")).toBe(404);
    expect((await asked("DELETE", `/hooks/${id}`)).status).toBe(204);
    await vi.waitFor(async () => expect(await copies("guild/early")).toBe(404), WAIT);
  });

  it("tell that a sync failed, and why", async () => {
    const path = await repository();
    const hook = await hooked(path, { events: ["sync_failed"] });
    const set = await ask("PUT", `${path}/mirror`, { upstream: `${host.base}/acme/nothing.git` });
    expect(set.status).toBe(200);
    const failed = (): Received[] =>
      received(path).filter(({ headers }) => headers["x-github-event"] === "sync_failed");
    await vi.waitFor(() => expect(failed().length).toBeGreaterThan(0), WAIT);
    expect(failed()[0]?.body).toMatchObject({
      error: "The upstream wants credentials.",
      repository: { full_name: path, archived: true },
    });
    expect(await deliveries(path, hook)).toContainEqual(expect.objectContaining({ event: "sync_failed", ref: null }));
  });

  it("are not signed without a secret, and are tried again when they fail", async () => {
    receiver.answer = () => ({ status: 500 });
    const path = await repository();
    const hook = await hooked(path);
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([
        { state: "pending", status: 500, attempts: 1, error: "The receiver answered 500." },
      ]);
    }, WAIT);
    expect(received(path)[0]?.headers).not.toHaveProperty("x-hub-signature-256");
    // What a receiver says is not for the webhook's owner: it may not be theirs.
    expect((await ask("GET", `${path}/hooks/${hook}/deliveries`)).text).not.toContain("said by the receiver");
    receiver.answer = () => ({ status: 200 });
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([{ state: "delivered", status: 200, attempts: 2 }]);
    }, WAIT);
    expect(received(path)[1]?.headers["x-github-delivery"]).toBe(received(path)[0]?.headers["x-github-delivery"]);
  });

  it("follow no redirect", async () => {
    const path = await repository();
    receiver.answer = () => ({ status: 307, headers: { Location: `${receiver.base}/private` } });
    const hook = await hooked(path);
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([{ status: 307, error: "Redirects are not followed." }]);
    }, WAIT);
    expect(receiver.received.map((entry) => entry.path)).not.toContain("/private");
  });

  it("don't wait for a receiver that never answers", async () => {
    receiver.answer = () => ({ status: 200, hang: true });
    const path = await repository();
    const hook = await hooked(path);
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([
        { state: "pending", status: null, error: "No answer in 10 s.", attempts: 1 },
      ]);
    }, WAIT);
  });

  it("end, and turn the webhook off, if the receiver answers that it is gone", async () => {
    receiver.answer = () => ({ status: 410 });
    const path = await repository();
    const hook = await hooked(path);
    await vi.waitFor(async () => {
      expect(await deliveries(path, hook)).toMatchObject([{ state: "failed", status: 410, next_attempt_at: null }]);
    }, WAIT);
    expect((await ask("GET", `${path}/hooks/${hook}`)).body).toMatchObject({
      active: false,
      disabled_reason: "The receiver answered 410 Gone.",
    });
    expect((await ask("POST", `${path}/hooks/${hook}/deliveries/1/redeliver`)).status).toBe(409);
    expect((await ask("PATCH", `${path}/hooks/${hook}`, { active: true })).body).toMatchObject({
      active: true,
      disabled_reason: null,
    });
  });

  it("are not repeated beyond the number that may wait", async () => {
    receiver.answer = () => ({ status: 500 });
    const path = await repository();
    const hook = await hooked(path);
    const repeat = async (): Promise<Response> =>
      await fetch(`${host.base}/api/v1/repos/${path}/hooks/${hook}/deliveries/1/redeliver`, {
        method: "POST",
        headers: { Authorization: "Bearer test-token" },
      });
    const statuses: number[] = [];
    for (let n = 0; n < 50; n++) statuses.push((await repeat()).status);
    expect(new Set(statuses)).toEqual(new Set([202]));
    const refused = await repeat();
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect(await refused.json()).toMatchObject({ title: "Too Many Requests" });
    expect((await deliveries(path, hook)).length).toBeLessThanOrEqual(51);
  });

  it("are repeated on request", async () => {
    const path = await repository();
    const hook = await hooked(path);
    await vi.waitFor(async () => expect(await deliveries(path, hook)).toMatchObject([{ state: "delivered" }]), WAIT);
    const [first] = await deliveries(path, hook);
    const again = await ask("POST", `${path}/hooks/${hook}/deliveries/${String(first?.["id"])}/redeliver`);
    expect(again).toMatchObject({ status: 202, body: { state: "pending", redelivery: true, guid: first?.["guid"] } });
    await vi.waitFor(() => expect(received(path)).toHaveLength(2), WAIT);
    expect(received(path)[1]?.raw).toEqual(received(path)[0]?.raw);
    for (const wrong of ["0", "999", "x", "1e3", "-1"]) {
      expect((await ask("POST", `${path}/hooks/${hook}/deliveries/${wrong}/redeliver`)).status).toBe(404);
    }
  });
});
