/**
 * The list of public repositories: what is on it, at once and after changes, and that nothing private ever is.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let operator: ReturnType<typeof apiClient>;
let token = "";

type Listed = {
  readonly repos: readonly { readonly tenant: string; readonly name: string }[];
  readonly cursor?: string;
};

async function text(path: string, headers: Record<string, string> = {}): Promise<readonly [number, string]> {
  const answer = await fetch(host.base + path, { headers });
  return [answer.status, await answer.text()];
}

/** A limit of its own for each question: an isolate remembers the answer of each for some seconds. */
let limit = 20;
function fresh(): string {
  limit++;
  return `limit=${limit}`;
}

async function listed(query = fresh()): Promise<string[]> {
  const [status, body] = await text(`/api/v1/repos?${query}`);
  expect(status).toBe(200);
  return (JSON.parse(body) as Listed).repos.map((repo) => `${repo.tenant}/${repo.name}`);
}

/** Waits until the list is as it has to be. The directory is told within moments of a change. */
async function untilListed(expected: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await listed()).toEqual(expected), { timeout: WAIT_LIMIT, interval: 50 });
}

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
  const isPublic = { visibility: "public", description: "<b>shown</b>" };
  await operator("PUT", "/repos/Acme/One", isPublic);
  await operator("PUT", "/repos/Acme/secret", { description: "unseen words" });
  await operator("PUT", "/repos/beta/two", isPublic);
  await operator("PUT", "/repos/gamma/hidden", {});
  token = await issueToken(operator, "gamma", "tenant:admin");
});

afterAll(async () => {
  await host.stop();
});

describe("the list of public repositories", () => {
  it("has those of all tenants, for everybody, and none that is private", async () => {
    await untilListed(["Acme/One", "beta/two"]);
    for (const credentials of [{}, { Authorization: `Bearer ${token}` }, { Authorization: "Bearer test-token" }]) {
      const [status, body] = await text(`/api/v1/repos?${fresh()}`, credentials);
      expect([status, body.includes("secret"), body.includes("hidden")]).toEqual([200, false, false]);
    }
    expect(await listed(`tenant=ACME&${fresh()}`)).toEqual(["Acme/One"]);
    expect(await listed("tenant=gamma")).toEqual([]);
    expect((await text("/api/v1/repos?tenant=-"))[0]).toBe(422);
    expect((await text("/api/v1/repos", { Authorization: "Bearer nonsense" }))[0]).toBe(401);
  });

  it("goes on where a page ends", async () => {
    const { repos, cursor = "" } = JSON.parse((await text("/api/v1/repos?limit=1"))[1]) as Listed;
    expect(repos).toMatchObject([{ tenant: "Acme", name: "One", git_url: `${host.base}/Acme/One.git` }]);
    const next = JSON.parse((await text(`/api/v1/repos?limit=1&cursor=${cursor}`))[1]) as Listed;
    expect([next.repos.map(({ name }) => name), next.cursor]).toEqual([["two"], undefined]);
  });

  it("is on the front page of a stranger, and on the pages of its tenants", async () => {
    const [status, html] = await text("/");
    expect(status).toBe(200);
    expect(html).toContain('href="/Acme/One"');
    expect(html).toContain("&lt;b&gt;shown&lt;/b&gt;");
    for (const word of ["secret", "unseen", "gamma"]) expect(html).not.toContain(word);
    const [, json] = await text("/", { Accept: "application/json" });
    expect(json).toBe((await text("/api/v1/repos"))[1]);
    expect((await text("/", { Accept: "text/markdown" }))[1]).toContain("[One](/Acme/One)");
    expect((await text("/-/public"))[1]).toContain('href="/beta/two"');
    const tenant = await text("/acme");
    expect([tenant[0], tenant[1].includes('href="/Acme/One"'), tenant[1].includes("secret")]).toEqual([
      200,
      true,
      false,
    ]);
    // A tenant that has only private ones is like none.
    const [hidden, none] = [await text("/gamma"), await text("/nobody")];
    expect([hidden[0], hidden[1].replaceAll("gamma", "nobody")]).toEqual([404, none[1]]);
    const own = await text("/gamma", { Authorization: `Bearer ${token}` });
    expect([own[0], own[1].includes("hidden")]).toEqual([200, true]);
  });

  it("is the JSON of a tenant's page, which says what the page says", async () => {
    const expected = await text("/api/v1/repos?tenant=acme");
    expect(JSON.parse(expected[1])).toMatchObject({ repos: [{ tenant: "Acme", name: "One" }] });
    for (const headers of [{}, { Authorization: `Bearer ${token}` }]) {
      expect(await text("/acme.json", headers)).toEqual(expected);
      expect(await text("/Acme.json?tenant=gamma", headers)).toEqual(expected);
      expect(await text("/acme", { ...headers, Accept: "application/json" })).toEqual(expected);
    }
    const [hidden, none] = [await text("/gamma.json"), await text("/nobody.json")];
    expect([hidden[0], hidden[1]]).toEqual([404, none[1]]);
    const own = { Authorization: `Bearer ${token}` };
    expect(await text("/gamma.json", own)).toEqual(await text("/api/v1/tenants/gamma/repos", own));
    expect((await text("/acme.json", { Authorization: "Bearer nonsense" }))[0]).toBe(401);
  });

  it("follows what is made public or private, renamed or deleted", async () => {
    await operator("PATCH", "/repos/gamma/hidden", { visibility: "public" });
    await untilListed(["Acme/One", "beta/two", "gamma/hidden"]);
    await operator("PATCH", "/repos/beta/two", { visibility: "private" });
    // At once, whatever the directory knows: each repository is asked.
    expect(await listed()).toEqual(["Acme/One", "gamma/hidden"]);
    await operator("PATCH", "/repos/gamma/hidden", { name: "shown" });
    expect(await listed()).not.toContain("gamma/hidden");
    await untilListed(["Acme/One", "gamma/shown"]);
    await operator("DELETE", "/repos/acme/one");
    expect(await listed()).not.toContain("Acme/One");
    await operator("DELETE", "/tenants/gamma");
    expect(await listed()).toEqual([]);
  });

  it("costs a stranger no call while an isolate remembers it", async () => {
    const calls = async (): Promise<string> => {
      const timing = (await fetch(`${host.base}/api/v1/repos?limit=19`)).headers.get("Server-Timing") ?? "";
      return /do;desc="(\d+)"/.exec(timing)?.[1] ?? timing; // The header has it.
    };
    await operator("PUT", "/repos/delta/three", { visibility: "public" });
    await untilListed(["delta/three"]);
    expect([await calls(), await calls()]).toEqual(["2", "0"]);
  });
});

describe("a host that lists nothing", () => {
  it("shows strangers no list, and what is public all the same", async () => {
    const silent = await startTestHost({ listPublic: "0" });
    const ask = apiClient(silent.base, "test-token");
    await ask("PUT", "/repos/acme/open", { visibility: "public" });
    const status = async (path: string): Promise<number> => (await fetch(silent.base + path)).status;
    const statuses = [
      await status("/api/v1/repos"),
      await status("/-/public"),
      await status("/acme"),
      await status("/acme.json"),
    ];
    expect([...statuses, await status("/"), await status("/acme/open")]).toEqual([404, 404, 404, 404, 200, 200]);
    expect(await (await fetch(silent.base)).text()).not.toContain("open");
    await silent.stop();
  });
});
