/**
 * Git LFS past the Worker: clients send bytes to, and get them from, the bucket's S3 API, here a stand-in that checks what the
 * addresses sign.
 *
 * @packageDocumentation
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { actionsOf, LfsClient, lfsObject } from "../support/lfs-client.ts";
import { S3StandIn } from "../support/s3-stand-in.ts";

let s3: S3StandIn;
let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;

beforeAll(async () => {
  s3 = await S3StandIn.start();
  host = await startTestHost({ variables: s3.variables });
  s3.serve(host.miniflare);
  git = new GitSandbox("presigned");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  await git.ok(["lfs", "install", "--skip-repo"]);
});

afterAll(async () => {
  await host.stop();
  await s3.stop();
  git.close();
});

async function repository(repo: string): Promise<LfsClient> {
  await operator("PUT", `/repos/acme/${repo}`);
  return new LfsClient(`${host.base}/acme/${repo}.git`, "test-token");
}

/** Sends bytes to the address that the batch gave out. */
async function send(
  answer: Record<string, unknown> | undefined,
  bytes: Uint8Array,
  more: Record<string, string> = {},
): Promise<number> {
  const { upload } = actionsOf(answer);
  const headers = { ...upload?.header, ...more };
  const { status } = await fetch(upload?.href ?? "", { method: "PUT", headers, body: new Uint8Array(bytes) });
  return status;
}

it("the stock client pushes and clones, and no byte of a file goes through the Worker", async () => {
  await operator("PUT", "/repos/acme/journey");
  const url = withToken(`${host.base}/acme/journey.git`, "test-token");
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  const files = [noise(500_000, 1), noise(3000, 2)];
  for (const [index, bytes] of files.entries()) writeFileSync(join(cwd, `${index}.bin`), bytes);
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", "files"], { cwd });
  await git.ok(["push", "-q", url, "main"], { cwd });
  expect(s3.log.filter((line) => line === "PUT 200")).toHaveLength(2);
  const copy = git.fresh();
  await git.ok(["clone", "-q", url, copy]);
  for (const [index, bytes] of files.entries())
    expect(readFileSync(join(copy, `${index}.bin`)).equals(bytes)).toBe(true);
  expect(s3.log.filter((line) => line === "GET 200")).toHaveLength(2);
  const lines = readFileSync(join(host.stateDir, "requests.jsonl"), "utf8");
  expect(lines).not.toMatch(/"method":"(?:PUT|GET)","path":"[^"]*info\/lfs\/objects\/[0-9a-f]{64}"/);
});

describe("an upload's address", () => {
  it.each([true, false])(
    "takes the announced bytes and no others, where the bucket keeps checksums: %s",
    async (keeps) => {
      s3.keepsChecksums = keeps;
      const lfs = await repository(`checked-${keeps}`);
      const bytes = noise(2000, keeps ? 3 : 4);
      const object = lfsObject(bytes);
      const [answer] = await lfs.batch("upload", [object]);
      expect(answer).toMatchObject({ authenticated: true, actions: { upload: { expires_in: 3600 }, verify: {} } });
      expect((await lfs.ask(`objects/${object.oid}/verify`, object)).status).toBe(404);
      expect(await send(answer, noise(2000, 9))).toBe(403);
      expect(await send(answer, bytes.subarray(1))).toBe(403);
      expect(await send(answer, bytes, { "x-amz-meta-repository": "another" })).toBe(403);
      expect(await send(answer, bytes, { "x-amz-acl": "public-read" })).toBe(403);
      expect((await lfs.ask(`objects/${object.oid}/verify`, object)).status).toBe(404);
      expect(await send(answer, bytes)).toBe(200);
      expect((await lfs.ask(`objects/${object.oid}/verify`, object)).status).toBe(200);
      const [found] = await lfs.batch("download", [object]);
      const { download } = actionsOf(found);
      expect(download).not.toHaveProperty("header");
      expect(new URL(download?.href ?? "").searchParams.get("response-content-disposition")).toBe("attachment");
      expect(Buffer.from(await (await fetch(download?.href ?? "")).arrayBuffer()).equals(bytes)).toBe(true);
      // It is good for nothing else.
      expect((await fetch(download?.href.replace(object.oid, "0".repeat(64)) ?? "")).status).toBe(403);
      s3.keepsChecksums = true;
    },
  );

  it("is what proves possession: bytes that another repository uploaded don't", async () => {
    const [one, other] = [await repository("owner"), await repository("thief")];
    const bytes = noise(1500, 5);
    const object = lfsObject(bytes);
    const [answer] = await one.batch("upload", [object]);
    expect(await send(answer, bytes)).toBe(200);
    expect((await one.ask(`objects/${object.oid}/verify`, object)).status).toBe(200);
    const [asked] = await other.batch("upload", [object]);
    expect((await other.ask(`objects/${object.oid}/verify`, object)).status).toBe(404);
    expect(await other.batch("download", [object])).toMatchObject([{ error: { code: 404 } }]);
    expect(await send(asked, bytes)).toBe(200);
    expect((await other.ask(`objects/${object.oid}/verify`, object)).status).toBe(200);
  });

  it("does not spare verify from reading bytes of which the bucket has no checksum", async () => {
    const lfs = await repository("unchecked");
    const object = lfsObject(noise(1000, 6));
    await lfs.batch("upload", [object]);
    const { body } = await operator("GET", "/repos/acme/unchecked");
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const { oid } = object;
    await bucket.put(`lfs/acme/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`, new Uint8Array(noise(1000, 7)), {
      customMetadata: { repository: String(body["id"]) },
    });
    expect((await lfs.ask(`objects/${oid}/verify`, object)).status).toBe(404);
  });
});
