/**
 * Files behind pointers of Git LFS, as `raw` and `archive` give them when they are asked to: pushed by the stock client, and the
 * same bytes as in a clone.
 *
 * @packageDocumentation
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { lfsObject } from "../support/lfs-client.ts";
import { SettledLog } from "../support/settled-log.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let token = "";

const SMALL = noise(3000, 1);
const LARGE = noise(3_000_000, 2);
const LOST = noise(500, 3);
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), noise(2000, 4)]);

beforeAll(async () => {
  host = await startTestHost({ hasClock: true, allowPrivateUpstreams: true });
  git = new GitSandbox("lfs-content");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  token = await issueToken(operator, "acme", "tenant:admin");
  await git.ok(["lfs", "install", "--skip-repo"]);
  await operator("PUT", "/repos/acme/files", { visibility: "public" });
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  const files = { "small.bin": SMALL, "large.bin": LARGE, "lost.bin": LOST, "image.bin": PNG, "plain.txt": "plain\n" };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", "Files"], { cwd });
  const url = withToken(`${host.base}/acme/files.git`, token);
  await git.ok(["remote", "add", "origin", url], { cwd });
  for (const bytes of [SMALL, LARGE, PNG])
    await git.ok(["lfs", "push", "--object-id", "origin", lfsObject(bytes).oid], { cwd });
  await git.ok(["push", "-q", "--no-verify", "origin", "main"], { cwd });
});

afterAll(async () => {
  await host.stop();
  git.close();
});

const api = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${host.base}/api/v1/repos/acme/files/${path}`, init);
const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

describe("raw", () => {
  it.each(["/api/v1/repos/acme/files/raw/main", "/acme/files/raw/main"])(
    "gives the file behind a pointer when it is asked for, at %s",
    async (base) => {
      const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
        fetch(`${host.base}${base}/${path}`, { headers });
      const whole = await get("large.bin?lfs=1");
      const etag = `"${lfsObject(LARGE).oid}"`;
      expect([whole.status, whole.headers.get("ETag"), whole.headers.get("Content-Length")]).toEqual([
        200,
        etag,
        "3000000",
      ]);
      expect(whole.headers.get("Content-Disposition")).toBe("attachment; filename*=UTF-8''large.bin");
      expect((await bytesOf(whole)).equals(LARGE)).toBe(true);
      const part = await get("large.bin?lfs=1", { Range: "bytes=2999990-", "If-Range": etag });
      expect([part.status, part.headers.get("Content-Range")]).toEqual([206, "bytes 2999990-2999999/3000000"]);
      expect((await bytesOf(part)).equals(LARGE.subarray(-10))).toBe(true);
      const other = await get("large.bin?lfs=1", { Range: "bytes=0-1", "If-Range": '"other"' });
      expect([other.status, (await bytesOf(other)).length]).toEqual([200, LARGE.length]);
      expect((await get("large.bin?lfs=1", { Range: "bytes=3000000-" })).status).toBe(416);
      expect((await get("large.bin?lfs=1", { "If-None-Match": etag })).status).toBe(304);
      expect((await (await get("large.bin")).text()).startsWith("version https://git-lfs.github.com/spec/v1\n")).toBe(
        true,
      );
      expect(await (await get("plain.txt?lfs=1")).text()).toBe("plain\n");
      const lost = await get("lost.bin?lfs=1", { Accept: "application/problem+json" });
      expect(lost.status).toBe(404);
      expect(await lost.text()).toContain(lfsObject(LOST).oid);
      expect((await get("large.bin?lfs=yes")).status).toBe(422);
    },
  );

  it("says how long a file is without sending it, and shows an image as one on a page alone", async () => {
    const head = await api("raw/main/large.bin?lfs=1", { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "3000000"]);
    expect((await api("raw/main/image.bin?lfs=1")).headers.get("Content-Type")).toBe("application/octet-stream");
    const page = await fetch(`${host.base}/acme/files/raw/main/image.bin?lfs=1`);
    expect([page.headers.get("Content-Type"), page.headers.get("Content-Security-Policy")]).toEqual([
      "image/png",
      expect.stringContaining("sandbox"),
    ]);
  });

  it("is linked from the page of a pointer", async () => {
    const page = async (path: string): Promise<string> =>
      await (await fetch(`${host.base}/acme/files/${path}`, { headers: { Accept: "text/html" } })).text();
    expect(await page("blob/main/large.bin")).toContain('href="/acme/files/raw/main/large.bin?lfs=1"');
    expect(await page("blob/main/plain.txt")).not.toContain("lfs=1");
    expect(await page("tree/main")).toContain('href="/acme/files/archive/main.tar.gz?lfs=1"');
  });
});

describe("archive", () => {
  it.each(["tar.gz", "zip", "tar"])(
    "has the files of a clone as %s, and the pointer of one that is not here",
    async (ending) => {
      const answer = await api(`archive/main.${ending}?lfs=1&prefix=`);
      expect([answer.status, answer.headers.get("ETag"), answer.headers.get("Link")]).toEqual([200, null, null]);
      const directory = git.fresh("unpacked");
      const file = `${directory}.${ending}`;
      writeFileSync(file, await bytesOf(answer));
      mkdirSync(directory);
      if (ending === "zip") execFileSync("unzip", ["-q", file, "-d", directory]);
      else execFileSync("tar", ["-xf", file, "-C", directory]);
      expect(readFileSync(join(directory, "small.bin")).equals(SMALL)).toBe(true);
      expect(readFileSync(join(directory, "large.bin")).equals(LARGE)).toBe(true);
      expect(readFileSync(join(directory, "plain.txt"), "utf8")).toBe("plain\n");
      expect(readFileSync(join(directory, "lost.bin"), "utf8")).toContain(`oid sha256:${lfsObject(LOST).oid}\n`);
    },
  );

  it("asks the repository once for all pointers, and reads the bucket once for each file", async () => {
    const log = new SettledLog(join(host.stateDir, "requests.jsonl"), host.base);
    const count = async (query: string): Promise<number[]> => {
      await log.read();
      await (await api(`archive/main.tar${query}`)).arrayBuffer();
      const counts = await log.read();
      return [counts.do, counts.r2r];
    };
    await count(""); // What an isolate keeps is there for both.
    const [plainCalls = 0, plainReads = 0] = await count("");
    expect(await count("?lfs=1")).toEqual([plainCalls + 1, plainReads + 3]);
  });

  it("is of pointers where nobody asks for files", async () => {
    const plain = await api("archive/main.tar");
    expect(plain.headers.get("ETag")).not.toBeNull();
    expect((await bytesOf(plain)).length).toBeLessThan(30_000);
  });
});

describe("who may not read", () => {
  it("is given no file, and is told nothing", async () => {
    await operator("PUT", "/repos/acme/hidden", { visibility: "private" });
    for (const path of ["raw/main/large.bin?lfs=1", "archive/main.tar?lfs=1"]) {
      expect((await fetch(`${host.base}/api/v1/repos/acme/hidden/${path}`)).status).toBe(401);
      expect((await fetch(`${host.base}/acme/hidden/${path}`)).status).toBe(404);
    }
  });

  it("gets nothing of another repository by pushing its pointer", async () => {
    await operator("PUT", "/repos/acme/thief");
    const cwd = await git.init();
    const { oid, size } = lfsObject(LARGE);
    writeFileSync(join(cwd, "x.bin"), `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`);
    await git.ok(["add", "-A"], { cwd });
    await git.ok(["commit", "-q", "-m", "A pointer"], { cwd });
    await git.ok(["push", "-q", withToken(`${host.base}/acme/thief.git`, token), "main"], { cwd });
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(`${host.base}/api/v1/repos/acme/thief/raw/main/x.bin?lfs=1`, { headers });
    expect(answer.status).toBe(404);
  });
});

it("a mirror fetches the file from its upstream first", async () => {
  await operator("PUT", "/repos/acme/copied", { visibility: "public" });
  const upstream = `${host.base}/acme/files.git`;
  await operator("PUT", "/repos/acme/copied/mirror", { upstream, interval: 0 });
  await operator("POST", "/repos/acme/copied/mirror/sync");
  await expect
    .poll(async () => (await fetch(`${host.base}/api/v1/repos/acme/copied/raw/main/plain.txt`)).status, {
      timeout: WAIT_LIMIT,
    })
    .toBe(200);
  const base = `${host.base}/api/v1/repos/acme/copied`;
  expect((await bytesOf(await fetch(`${base}/raw/main/small.bin?lfs=1`))).equals(SMALL)).toBe(true);
  const archive = await bytesOf(await fetch(`${base}/archive/main.tar?lfs=1`));
  expect(archive.includes(Buffer.from(LARGE.subarray(0, 500_000)))).toBe(true);
});
