/**
 * Git LFS files larger than a request may be: the stock client with the transfer that `thinpack lfs install` configures sends them in
 * parts, and goes on where an interrupted transfer was.
 *
 * @packageDocumentation
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { startCommand } from "../support/command.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { LfsClient, lfsObject } from "../support/lfs-client.ts";
import { INSTALLED_LFS } from "../support/new-git-lfs.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const PART = 1_000_000;

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let token = "";

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("lfs-parts");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  token = await issueToken(operator, "acme", "tenant:admin");
  await git.ok(["lfs", "install", "--skip-repo"]);
  const { code } = await startCommand(git, ["lfs", "install", "--part-size", String(PART)]).ended;
  if (code !== 0) throw new Error("the transfer was not installed");
});

afterAll(async () => {
  await host.stop();
  git.close();
});

const urlOf = (repo: string): string => withToken(`${host.base}/acme/${repo}.git`, token);

async function working(repo: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  await operator("PUT", `/repos/acme/${repo}`);
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["remote", "add", "origin", urlOf(repo)], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", "Files"], { cwd });
  return cwd;
}

/** Lists what was asked of a repository's uploads and objects, in the order of the log. */
function asked(repo: string): string[] {
  const lines = readFileSync(join(host.stateDir, "requests.jsonl"), "utf8").trimEnd().split("\n");
  return lines.flatMap((line) => {
    const { method, path = "", status } = JSON.parse(line) as { method?: string; path?: string; status?: number };
    if (!path.includes(`/acme/${repo}`) || !/uploads\/|info\/lfs\/objects\/[0-9a-f]{64}/.test(path)) return [];
    return [
      `${method} ${path.replace(/.*\/(?=parts|lfs$|[0-9a-f]{40,64}$)/, "").replace(/^[0-9a-f]{40,64}$/, "object")} ${status}`,
    ];
  });
}

describe(`the stock client, ${INSTALLED_LFS.version}, with our transfer`, () => {
  it.each(["0", "2"])("sends large files in parts and small ones at once, over version %s", async (version) => {
    const repo = `parts-${version}`;
    const files = {
      "large.bin": noise(3_500_000, Number(version) + 1),
      "small.bin": noise(2000, 2),
      "empty.bin": new Uint8Array(0),
    };
    const cwd = await working(repo, files);
    const options = ["-c", `protocol.version=${version}`];
    await git.ok([...options, "push", "-q", "origin", "main"], { cwd });
    const sent = asked(repo);
    for (const number of [1, 2, 3, 4]) expect(sent).toContain(`PUT parts/${number} 200`);
    expect(sent.filter((line) => line.startsWith("POST lfs"))).toEqual(["POST lfs 200"]);
    const copy = git.fresh();
    await git.ok([...options, "clone", "-q", urlOf(repo), copy]);
    for (const [name, bytes] of Object.entries(files)) expect(readFileSync(join(copy, name)).equals(bytes)).toBe(true);
    await git.ok(["lfs", "fsck"], { cwd: copy });
    // The tenant is told of them a moment later.
    await vi.waitFor(
      async () =>
        expect((await operator("GET", `/repos/acme/${repo}/usage`)).body).toMatchObject({
          stored: { lfs_bytes: 3_502_000 },
        }),
      { timeout: WAIT_LIMIT },
    );
    expect(readdirSync(join(cwd, ".git", "thinpack-lfs"))).toEqual([]);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    expect((await bucket.list({ prefix: "repos/" })).objects.filter(({ key }) => key.includes(".part-"))).toEqual([]);
  });

  it("goes on with an upload that was interrupted: parts that have come are not sent again", async () => {
    const large = noise(3_200_000, 11);
    const cwd = await working("resumed", { "large.bin": large });
    const { oid } = lfsObject(large);
    const { body } = await operator("POST", "/repos/acme/resumed/uploads");
    const upload = String(body["id"]);
    for (const number of [1, 3]) {
      const url = `${host.base}/api/v1/repos/acme/resumed/uploads/${upload}/parts/${number}`;
      const part = large.subarray((number - 1) * PART, number * PART);
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" };
      expect((await fetch(url, { method: "PUT", headers, body: new Uint8Array(part) })).status).toBe(200);
    }
    const before = asked("resumed").length;
    mkdirSync(join(cwd, ".git", "thinpack-lfs"));
    const href = `${host.base}/acme/resumed.git/info/lfs/objects/${oid}`;
    writeFileSync(join(cwd, ".git", "thinpack-lfs", `${oid}.json`), JSON.stringify({ href, part_bytes: PART, upload }));
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    const since = asked("resumed").slice(before);
    expect(since.filter((line) => line.startsWith("PUT")).toSorted()).toEqual(["PUT parts/2 200", "PUT parts/4 200"]);
    const copy = git.fresh();
    await git.ok(["clone", "-q", urlOf("resumed"), copy]);
    expect(readFileSync(join(copy, "large.bin")).equals(large)).toBe(true);
  });

  it("begins anew where the host has dropped the upload", async () => {
    const large = noise(1_200_000, 12);
    const cwd = await working("dropped", { "large.bin": large });
    const { oid } = lfsObject(large);
    mkdirSync(join(cwd, ".git", "thinpack-lfs"));
    const href = `${host.base}/acme/dropped.git/info/lfs/objects/${oid}`;
    const state = { href, part_bytes: PART, upload: "0".repeat(40) };
    writeFileSync(join(cwd, ".git", "thinpack-lfs", `${oid}.json`), JSON.stringify(state));
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    expect(asked("dropped").filter((line) => line.startsWith("PUT"))).toHaveLength(2);
  });

  it("goes on with a download that was interrupted, and downloads anew what was damaged", async () => {
    const large = noise(2_500_000, 13);
    const cwd = await working("fetched", { "large.bin": large });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    const { oid } = lfsObject(large);
    for (const [first, statuses] of [
      [large.subarray(0, 1_000_000), ["GET object 206"]],
      [noise(1_000_000, 99), ["GET object 206", "GET object 200"]],
    ] as const) {
      const copy = git.fresh();
      await git.ok(["clone", "-q", urlOf("fetched"), copy], { env: { GIT_LFS_SKIP_SMUDGE: "1" } });
      mkdirSync(join(copy, ".git", "thinpack-lfs"));
      writeFileSync(join(copy, ".git", "thinpack-lfs", oid), first);
      const before = asked("fetched").length;
      const pulled = await git.git(["lfs", "pull"], { cwd: copy });
      if (pulled.code !== 0) await git.ok(["lfs", "pull"], { cwd: copy });
      expect(asked("fetched").slice(before)).toEqual(statuses);
      expect(readFileSync(join(copy, "large.bin")).equals(large)).toBe(true);
    }
  });
});

describe("parts that are to be an object", () => {
  /** Uploads parts, and asks that they be an object. */
  async function completed(repo: string, parts: readonly Uint8Array[], object: object, as = token): Promise<number> {
    const base = `${host.base}/api/v1/repos/acme/${repo}/uploads`;
    const { body } = await operator("POST", `/repos/acme/${repo}/uploads`);
    const headers = { Authorization: `Bearer test-token` };
    for (const [at, part] of parts.entries()) {
      const url = `${base}/${String(body["id"])}/parts/${at + 1}`;
      await fetch(url, {
        method: "PUT",
        headers: { ...headers, "Content-Type": "application/octet-stream" },
        body: new Uint8Array(part),
      });
    }
    const answer = await fetch(`${base}/${String(body["id"])}/lfs`, {
      method: "POST",
      headers: { Authorization: `Bearer ${as}`, "Content-Type": "application/json" },
      body: JSON.stringify(object),
    });
    return answer.status;
  }

  it("have to have its SHA-256 and its size, and their sender the right to push", async () => {
    await operator("PUT", "/repos/acme/checked");
    const parts = [noise(5000, 21), noise(100, 22)];
    const object = lfsObject(Buffer.concat(parts));
    const reader = await issueToken(operator, "acme", "repo:read");
    expect(await completed("checked", parts, { ...object, oid: "0".repeat(64) })).toBe(422);
    expect(await completed("checked", parts, { ...object, size: 5099 })).toBe(422);
    expect(await completed("checked", parts, { ...object, oid: "../x" })).toBe(422);
    expect(await completed("checked", [], object)).toBe(409);
    expect(await completed("checked", parts, object, reader)).toBe(403);
    const lfs = new LfsClient(`${host.base}/acme/checked.git`, token);
    expect(await lfs.batch("download", [object])).toMatchObject([{ error: { code: 404 } }]);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    for (const oid of ["0".repeat(64), object.oid])
      expect(await bucket.head(`lfs/acme/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`)).toBeNull();
    expect(await completed("checked", parts, object)).toBe(200);
    expect(await lfs.batch("download", [object])).toMatchObject([{ actions: { download: {} } }]);
    // Once more changes nothing.
    expect(await completed("checked", parts, object)).toBe(200);
  });
});
