/**
 * The Git LFS API, as a client gets it that is not the stock one: what is uploaded is there, what is wrong is refused in the
 * client's own shape and leaves nothing, and nobody learns what other repositories have.
 *
 * @packageDocumentation
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { actionsOf, LFS_TYPE, LfsClient, lfsObject } from "../support/lfs-client.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let operator: ApiClient;

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`);
});

afterAll(async () => {
  await host.stop();
});

/** Makes a repository, and returns a client of it. */
async function repository(path: string, settings: object = {}): Promise<LfsClient> {
  await operator("PUT", `/repos/${path}`, settings);
  return client(path);
}

const client = (path: string, token: string | undefined = "test-token"): LfsClient =>
  new LfsClient(`${host.base}/${path}.git`, token);

/** Returns the keys of all stored objects. */
async function stored(): Promise<string[]> {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const { objects } = await bucket.list({ prefix: "lfs/" });
  return objects.map(({ key }) => key);
}

const keyOf = (tenant: string, oid: string): string => `lfs/${tenant}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;

/** Announces and uploads bytes. */
async function upload(lfs: LfsClient, bytes: string | Uint8Array): Promise<{ oid: string; size: number }> {
  const object = lfsObject(bytes);
  const [answer] = await lfs.batch("upload", [object]);
  expect(answer).toMatchObject({ ...object, actions: { upload: { href: expect.stringContaining(object.oid) } } });
  expect(await lfs.put(object.oid, bytes)).toMatchObject({ status: 200, body: {} });
  return object;
}

describe("an object", () => {
  it("is uploaded where the batch says, and then downloaded, in ranges too", async () => {
    const lfs = await repository("acme/moved");
    const bytes = noise(300_000, 1);
    const object = lfsObject(bytes);
    const [asked] = await lfs.batch("upload", [object], { ref: { name: "refs/heads/main" }, transfers: ["basic"] });
    const { upload: action } = actionsOf(asked);
    const put = await fetch(action?.href ?? "", {
      method: "PUT",
      headers: { ...action?.header, "Content-Type": "application/octet-stream" },
      body: new Uint8Array(bytes),
    });
    expect(put.status).toBe(200);
    expect(await stored()).toContain(keyOf("acme", object.oid));
    // What is here is not asked for again.
    expect(await lfs.batch("upload", [object])).toEqual([object]);
    const [found] = await lfs.batch("download", [object]);
    const { download } = actionsOf(found);
    const got = await fetch(download?.href ?? "", { headers: download?.header ?? {} });
    expect([got.status, got.headers.get("ETag"), got.headers.get("Content-Length")]).toEqual([
      200,
      `"${object.oid}"`,
      "300000",
    ]);
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await lfs.send(download?.href ?? "", { headers: { Range: "bytes=1000-1999" } });
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, "bytes 1000-1999/300000"]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000))).toBe(true);
    const beyond = await lfs.send(download?.href ?? "", { headers: { Range: "bytes=300000-" } });
    expect([beyond.status, beyond.headers.get("Content-Range")]).toEqual([416, "bytes */300000"]);
    const known = await lfs.send(download?.href ?? "", { headers: { "If-None-Match": `"${object.oid}"` } });
    expect(known.status).toBe(304);
    const head = await lfs.send(download?.href ?? "", { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "300000"]);
  });

  it("of no bytes is an object like any other", async () => {
    const lfs = await repository("acme/nothing");
    const object = await upload(lfs, "");
    const got = await lfs.send(`objects/${object.oid}`);
    expect([got.status, await got.text()]).toEqual([200, ""]);
  });

  it("is verified once it is there", async () => {
    const lfs = await repository("acme/verified");
    const object = lfsObject("to be verified");
    expect((await lfs.ask(`objects/${object.oid}/verify`, object)).status).toBe(404);
    await upload(lfs, "to be verified");
    expect((await lfs.ask(`objects/${object.oid}/verify`, object)).status).toBe(200);
    expect((await lfs.ask(`objects/${object.oid}/verify`, { ...object, size: 3 })).status).toBe(422);
    expect((await lfs.ask(`objects/${object.oid}/verify`, lfsObject("another"))).status).toBe(422);
    expect((await lfs.ask(`objects/${object.oid}/verify`, {})).status).toBe(422);
  });

  it("is stored once for a tenant, and read only where it was uploaded", async () => {
    const [one, other] = [await repository("acme/one"), await repository("acme/two")];
    const object = await upload(one, "shared by two");
    // The second repository tells nothing of it: it is asked for as if it were new, and can't be read.
    expect(await other.batch("download", [object])).toMatchObject([{ ...object, error: { code: 404 } }]);
    expect((await other.send(`objects/${object.oid}`)).status).toBe(404);
    expect((await other.ask(`objects/${object.oid}/verify`, object)).status).toBe(404);
    const [answer] = await other.batch("upload", [object]);
    expect(answer).toMatchObject({ actions: { upload: {} } });
    // Other bytes prove nothing.
    expect((await other.put(object.oid, "not the bytes")).status).toBe(422);
    expect((await other.send(`objects/${object.oid}`)).status).toBe(404);
    await upload(other, "shared by two");
    expect(await (await other.send(`objects/${object.oid}`)).text()).toBe("shared by two");
    expect((await stored()).filter((key) => key.includes(object.oid))).toEqual([keyOf("acme", object.oid)]);
    await operator("DELETE", "/repos/acme/one");
    expect(await (await other.send(`objects/${object.oid}`)).text()).toBe("shared by two");
    await operator("DELETE", "/repos/acme/two");
    await vi.waitUntil(async () => !(await stored()).includes(keyOf("acme", object.oid)), { timeout: WAIT_LIMIT });
  });

  it("stays when its repository goes to another tenant, and goes with it", async () => {
    const lfs = await repository("acme/wanderer");
    const object = await upload(lfs, "carried along");
    expect((await operator("PATCH", "/repos/acme/wanderer", { tenant: "other" })).status).toBe(200);
    const moved = client("other/wanderer");
    expect(await (await moved.send(`objects/${object.oid}`)).text()).toBe("carried along");
    const redirected = await lfs.send(`objects/${object.oid}`, { redirect: "manual" });
    expect([redirected.status, redirected.headers.get("Location")]).toEqual([
      308,
      `${host.base}/other/wanderer.git/info/lfs/objects/${object.oid}`,
    ]);
    await operator("DELETE", "/repos/other/wanderer");
    await vi.waitUntil(async () => !(await stored()).includes(keyOf("acme", object.oid)), { timeout: WAIT_LIMIT });
  });

  it("may be uploaded before the push that makes its repository", async () => {
    const admin = client("acme/made-by-lfs", await issueToken(operator, "acme", "tenant:admin"));
    await upload(admin, "first");
    expect((await operator("GET", "/repos/acme/made-by-lfs")).body).toMatchObject({ visibility: "private" });
  });
});

describe("a batch", () => {
  it("of a thousand objects asks two Durable Objects at most, and the bucket nothing", async () => {
    await repository("acme/thousand");
    const objects = Array.from({ length: 1000 }, (_, index) => lfsObject(`object ${index}`));
    const writer = client("acme/thousand", await issueToken(operator, "acme", "repo:write"));
    for (const operation of ["upload", "download"]) {
      const { status, headers, body } = await writer.ask("objects/batch", { operation, objects });
      expect([status, (body["objects"] as unknown[]).length]).toEqual([200, 1000]);
      const timing = headers.get("Server-Timing") ?? "";
      expect(timing).toMatch(/do;desc="2"/);
      expect(timing).toMatch(/r2r;desc="0", r2w;desc="0"/);
    }
  });

  it("tells what is wrong with single objects beside what is right", async () => {
    const lfs = await repository("acme/mixed");
    const good = lfsObject("good");
    const upper = { oid: good.oid.toUpperCase(), size: 1 };
    const wrong = [
      { oid: "../../../../repos/x", size: 1 },
      { oid: "", size: 1 },
      { oid: "0".repeat(63), size: 1 },
      { oid: "x".repeat(100_000), size: 1 },
      upper,
      { ...good, size: -1 },
      { ...good, size: 1.5 },
      { ...good, size: 1e300 },
    ];
    for (const operation of ["upload", "download"]) {
      const answers = await lfs.batch(operation, [...wrong, good]);
      expect(answers.slice(0, -1).map(({ error }) => (error as { code: number }).code)).toEqual(wrong.map(() => 422));
      expect(JSON.stringify(answers).length).toBeLessThan(5000);
      expect(answers.at(-1)).toMatchObject(operation === "upload" ? { actions: {} } : { error: { code: 404 } });
    }
    await upload(lfs, "good");
    // A size that lies.
    for (const operation of ["upload", "download"])
      expect(await lfs.batch(operation, [{ ...good, size: 5 }])).toMatchObject([{ error: { code: 422 } }]);
  });

  it.each([
    ["no JSON", "{", 400],
    ["not an object", "[]", 422],
    ["nothing", "{}", 422],
    ["no such operation", { operation: "delete", objects: [] }, 422],
    ["no objects", { operation: "upload" }, 422],
    ["an object without a size", { operation: "upload", objects: [{ oid: "0".repeat(64) }] }, 422],
    ["another hash", { operation: "upload", hash_algo: "sha512", objects: [] }, 409],
    ["a body that is too large", `"${"x".repeat(300_000)}"`, 413],
  ])("is refused: %s", async (_, body, status) => {
    const lfs = await repository("acme/refusing");
    expect((await lfs.ask("objects/batch", body)).status).toBe(status);
  });

  it("is refused with too many objects, and in another media type", async () => {
    const lfs = await repository("acme/refusing");
    const many = Array.from({ length: 1001 }, () => ({ oid: "0".repeat(64), size: 1 }));
    expect((await lfs.ask("objects/batch", { operation: "upload", objects: many })).status).toBe(413);
    const huge = Array.from({ length: 100_000 }, () => ({ oid: "0".repeat(64), size: 1 }));
    expect((await lfs.ask("objects/batch", { operation: "upload", objects: huge })).status).toBe(413);
    const text = await lfs.ask("objects/batch", "{}", { headers: { "Content-Type": "text/plain" } });
    expect(text.status).toBe(415);
    expect(await stored()).not.toContainEqual(expect.stringContaining("0".repeat(64)));
  });
});

describe("callers", () => {
  it("without a valid token are asked for one, as the client knows it", async () => {
    await repository("acme/closed");
    for (const token of [undefined, "nonsense"]) {
      const lfs = new LfsClient(`${host.base}/acme/closed.git`, token);
      for (const operation of ["download", "upload"]) {
        const { status, headers } = await lfs.ask("objects/batch", { operation, objects: [lfsObject("x")] });
        expect(status).toBe(401);
        expect(headers.get("LFS-Authenticate")).toMatch(/^Basic realm="/);
        expect(headers.get("WWW-Authenticate")).toMatch(/^Basic realm="/);
      }
    }
  });

  it("that may only read are told so when they upload, and others learn nothing", async () => {
    const lfs = await repository("acme/closed");
    const object = await upload(lfs, "closed");
    const reader = client("acme/closed", await issueToken(operator, "acme", "repo:read"));
    expect(await reader.batch("download", [object])).toMatchObject([{ actions: { download: {} } }]);
    expect((await reader.ask("objects/batch", { operation: "upload", objects: [object] })).status).toBe(403);
    expect((await reader.put(object.oid, "closed")).status).toBe(403);
    const foreign = client("acme/closed", await issueToken(operator, "other", "tenant:admin"));
    for (const operation of ["download", "upload"])
      expect((await foreign.ask("objects/batch", { operation, objects: [object] })).status).toBe(404);
    expect((await foreign.send(`objects/${object.oid}`)).status).toBe(404);
    expect((await foreign.put(object.oid, "closed")).status).toBe(404);
  });

  it("read a public repository without a token, and a read-only one is not uploaded to", async () => {
    const lfs = await repository("acme/open", { visibility: "public" });
    const object = await upload(lfs, "open");
    const anybody = new LfsClient(`${host.base}/acme/open.git`);
    expect(await anybody.batch("download", [object])).toMatchObject([{ actions: { download: {} } }]);
    expect(await (await anybody.send(`objects/${object.oid}`)).text()).toBe("open");
    await operator("PATCH", "/repos/acme/open", { read_only: true });
    expect((await lfs.ask("objects/batch", { operation: "upload", objects: [lfsObject("x")] })).status).toBe(403);
    expect((await lfs.put(lfsObject("x").oid, "x")).status).toBe(403);
    expect(await stored()).not.toContain(keyOf("acme", lfsObject("x").oid));
  });

  it("over their tenant's quota are told so for each object", async () => {
    await operator("PUT", "/tenants/small", { quotas: { bytes: 1000 } });
    const lfs = await repository("small/full");
    await upload(lfs, noise(600, 1));
    const [a, b] = [lfsObject(noise(300, 2)), lfsObject(noise(200, 3))];
    expect(await lfs.batch("upload", [a, b])).toMatchObject([
      { actions: { upload: {} } },
      { error: { code: 413, message: expect.stringContaining("over quota") } },
    ]);
    // The room is kept for what was announced.
    expect((await lfs.put(b.oid, noise(200, 3))).status).toBe(413);
    expect((await lfs.put(a.oid, noise(300, 2))).status).toBe(200);
    expect(await stored()).not.toContain(keyOf("small", b.oid));
    await vi.waitUntil(
      async () => ((await operator("GET", "/tenants/small")).body["usage"] as { bytes: number }).bytes === 900,
      { timeout: WAIT_LIMIT },
    );
    for (const path of ["/tenants/small/usage", "/repos/small/full/usage"])
      expect((await operator("GET", path)).body).toMatchObject({
        stored: { git_bytes: 0, lfs_bytes: 900, objects: 0 },
      });
    await operator("DELETE", "/repos/small/full");
    expect((await operator("GET", "/tenants/small/usage")).body).toMatchObject({ stored: { lfs_bytes: 0 } });
  });
});

describe("an upload", () => {
  it("of other bytes, of another length or without one leaves nothing", async () => {
    const lfs = await repository("acme/liar");
    const object = lfsObject("the truth");
    await lfs.batch("upload", [object]);
    expect((await lfs.put(object.oid, "otherwise")).status).toBe(422);
    expect((await lfs.put("../x", "x")).status).toBe(404);
    expect((await lfs.put("f".repeat(63), "x")).status).toBe(422);
    const chunked = await lfs.ask(`objects/${object.oid}`, undefined, {
      method: "PUT",
      body: new Blob(["the truth"]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(chunked.status).toBe(411);
    expect(await lfs.batch("download", [object])).toMatchObject([{ error: { code: 404 } }]);
    expect(await stored()).not.toContain(keyOf("acme", object.oid));
  });

  it("of an object that is here writes nothing, also when its repository is removed before the upload ends", async () => {
    const lfs = await repository("acme/again");
    const bytes = noise(100_000, 11);
    const object = await upload(lfs, bytes);
    expect((await lfs.put(object.oid, "short")).status).toBe(422);
    const { hostname, port } = new URL(host.base);
    const socket = connect(Number(port), hostname);
    const answered = new Promise<string>((resolve) => {
      socket.once("data", (data: Buffer) => resolve(data.toString("latin1")));
    });
    socket.write(
      `PUT /acme/again.git/info/lfs/objects/${object.oid} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n` +
        `Content-Type: ${LFS_TYPE}\r\nContent-Length: 100000\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, 50_000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await operator("DELETE", "/repos/acme/again");
    await vi.waitUntil(async () => !(await stored()).includes(keyOf("acme", object.oid)), { timeout: WAIT_LIMIT });
    socket.write(bytes.subarray(50_000));
    expect(await answered).toContain(" 200 ");
    socket.destroy();
    expect(await stored()).not.toContain(keyOf("acme", object.oid));
  });

  it("that breaks off leaves nothing", async () => {
    const lfs = await repository("acme/broken");
    const object = lfsObject(noise(100_000, 9));
    const { hostname, port } = new URL(host.base);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT /acme/broken.git/info/lfs/objects/${object.oid} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n` +
        `Content-Type: ${LFS_TYPE}\r\nContent-Length: 100000\r\n\r\n`,
    );
    socket.write(noise(100_000, 9).subarray(0, 50_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    expect(await lfs.batch("download", [object])).toMatchObject([{ error: { code: 404 } }]);
    expect(await stored()).not.toContain(keyOf("acme", object.oid));
    expect((await lfs.put(object.oid, noise(100_000, 9))).status).toBe(200);
  });
});
