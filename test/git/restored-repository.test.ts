/**
 * The way back of a repository or a tenant where others went on since the copy was made: names, loans, links and numbers.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { actionsOf, LfsClient, lfsObject } from "../support/lfs-client.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("restored-repository");
let host: RunningHost;
let operator: ApiClient;
let work = "";

const remote = (name: string): string => withToken(`${host.base}/${name}.git`, host.token);
const push = async (name: string, ...refspecs: string[]): Promise<string> =>
  await git.ok(["push", "-q", remote(name), ...refspecs], { cwd: work });

async function admin(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${host.token}`);
  return await fetch(`${host.base}/api/v1/admin/${path}`, { ...init, headers });
}

async function rowsOf(kind: string, name: string): Promise<string> {
  const answer = await admin(`rows/${kind}/${name}`);
  expect(answer.status).toBe(200);
  return await answer.text();
}

async function put(kind: string, name: string, rows: string, query = ""): Promise<{ status: number; text: string }> {
  const answer = await admin(`rows/${kind}/${name}${query}`, { method: "PUT", body: rows });
  return { status: answer.status, text: await answer.text() };
}

/** Returns the rows of a table of a copy. */
function table(text: string, name: string): unknown[][] {
  const found: unknown[][] = [];
  let isIn = false;
  for (const line of text.trimEnd().split("\n")) {
    const json = JSON.parse(line) as unknown;
    if (!Array.isArray(json)) isIn = (json as { table?: string }).table === name;
    else if (isIn) found.push(json);
  }
  return found;
}

async function upload(name: string, content: Buffer): Promise<void> {
  const lfs = new LfsClient(`${host.base}/${name}.git`, host.token);
  const { body } = await lfs.ask("objects/batch", { operation: "upload", objects: [lfsObject(content)] });
  const [object] = body["objects"] as Record<string, unknown>[];
  const { href = "", header = {} } = actionsOf(object)["upload"] ?? {};
  expect((await lfs.send(href, { method: "PUT", headers: header, body: content })).status).toBe(200);
}

const idOf = async (name: string): Promise<string> => String((await operator("GET", `/repos/${name}`)).body["id"]);

beforeAll(async () => {
  host = await startTestHost({ publishAfter: "0" });
  operator = apiClient(host.base, host.token);
  for (const tenant of ["acme", "beta"]) await operator("PUT", `/tenants/${tenant}`, {});
  work = await git.init();
  await git.commit(work, "a.txt", "one\n");
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("a repository that was renamed since", () => {
  it.each([
    ["renamed", "acme/new"],
    ["moved to another tenant", "beta/new"],
  ])("is not made a second time under its old name: %s", async (what, to) => {
    const name = `acme/old-${what.length}`;
    await push(name, "main");
    const rows = await rowsOf("repository", name);
    const [tenant, repo] = to.split("/");
    expect((await operator("PATCH", `/repos/${name}`, { tenant, name: repo })).status).toBe(200);
    for (const query of ["", "?replace=1"]) {
      const refused = await put("repository", name, rows, query);
      expect(refused).toMatchObject({ status: 409, text: expect.stringContaining(`it is ${to} now`) as string });
    }
    expect((await admin(`rows/repository/${name}`)).status).toBe(404);
    const recovery = await admin(`recoveries/repository/${name}`, {
      method: "POST",
      body: JSON.stringify({ at: new Date(Date.now() - 1000).toISOString() }),
      headers: { "Content-Type": "application/json" },
    });
    expect([recovery.status, await recovery.text()]).toEqual([409, expect.stringContaining(`it is ${to} now`)]);
    // Nor under a third one, whose object knows nothing of it: the bucket says where it is.
    const id = await idOf(to);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const says = async (): Promise<string | undefined> => await (await bucket.get(`repos/${id}.git/config`))?.text();
    await vi.waitUntil(async () => (await says())?.includes(`"${to}"`) === true, { timeout: WAIT_LIMIT });
    expect((await put("repository", "acme/third", rows)).status).toBe(409);
    // Another repository has the old name, and what was there stays known: also when that one is restored.
    expect((await operator("PUT", `/repos/${name}`, {})).status).toBe(201);
    const other = await rowsOf("repository", name);
    expect((await put("repository", name, other, "?replace=1")).status).toBe(200);
    expect((await put("repository", name, rows, "?replace=1")).status).toBe(409);
    expect((await operator("DELETE", `/repos/${to}`)).status).toBe(204);
  });
});

describe("a fork that was deleted", () => {
  it("has its loans again", async () => {
    await push("acme/parent", "main");
    const parent = await idOf("acme/parent");
    expect((await operator("POST", "/repos/acme/parent/forks", { tenant: "beta", repo: "fork" })).status).toBe(201);
    const fork = await idOf("beta/fork");
    const loans = async (): Promise<unknown[][]> => table(await rowsOf("lender", parent), "loans");
    const before = (await loans()).map(([pack, borrower]) => [pack, borrower]);
    expect(before).toEqual([[expect.any(String), fork]]);
    const rows = await rowsOf("repository", "beta/fork");
    expect((await operator("DELETE", "/repos/beta/fork")).status).toBe(204);
    await vi.waitFor(async () => expect(await loans()).toEqual([]), { timeout: WAIT_LIMIT });
    expect(await put("repository", "beta/fork", rows)).toMatchObject({ status: 200 });
    expect((await loans()).map(([pack, borrower]) => [pack, borrower])).toEqual(before);
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", remote("beta/fork"), clone]);
    await git.fsck(clone);
  });
});

describe("a tenant that is replaced by a copy", () => {
  it("keeps the links of Git LFS that were made since", async () => {
    await push("acme/large", "main");
    const rows = await rowsOf("tenant", "acme");
    const content = randomBytes(1000);
    await upload("acme/large", content);
    const links = async (): Promise<unknown[][]> => table(await rowsOf("tenant", "acme"), "lfs_links");
    const made = await links();
    expect(made).toHaveLength(1);
    expect((await put("tenant", "acme", rows, "?replace=1")).status).toBe(200);
    expect(await links()).toEqual(made);
  });
});

describe("a repository that is restored twice", () => {
  it("gives no number out again, and is entered again where it is there", async () => {
    await push("acme/twice", "main");
    const rows = await rowsOf("repository", "acme/twice");
    const newest = async (): Promise<number> => {
      const [log] = (await operator("GET", "/repos/acme/twice/reflog")).body["pushes"] as { id: number }[];
      return log?.id ?? 0;
    };
    const ids: number[] = [await newest()];
    for (const branch of ["one", "two"]) {
      expect((await put("repository", "acme/twice", rows, "?replace=1")).status).toBe(200);
      await push("acme/twice", `main:refs/heads/${branch}`);
      ids.push(await newest());
    }
    expect(new Set(ids).size).toBe(3);
    expect(ids.toSorted((a, b) => a - b)).toEqual(ids);
    expect(Math.max(...ids)).toBeLessThan(2 ** 53);
    // The same once more, as after an answer that was lost: what is there stays.
    const again = await put("repository", "acme/twice", rows);
    expect([again.status, JSON.parse(again.text)]).toEqual([200, { kind: "repository", name: "acme/twice", rows: 0 }]);
    expect(await newest()).toBe(ids[2]);
    expect(await (await admin("objects/repository/acme/twice")).json()).toMatchObject({ exists: true });
    await push("acme/another", "main");
    expect((await put("repository", "acme/another", rows)).status).toBe(409);
    expect((await put("repository", "acme/twice", "\u0000", "?replace=1")).status).toBe(422);
  });
});

describe("a file of the bucket", () => {
  it("is given in part as it is asked for", async () => {
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    await bucket.put("lfs/acme/part", "0123456789");
    await bucket.put("lfs/acme/part-two", "longer than that");
    const asked = async (range: string): Promise<unknown[]> => {
      const answer = await admin("files/lfs/acme/part", { headers: { Range: range } });
      const text = await answer.text();
      return [answer.status, answer.headers.get("Content-Range"), answer.ok ? text : ""];
    };
    expect(await asked("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await asked("bytes=0-2")).toEqual([206, "bytes 0-2/10", "012"]);
    expect(await asked("bytes=-5")).toEqual([206, "bytes 5-9/10", "56789"]);
    expect(await asked("bytes=8-99")).toEqual([206, "bytes 8-9/10", "89"]);
    expect((await asked("bytes=10-"))[0]).toBe(416);
  });
});
