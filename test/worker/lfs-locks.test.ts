/**
 * Locks of Git LFS over the API: who may make, see and take them away, page by page, and what is wrong.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { LfsClient } from "../support/lfs-client.ts";
import { subscribe } from "../support/subscriber.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

let host: RunningHost;
let operator: ApiClient;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  const scopes = { alice: "repo:write", bob: "repo:write", admin: "tenant:admin", reader: "repo:read" };
  for (const [name, scope] of Object.entries(scopes))
    tokens[name] = await issueToken(operator, "acme", scope, { name });
});

afterAll(async () => {
  await host.stop();
});

async function repository(repo: string): Promise<(who: string) => LfsClient> {
  await operator("PUT", `/repos/acme/${repo}`);
  return (who) => new LfsClient(`${host.base}/acme/${repo}.git`, tokens[who]);
}

type Lock = { readonly id: string; readonly path: string; readonly owner: { readonly name: string } };
const lockOf = (body: Record<string, unknown>): Lock => body["lock"] as Lock;
const pathsOf = (list: unknown): string[] => (list as Lock[]).map(({ path }) => path);

it("locks are made, seen, verified and given back", async () => {
  const as = await repository("locks");
  const made = await as("alice").ask("locks", { path: "art/a b.psd", ref: { name: "refs/heads/main" } });
  expect(made).toMatchObject({ status: 201, body: { lock: { path: "art/a b.psd", owner: { name: "alice" } } } });
  const { id } = lockOf(made.body);
  expect(await as("bob").ask("locks", { path: "art/a b.psd" })).toMatchObject({
    status: 409,
    body: { lock: { id, owner: { name: "alice" } }, message: "already created lock" },
  });
  await as("bob").ask("locks", { path: "b.bin" });
  const { body: all } = await as("reader").ask("locks");
  expect(pathsOf(all["locks"])).toEqual(["art/a b.psd", "b.bin"]);
  for (const query of [`path=${encodeURIComponent("art/a b.psd")}`, `id=${id}`, `id=${id}&refspec=refs/heads/x`])
    expect(pathsOf((await as("reader").ask(`locks?${query}`)).body["locks"])).toEqual(["art/a b.psd"]);
  for (const query of ["path=none", "id=999", "id=nonsense", `id=${id}&path=b.bin`])
    expect((await as("reader").ask(`locks?${query}`)).body).toEqual({ locks: [] });
  const { body: verified } = await as("alice").ask("locks/verify", { ref: { name: "refs/heads/main" } });
  expect([pathsOf(verified["ours"]), pathsOf(verified["theirs"])]).toEqual([["art/a b.psd"], ["b.bin"]]);
  expect((await as("alice").ask(`locks/${id}/unlock`, {})).body).toMatchObject({ lock: { id } });
  expect((await as("alice").ask(`locks/${id}/unlock`, {})).status).toBe(404);
});

it("webhooks and subscribers are told of locks that are made, given back and taken away", async () => {
  const receiver = await startReceiver();
  try {
    const as = await repository("told");
    const repo = "acme/told";
    const hook = await operator("POST", `/repos/${repo}/hooks`, { url: receiver.base, events: ["lock"] });
    expect(hook.status).toBe(201);
    const subscriber = await subscribe(`${host.base}/api/v1/repos/${repo}/events`, tokens["reader"]);
    const { body } = await as("alice").ask("locks", { path: "a.psd" });
    const lock = { id: lockOf(body).id, path: "a.psd", owner: { name: "alice" } };
    expect((await as("bob").ask("locks", { path: "a.psd" })).status).toBe(409);
    await as("admin").ask(`locks/${lock.id}/unlock`, { force: true });
    const told = (): Record<string, unknown>[] =>
      receiver.received.filter(({ headers }) => headers["x-github-event"] === "lock").map((entry) => entry.body);
    await vi.waitUntil(() => told().length >= 2 && subscriber.messages.length >= 2, { timeout: WAIT_LIMIT });
    const [made, taken] = told().toSorted((a, b) => String(a["action"]).localeCompare(String(b["action"])));
    expect(made).toMatchObject({ action: "created", lock, forced: false, sender: { login: "alice" } });
    expect(taken).toMatchObject({ action: "deleted", lock, forced: true, sender: { login: "admin" } });
    expect(made).toMatchObject({ repository: { full_name: repo } });
    expect(subscriber.messages).toMatchObject([
      { type: "lock", repo, action: "created", lock, by: "alice" },
      { type: "lock", repo, action: "deleted", lock, by: "admin" },
    ]);
    subscriber.close();
  } finally {
    await receiver.close();
  }
});

it("locks of others are taken away by administrators alone, and only by force", async () => {
  const as = await repository("forced");
  const { id } = lockOf((await as("alice").ask("locks", { path: "a.bin" })).body);
  for (const [who, force] of [
    ["bob", false],
    ["bob", true],
    ["admin", false],
  ] as const) {
    const refused = await as(who).ask(`locks/${id}/unlock`, { force });
    expect([refused.status, refused.body["message"]]).toEqual([403, expect.stringContaining("alice's")]);
  }
  expect((await as("reader").ask(`locks/${id}/unlock`, { force: true })).status).toBe(403);
  expect((await as("admin").ask(`locks/${id}/unlock`, { force: true })).status).toBe(200);
});

it("locks stay their owner's when a token is renewed under its name", async () => {
  const as = await repository("renewed");
  const { id } = lockOf((await as("alice").ask("locks", { path: "a.bin" })).body);
  const again = new LfsClient(
    `${host.base}/acme/renewed.git`,
    await issueToken(operator, "acme", "repo:write", { name: "alice" }),
  );
  expect((await again.ask(`locks/${id}/unlock`, {})).status).toBe(200);
});

it("locks come in pages, of one call each", async () => {
  const as = await repository("many");
  for (let at = 0; at < 5; at++) await as("alice").ask("locks", { path: `files/${at}.bin` });
  const seen: string[] = [];
  for (let cursor = ""; ;) {
    const { headers, body } = await as("reader").ask(`locks?limit=2&cursor=${cursor}`);
    // One to the tenant for the token, and one for the page.
    expect(headers.get("Server-Timing")).toMatch(/do;desc="2"/);
    seen.push(...pathsOf(body["locks"]));
    if (body["next_cursor"] === undefined) break;
    cursor = body["next_cursor"] as string;
  }
  expect(seen).toEqual([0, 1, 2, 3, 4].map((at) => `files/${at}.bin`));
  const { body } = await as("bob").ask("locks/verify", { limit: 2 });
  expect([(body["theirs"] as unknown[]).length, typeof body["next_cursor"]]).toEqual([2, "string"]);
});

it.each(["path=%", "path=%zz", "path=caf%e9", "id=%ff", "cursor=%f", "limit=%"])(
  "a list of locks with the query %s is refused, in the client's shape, and to readers alone",
  async (query) => {
    const as = await repository("malformed");
    const refused = await as("reader").ask(`locks?${query}`);
    expect([refused.status, refused.body["message"]]).toEqual([
      422,
      expect.stringMatching(/encodes nothing|not UTF-8/),
    ]);
    expect((await new LfsClient(`${host.base}/acme/malformed.git`).ask(`locks?${query}`)).status).toBe(401);
  },
);

it.each([
  ["empty", ""],
  ["absolute", "/etc/passwd"],
  ["leading out", "../x"],
  ["leading out further below", "a/../../x"],
  ["with an empty name", "a//b"],
  ["a directory", "a/"],
  ["with a control character", "a\nb"],
  ["with a null", "a\0b"],
  ["enormous", "x".repeat(5000)],
  ["no text", 7],
])("a path is refused that is %s", async (_, path) => {
  const as = await repository("odd");
  expect((await as("alice").ask("locks", { path })).status).toBe(422);
  expect((await as("alice").ask("locks")).body).toEqual({ locks: [] });
});

it("odd but possible paths are locked as they are", async () => {
  const as = await repository("possible");
  const paths = [
    "ä/ö ü.bin",
    "\u{1f600}.png",
    "a\\b",
    "%2e%2e/x",
    "'; DROP TABLE lfs_locks; --",
    ".hidden",
    "x".repeat(4096),
  ];
  for (const path of paths) expect((await as("alice").ask("locks", { path })).status).toBe(201);
  expect(pathsOf((await as("alice").ask("locks")).body["locks"])).toEqual(paths);
});

it.each([
  ["locks", "{"],
  ["locks/verify", "[]"],
  ["locks/verify", { limit: "many" }],
  ["locks/verify", { limit: -1 }],
  ["locks/1/unlock", { force: "yes" }],
])("a request to %s with a body that is wrong is refused", async (path, body) => {
  const as = await repository("wrong");
  expect([400, 422]).toContain((await as("alice").ask(path, body)).status);
});

it("a read-only repository takes no locks, and gives none away", async () => {
  const as = await repository("fixed");
  const { id } = lockOf((await as("alice").ask("locks", { path: "a.bin" })).body);
  await operator("PATCH", "/repos/acme/fixed", { read_only: true });
  expect((await as("alice").ask("locks", { path: "b.bin" })).status).toBe(403);
  expect((await as("alice").ask(`locks/${id}/unlock`, {})).status).toBe(403);
  expect(pathsOf((await as("reader").ask("locks")).body["locks"])).toEqual(["a.bin"]);
});
