/**
 * Pages with forms: SSH keys of people, those of one repository, whether the host signs there, and jobs that were given up.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { makeClientKey } from "../support/ssh-bed.ts";

let host: RunningHost;
let operator: ApiClient;
let cookie = "";
let own = "";

async function send(path: string, fields: Record<string, string>): Promise<Response> {
  return await fetch(host.base + path, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Cookie: cookie },
    body: String(new URLSearchParams(fields)),
    redirect: "manual",
  });
}

async function page(path: string): Promise<string> {
  return await (await fetch(host.base + path, { headers: { Accept: "text/html", Cookie: cookie } })).text();
}

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, host.token);
  await operator("PUT", "/repos/acme/shown", { visibility: "public" });
  const answer = await send("/-/login", { token: host.token });
  cookie = (answer.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
  own = /name="form" value="([\w-]+)"/.exec(await page("/"))?.[1] ?? "";
});

afterAll(() => host.stop());

it.each([
  {
    at: "/acme/-/ssh-keys",
    forms: "/acme/-/ssh-keys",
    list: "/tenants/acme/ssh-keys",
    actions: ["add", "remove"],
    rights: { scope: "repo:write", repos: "shown, other" },
    told: "repo:write: other, shown",
    had: { scopes: ["repo:write"], repos: ["other", "shown"] },
  },
  {
    at: "/acme/shown/settings/keys",
    forms: "/acme/shown/settings",
    list: "/repos/acme/shown/deploy-keys",
    actions: ["add-key", "remove-key"],
    rights: { write: "1" },
    told: "read and push",
    had: { write: true },
  },
])("$at adds, shows and removes keys", async ({ at, forms, list, actions, rights, told, had }) => {
  const { publicKey: key, fingerprint } = makeClientKey("ed25519");
  const [add = "", remove = ""] = actions;
  expect(await page(at)).toContain("No key is registered");
  const made = await send(forms, { form: own, action: add, name: "key <1>", key, days: "7", ...rights });
  expect([made.status, made.headers.get("Location")]).toEqual([303, at]);
  const html = await page(at);
  for (const text of ["<bdi>key &lt;1&gt;</bdi>", fingerprint, told]) expect(html).toContain(text);
  const { keys } = (await operator("GET", list)).body as { keys: { id: string; expires_at: string }[] };
  expect(keys).toEqual([expect.objectContaining({ fingerprint, ...had })]);
  const [{ id, expires_at: end } = { id: "", expires_at: "" }] = keys;
  expect(Math.round((new Date(end).getTime() - Date.now()) / 3_600_000)).toBe(7 * 24);
  // What is no key is the API's to refuse, and forms from elsewhere do nothing.
  expect((await send(forms, { form: own, action: add, name: "x", key: "nonsense", ...rights })).status).toBe(422);
  expect((await send(forms, { action: remove, id })).status).toBe(403);
  expect((await send(forms, { form: own, action: remove, id })).status).toBe(303);
  expect(await page(at)).toContain("No key is registered");
});

it("a repository's settings have a box for the host's signatures, which is refused where there is no key", async () => {
  await operator("PUT", "/repos/signs/here");
  const settings = "/signs/here/settings";
  const save = { form: own, action: "save", description: "", visibility: "private", knows_sign: "1" };
  const shown = async (): Promise<unknown> => (await operator("GET", "/repos/signs/here")).body["sign"];
  expect(await page(settings)).toMatch(/name="sign"\s*\/?>/);
  expect((await send(settings, { ...save, sign: "on" })).status).toBe(409);
  expect(await shown()).toBe(null);
  await operator("PUT", "/tenants/signs/signing-key");
  expect((await send(settings, { ...save, sign: "on" })).status).toBe(303);
  expect(await shown()).toBe("host");
  expect(await page(settings)).toMatch(/name="sign" checked/);
  // A form that does not know of it leaves it as it is.
  const { knows_sign: _, ...old } = save;
  expect((await send(settings, { ...old, description: "x" })).status).toBe(303);
  expect(await shown()).toBe("host");
  expect((await send(settings, save)).status).toBe(303);
  expect(await shown()).toBe(null);
});

it("the operator's page shows what the queues gave up, and has it tried again or forgets it", async () => {
  const shown = async (): Promise<string> => await page("/-/admin");
  expect(await shown()).toContain("No job has failed in all its tries");
  const queue = await host.miniflare.getQueueProducer<object>("DEAD_JOBS");
  await queue.send({ type: "server-info", repository: "acme/shown", id: "gone" });
  await queue.send({ type: "deliver", repository: "acme/shown", id: "gone", hook: "h" });
  await expect.poll(shown, { timeout: WAIT_LIMIT }).toContain("1 deliver, 1 server-info.");
  const html = await shown();
  expect(html).toMatch(/aria-label="Refused requests: /);
  const ids = Array.from(html.matchAll(/name="id" value="(\d+)"/g), ([, id = ""]) => id);
  expect(ids).toHaveLength(4);
  const act = async (action: string, id = "", form = own): Promise<number> =>
    (await send("/-/admin", { form, action, id })).status;
  expect(await act("forget", ids[0], "x")).toBe(403);
  expect([await act("redeliver", ids[0]), await act("forget", ids[2])]).toEqual([303, 303]);
  expect([await act("forget", ids[2]), await act("redeliver", "x")]).toEqual([404, 404]);
  expect(await shown()).toContain("No job has failed in all its tries");
});

it("a session whose token was revoked is told so, and ends, on each page that is of no repository", async () => {
  const made = await operator("POST", "/tenants/acme/tokens", { name: "session", scopes: ["tenant:admin"] });
  const { id, token } = made.body;
  const signedIn = await send("/-/login", { token: String(token) });
  const session = (signedIn.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
  const look = async (path: string): Promise<Response> =>
    await fetch(host.base + path, { headers: { Accept: "text/html", Cookie: session } });
  for (const path of ["/", "/acme", "/-/public"]) expect((await look(path)).status).toBe(200);
  expect((await operator("DELETE", `/tenants/acme/tokens/${String(id)}`)).status).toBe(204);
  for (const path of ["/", "/acme", "/-/public", "/acme/-/tokens", "/acme/-/ssh-keys", "/-/admin", "/acme/shown"]) {
    const answer = await look(path);
    const told = [path, answer.status, answer.headers.get("Set-Cookie"), await answer.text()];
    const isOver = expect.stringContaining("you have been signed out");
    expect(told).toEqual([path, 404, expect.stringContaining("Max-Age=0"), isOver]);
  }
});
