/**
 * Git LFS objects of mirrors: they come from the upstream when they are first asked for, with the mirror's credentials and only to
 * where these belong, and stay when the upstream is gone.
 *
 * @packageDocumentation
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { actionsOf, LFS_TYPE, LfsClient, lfsObject } from "../support/lfs-client.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let operator: ApiClient;
/** An upstream's Git LFS server that answers what a test wants. */
let odd: Server;
let oddUrl = "";
let answers: (request: IncomingMessage, response: ServerResponse, body: string) => void = () => undefined;
const asked: { readonly path: string; readonly authorization: string | undefined }[] = [];

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "up"]) await operator("PUT", `/tenants/${tenant}`);
  odd = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      asked.push({ path: request.url ?? "", authorization: request.headers.authorization });
      answers(request, response, body);
    });
  });
  await new Promise<void>((resolve) => {
    odd.listen(0, "127.0.0.1", resolve);
  });
  oddUrl = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await host.stop();
  odd.closeAllConnections();
  odd.close();
});

/** Makes a public mirror. */
async function mirrorOf(upstream: string, repo: string, login: object = {}): Promise<LfsClient> {
  await operator("PUT", `/repos/acme/${repo}`, { visibility: "public" });
  const made = await operator("PUT", `/repos/acme/${repo}/mirror`, { upstream, interval: 0, ...login });
  expect(made.status).toBe(200);
  return new LfsClient(`${host.base}/acme/${repo}.git`);
}

async function got(lfs: LfsClient, object: { readonly oid: string }): Promise<Uint8Array | number> {
  const answer = await lfs.send(`objects/${object.oid}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return answer.status === 200 ? bytes : answer.status;
}

it("an object comes through with the first request, and stays when the upstream has gone", async () => {
  await operator("PUT", "/repos/up/private", {});
  const upstream = new LfsClient(`${host.base}/up/private.git`, "test-token");
  const bytes = noise(100_000, 1);
  const object = lfsObject(bytes);
  await upstream.batch("upload", [object]);
  await upstream.put(object.oid, bytes);
  const token = await issueToken(operator, "up", "repo:read");
  const lfs = await mirrorOf(`${host.base}/up/private.git`, "through", { username: "x", password: token });
  const missing = lfsObject("nobody has this");
  const [found, absent] = await lfs.batch("download", [object, missing]);
  expect(absent).toMatchObject({ error: { code: 404 } });
  const { download } = actionsOf(found);
  const answer = await fetch(download?.href ?? "");
  expect([answer.status, Buffer.from(await answer.arrayBuffer()).equals(bytes)]).toEqual([200, true]);
  // A size that lies is no other object.
  expect(await lfs.batch("download", [{ ...object, size: 5 }])).toMatchObject([{ error: { code: 422 } }]);
  await operator("DELETE", "/repos/up/private");
  expect(await got(lfs, object)).toEqual(bytes);
  expect(await lfs.batch("download", [object])).toMatchObject([{ actions: { download: {} } }]);
  // Nobody uploads to a mirror.
  const writer = new LfsClient(`${host.base}/acme/through.git`, "test-token");
  expect((await writer.ask("objects/batch", { operation: "upload", objects: [missing] })).status).toBe(403);
  await vi.waitUntil(
    async () => ((await operator("GET", "/tenants/acme")).body["usage"] as { bytes: number }).bytes >= 100_000,
    { timeout: WAIT_LIMIT },
  );
});

/** Answers a batch with one object at an address, and everything else with bytes. */
function offering(object: { oid: string; size: number }, href: string, content: Uint8Array): typeof answers {
  return (request, response, body) => {
    if (request.method !== "POST") return void response.writeHead(200).end(content);
    expect(JSON.parse(body)).toMatchObject({ operation: "download" });
    response.writeHead(200, { "Content-Type": LFS_TYPE });
    const actions = { download: { href, header: { "X-Given": "1" } } };
    response.end(JSON.stringify({ transfer: "basic", objects: [{ ...object, actions }] }));
  };
}

it("bytes that are not the object's are not kept, and an upstream's oddities are one missing object", async () => {
  const bytes = noise(5000, 2);
  const object = lfsObject(bytes);
  const lfs = await mirrorOf(`${oddUrl}/a/b`, "odd");
  answers = offering(object, `${oddUrl}/file`, noise(5000, 3));
  await lfs.batch("download", [object]);
  expect(await got(lfs, object)).toBe(404);
  answers = offering(object, `${oddUrl}/file`, bytes.subarray(1));
  expect(await got(lfs, object)).toBe(404);
  answers = (_, response) => void response.writeHead(500).end();
  expect(await got(lfs, object)).toBe(404);
  answers = (_, response) => void response.writeHead(200).end("no JSON");
  expect(await got(lfs, object)).toBe(404);
  answers = (request) => request.socket.destroy();
  expect(await got(lfs, object)).toBe(404);
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const { oid } = object;
  expect(await bucket.head(`lfs/acme/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`)).toBeNull();
  answers = offering(object, `${oddUrl}/file`, bytes);
  expect(await got(lfs, object)).toEqual(bytes);
  expect(asked.some(({ path }) => path === "/a/b.git/info/lfs/objects/batch")).toBe(true);
});

it("the upstream says what size an object has, whatever others asked for first", async () => {
  const bytes = noise(4000, 5);
  const object = lfsObject(bytes);
  const lfs = await mirrorOf(`${oddUrl}/sizes.git`, "sizes");
  answers = offering(object, `${oddUrl}/file`, bytes);
  const wrong = { ...object, size: 5 };
  expect(await lfs.batch("download", [wrong, object])).toMatchObject([
    { error: { code: 422 } },
    { actions: { download: {} } },
  ]);
  expect(await lfs.batch("download", [wrong])).toMatchObject([{ error: { code: 422 } }]);
  expect(await got(lfs, object)).toEqual(bytes);
  // An upstream that repeats any size is asked again, too.
  const other = lfsObject(noise(4000, 6));
  answers = offering({ ...other, size: 5 }, `${oddUrl}/file`, noise(4000, 6));
  expect(await lfs.batch("download", [{ ...other, size: 5 }])).toMatchObject([{ actions: { download: {} } }]);
  answers = offering(other, `${oddUrl}/file`, noise(4000, 6));
  expect(await lfs.batch("download", [other])).toMatchObject([{ actions: { download: {} } }]);
  expect(await got(lfs, other)).toEqual(noise(4000, 6));
});

it("credentials go to the upstream's origin, and nowhere else", async () => {
  const bytes = noise(3000, 4);
  const object = lfsObject(bytes);
  const lfs = await mirrorOf(`${oddUrl}/secret.git`, "secret", { username: "me", password: "sesame" });
  asked.length = 0;
  // The same server by another name is another origin.
  answers = offering(object, `${oddUrl.replace("127.0.0.1", "localhost")}/file`, bytes);
  await lfs.batch("download", [object]);
  expect(await got(lfs, object)).toEqual(bytes);
  const basic = `Basic ${Buffer.from("me:sesame").toString("base64")}`;
  const batches = asked.filter(({ path }) => path.endsWith("/batch"));
  expect(batches.length).toBeGreaterThan(0);
  for (const { authorization } of batches) expect(authorization).toBe(basic);
  expect(asked.filter(({ path }) => path === "/file")).toEqual([{ path: "/file", authorization: undefined }]);
});

const pointerTo = ({ oid, size }: { oid: string; size: number }): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;

type Progress = { readonly objects: number; readonly missing: number; readonly complete: boolean } | null;

/** Waits until a mirror that takes all objects has asked for all, and returns how that went. */
async function progressOf(repo: string): Promise<Progress> {
  const read = async (): Promise<Progress> =>
    (await operator("GET", `/repos/acme/${repo}/mirror`)).body["lfs_progress"] as Progress;
  await vi.waitUntil(async () => (await read())?.complete === true, { timeout: WAIT_LIMIT, interval: 200 });
  return await read();
}

it("a mirror that takes all objects has them with its sync, later ones with later syncs, and lacks what its upstream lacks", async () => {
  await operator("PUT", "/repos/up/all", { visibility: "public" });
  const upstream = new LfsClient(`${host.base}/up/all.git`, "test-token");
  const contents = Array.from({ length: 12 }, (_, at) => noise(3000 + at, 20 + at));
  const objects = contents.map((bytes) => lfsObject(bytes));
  const missing = lfsObject("nobody has this either");
  const push = async (named: readonly { oid: string; size: number }[]): Promise<void> => {
    const actions = named.map((object) => ({
      action: "upsert",
      path: `${object.oid}.bin`,
      content: pointerTo(object),
    }));
    const made = await operator("POST", "/repos/up/all/commits", { branch: "main", message: "more", actions });
    expect(made.status).toBe(201);
  };
  const upload = async (bytes: Uint8Array): Promise<void> => {
    const object = lfsObject(bytes);
    await upstream.batch("upload", [object]);
    await upstream.put(object.oid, bytes);
  };
  for (const bytes of contents.slice(0, 10)) await upload(bytes);
  await push([...objects.slice(0, 10), missing]);
  await operator("PUT", "/repos/acme/all", { visibility: "public" });
  const settings = { upstream: `${host.base}/up/all.git`, interval: 0, lfs: "all" };
  expect((await operator("PUT", "/repos/acme/all/mirror", settings)).body).toMatchObject({ lfs: "all" });
  expect(await progressOf("all")).toEqual({ objects: 10, missing: 1, complete: true });
  for (const bytes of contents.slice(10)) await upload(bytes);
  await push(objects.slice(10));
  await operator("POST", "/repos/acme/all/mirror/sync");
  await vi.waitUntil(async () => (await progressOf("all"))?.objects === 12, { timeout: WAIT_LIMIT, interval: 200 });
  // Nothing is asked of the upstream any more.
  await operator("DELETE", "/repos/up/all");
  const lfs = new LfsClient(`${host.base}/acme/all.git`);
  for (const [at, object] of objects.entries()) expect(await got(lfs, object)).toEqual(contents[at]);
  expect(await got(lfs, missing)).toBe(404);
});

it("an upstream whose Git LFS server fails is asked again with the next sync", async () => {
  const bytes = noise(4000, 77);
  const object = lfsObject(bytes);
  await operator("PUT", "/repos/up/failing", { visibility: "public" });
  const actions = [{ action: "upsert", path: "a.bin", content: pointerTo(object) }];
  await operator("POST", "/repos/up/failing/commits", { branch: "main", message: "a", actions });
  // Git goes to the host, and Git LFS to the odd server.
  let fails = true;
  answers = (request, response, body) => {
    const isLfs = request.url?.includes("/info/lfs/") === true;
    if (isLfs && fails) return void response.writeHead(503).end();
    if (isLfs || request.url === "/file") return offering(object, `${oddUrl}/file`, bytes)(request, response, body);
    void proxied(request, response, body);
  };
  await operator("PUT", "/repos/acme/failing", { visibility: "public" });
  await operator("PUT", "/repos/acme/failing/mirror", {
    upstream: `${oddUrl}/up/failing.git`,
    interval: 0,
    lfs: "all",
  });
  const state = async (): Promise<Record<string, unknown>> =>
    (await operator("GET", "/repos/acme/failing/mirror")).body;
  await vi.waitUntil(async () => (await state())["last_sync"] !== null, { timeout: WAIT_LIMIT });
  expect(await state()).toMatchObject({ last_error: null, lfs_progress: { objects: 0, missing: 0, complete: false } });
  fails = false;
  await operator("POST", "/repos/acme/failing/mirror/sync");
  expect(await progressOf("failing")).toEqual({ objects: 1, missing: 0, complete: true });
});

/** Hands a request on to the host. */
async function proxied(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
  const headers = new Headers();
  for (const name of ["content-type", "git-protocol", "accept"]) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const { method = "GET" } = request;
  const answer = await fetch(host.base + (request.url ?? ""), {
    method,
    headers,
    ...(method === "POST" ? { body } : {}),
  });
  const type = answer.headers.get("Content-Type");
  response.writeHead(answer.status, type === null ? {} : { "Content-Type": type });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
