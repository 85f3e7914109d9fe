/**
 * Pushes whose packs come in parts, over the API: what lands, what is refused, and that nothing is left in the bucket.
 *
 * @packageDocumentation
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiAnswer, type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { buildPack, commitOf, objectId, pushBody, reportLines, treeOf, ZERO } from "../support/git-raw.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const WAIT = { timeout: WAIT_LIMIT, interval: 50 };

let host: RunningHost;
let operator: ApiClient;

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
});

afterAll(async () => {
  await host.stop();
});

/** A commit of one file of noise, and its pack. */
function content(seed: number, bytes = 5000): { commit: string; pack: Buffer } {
  const blob = noise(bytes, seed);
  const tree = treeOf(["100644", "file", objectId("blob", blob)]);
  const commit = commitOf(objectId("tree", tree));
  const pack = buildPack([
    { type: "blob", content: blob },
    { type: "tree", content: tree },
    { type: "commit", content: commit },
  ]);
  return { commit: objectId("commit", commit), pack };
}

type Uploading = {
  readonly path: string;
  readonly put: (number: number, bytes: Uint8Array) => Promise<ApiAnswer>;
  readonly complete: (body: Uint8Array) => Promise<{ status: number; lines: string[] }>;
  readonly left: () => Promise<string[]>;
};

/** Makes a repository and begins an upload to it. */
async function uploading(repo: string, token = "test-token"): Promise<Uploading> {
  const made = await operator("PUT", `/repos/acme/${repo}`, {});
  const begun = await apiClient(host.base, token)("POST", `/repos/acme/${repo}/uploads`);
  expect(begun).toMatchObject({ status: 201, body: { parts: [] } });
  const path = `/repos/acme/${repo}/uploads/${String(begun.body["id"])}`;
  const send = (method: string, below: string, body: Uint8Array, type: string): Promise<Response> =>
    fetch(`${host.base}/api/v1${path}${below}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": type },
      body: new Uint8Array(body),
    });
  return {
    path,
    put: async (number, bytes) => {
      const answer = await send("PUT", `/parts/${number}`, bytes, "application/octet-stream");
      return { status: answer.status, headers: answer.headers, body: await answer.json<Record<string, unknown>>() };
    },
    complete: async (body) => {
      const answer = await send("POST", "/complete", body, "application/x-git-receive-pack-request");
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, lines: answer.status === 200 ? reportLines(bytes) : [bytes.toString()] };
    },
    left: async () => {
      const bucket = await host.miniflare.getR2Bucket("BUCKET");
      const { objects } = await bucket.list({ prefix: `repos/${String(made.body["id"])}.git/objects/pack/` });
      return objects.map(({ key }) => key.replace(/^.*\./, ""));
    },
  };
}

const refsOf = async (repo: string): Promise<unknown> =>
  (await operator("GET", `/repos/acme/${repo}/refs`)).body["refs"];

describe("an upload", () => {
  it("lands as one push, whatever the order of its parts", async () => {
    const { put, complete, left, path } = await uploading("landed");
    const { commit, pack } = content(1);
    const cut = [0, 1000, 1001, 4000, pack.length];
    for (const number of [3, 1, 4, 2, 1]) {
      const part = pack.subarray(cut[number - 1], cut[number]);
      expect(await put(number, part)).toMatchObject({ status: 200, body: { number, bytes: part.length } });
    }
    expect((await operator("GET", path)).body["parts"]).toEqual(
      [1, 2, 3, 4].map((number) => ({ number, bytes: expect.any(Number) as number })),
    );
    expect(await refsOf("landed")).toEqual([]);
    const done = await complete(pushBody([{ name: "refs/heads/main", new: commit }]));
    expect(done).toEqual({ status: 200, lines: ["unpack ok", "ok refs/heads/main"] });
    expect(await refsOf("landed")).toMatchObject([{ name: "refs/heads/main", oid: commit }]);
    expect((await left()).toSorted()).toEqual(["idx", "pack", "rev"]);
    expect((await operator("GET", path)).status).toBe(404);
    expect((await complete(pushBody([{ name: "refs/heads/main", new: commit }]))).status).toBe(404);
  });

  it("leaves nothing if the push is refused", async () => {
    const { put, complete, left } = await uploading("stale");
    const { commit, pack } = content(2);
    await put(1, pack.subarray(0, 2500));
    await put(2, pack.subarray(2500));
    expect(await left()).toEqual(["part-1", "part-2"]);
    const stale = { name: "refs/heads/main", old: "1".repeat(40), new: commit };
    const { status, lines } = await complete(pushBody([stale]));
    expect(status).toBe(200);
    expect(lines[1]).toMatch(/^ng refs\/heads\/main /);
    expect(await left()).toEqual([]);
    expect(await refsOf("stale")).toEqual([]);
  });

  it("is checked like any push", async () => {
    const { put, complete, left } = await uploading("checked");
    const { commit, pack } = content(3);
    await put(1, pack.subarray(0, 3000));
    await put(2, Buffer.concat([pack.subarray(3000, -1), Buffer.from([0])]));
    const { lines } = await complete(pushBody([{ name: "refs/heads/main", new: commit }]));
    expect(lines[0]).toMatch(/^unpack .*pack is corrupted/);
    expect(lines[1]).toBe("ng refs/heads/main unpacker error");
    expect(await left()).toEqual([]);
  });

  it("moves all refs or none if it is atomic, and takes push options", async () => {
    const { put, complete } = await uploading("atomic");
    const { commit, pack } = content(4);
    await put(1, pack);
    const commands = [
      { name: "refs/heads/main", new: commit },
      { name: "refs/heads/gone", old: "1".repeat(40), new: commit },
    ];
    const { lines } = await complete(pushBody(commands, new Uint8Array(), "report-status atomic"));
    expect(lines).toMatchObject([
      expect.any(String),
      expect.stringMatching(/^ng refs\/heads\/main/),
      expect.stringMatching(/^ng/),
    ]);
    expect(await refsOf("atomic")).toEqual([]);
  });

  it("is completed only when all announced parts have come", async () => {
    const { put, complete, path } = await uploading("whole");
    const { commit, pack } = content(5);
    const body = pushBody([{ name: "refs/heads/main", new: commit }]);
    expect((await complete(body)).lines[0]).toContain("The upload has no parts.");
    await put(2, pack.subarray(2000));
    expect(await complete(body)).toMatchObject({ status: 409, lines: [expect.stringContaining("Part 1 is missing.")] });
    await brokenOff(path, 1, 2000);
    expect(await complete(body)).toMatchObject({
      status: 409,
      lines: [expect.stringContaining("Part 1 has not come whole.")],
    });
    expect((await operator("GET", path)).body["parts"]).toEqual([{ number: 2, bytes: pack.length - 2000 }]);
    await put(1, pack.subarray(0, 2000));
    expect((await complete(body)).lines).toEqual(["unpack ok", "ok refs/heads/main"]);
  });

  it("can be given up", async () => {
    const { put, left, path } = await uploading("given-up");
    await put(1, new Uint8Array(100));
    expect((await operator("DELETE", path)).status).toBe(204);
    expect(await left()).toEqual([]);
    expect((await operator("DELETE", path)).status).toBe(404);
    expect(await put(1, new Uint8Array(100))).toMatchObject({ status: 404 });
    expect(await left()).toEqual([]);
  });

  it("refuses a request that is no valid part", async () => {
    const { put, path } = await uploading("refused");
    for (const number of [0, 1001, -1, 1.5])
      expect(await put(number, new Uint8Array(1))).toMatchObject({ status: 422 });
    expect(await put(1, new Uint8Array(0))).toMatchObject({ status: 422 });
    const endless = await fetch(`${host.base}/api/v1${path}/parts/1`, {
      method: "PUT",
      headers: { Authorization: "Bearer test-token" },
      body: new ReadableStream({
        start: (controller) => {
          controller.enqueue(new Uint8Array(10));
          controller.close();
        },
      }),
      duplex: "half",
    } as RequestInit);
    expect(endless.status).toBe(411);
    await put(1, new Uint8Array(1));
    expect((await operator("POST", `${path}/complete`, "{}")).status).toBe(415);
  });
});

/** Sends less of a part than was said. */
async function brokenOff(path: string, number: number, length: number): Promise<void> {
  const { hostname, port } = new URL(host.base);
  const socket = connect(Number(port), hostname);
  socket.write(
    `PUT /api/v1${path}/parts/${number} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer test-token\r\nContent-Length: ${length}\r\n\r\n`,
  );
  socket.write("short of that");
  await vi.waitFor(async () => {
    const shown = await operator("POST", `${path}/complete`, "", {
      "Content-Type": "application/x-git-receive-pack-request",
    });
    expect(shown.body["detail"]).toContain("has not come whole");
  }, WAIT);
  socket.destroy();
}

describe("who uploads", () => {
  it("needs a token that may push, and a repository that is neither a mirror nor read-only", async () => {
    await operator("PUT", "/repos/acme/guarded", {});
    const reader = apiClient(host.base, await issueToken(operator, "acme", "repo:read"));
    const writer = apiClient(host.base, await issueToken(operator, "acme", "repo:write"));
    expect((await reader("POST", "/repos/acme/guarded/uploads")).status).toBe(403);
    expect((await writer("POST", "/repos/acme/guarded/uploads")).status).toBe(201);
    expect((await writer("POST", "/repos/acme/nothing/uploads")).status).toBe(404);
    await operator("PATCH", "/repos/acme/guarded", { read_only: true });
    expect((await writer("POST", "/repos/acme/guarded/uploads")).status).toBe(403);
    await operator("PUT", "/repos/acme/mirrored", {});
    expect(
      (await operator("PUT", "/repos/acme/mirrored/mirror", { upstream: "http://127.0.0.1:8979/x.git", interval: 0 }))
        .status,
    ).toBe(200);
    expect(await writer("POST", "/repos/acme/mirrored/uploads")).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining("read-only mirror") as string },
    });
  });

  it("is held to the tenant's quota before a byte is stored", async () => {
    await operator("PUT", "/tenants/small", { quotas: { bytes: 4000 } });
    await operator("PUT", "/repos/small/one", {});
    const token = await issueToken(operator, "small", "repo:write");
    const writer = apiClient(host.base, token);
    const { body } = await writer("POST", "/repos/small/one/uploads");
    const put = async (number: number, bytes: number): Promise<number> =>
      (
        await fetch(`${host.base}/api/v1/repos/small/one/uploads/${String(body["id"])}/parts/${number}`, {
          method: "PUT",
          headers: { Authorization: `Bearer ${token}` },
          body: new Uint8Array(bytes),
        })
      ).status;
    expect(await put(1, 3000)).toBe(200);
    expect(await put(2, 1001)).toBe(413);
    expect(await put(2, 1000)).toBe(200);
    // It counts in the tenant's usage, and in what a push may bring.
    await vi.waitFor(
      async () => expect((await operator("GET", "/tenants/small")).body["usage"]).toMatchObject({ bytes: 4000 }),
      WAIT,
    );
    const { commit, pack } = content(7, 100);
    const answer = await fetch(`${host.base}/small/one.git/git-receive-pack`, {
      method: "POST",
      headers: {
        Authorization: `Basic ${btoa(`x:${token}`)}`,
        "Content-Type": "application/x-git-receive-pack-request",
      },
      body: new Uint8Array(pushBody([{ name: "refs/heads/main", old: ZERO, new: commit }], pack)),
    });
    expect(await answer.text()).toContain("over quota: the tenant's limit is 4000 bytes, 4000");
    expect((await writer("DELETE", `/repos/small/one/uploads/${String(body["id"])}`)).status).toBe(204);
    await vi.waitFor(
      async () => expect((await operator("GET", "/tenants/small")).body["usage"]).toMatchObject({ bytes: 0 }),
      WAIT,
    );
  });

  it("can't exceed the quota by announcing a part again that does not come", async () => {
    await operator("PUT", "/tenants/sly", { quotas: { bytes: 4000 } });
    await operator("PUT", "/repos/sly/one", {});
    const { body } = await operator("POST", "/repos/sly/one/uploads");
    const path = `/repos/sly/one/uploads/${String(body["id"])}`;
    const put = async (number: number, bytes: number): Promise<number> =>
      (
        await fetch(`${host.base}/api/v1${path}/parts/${number}`, {
          method: "PUT",
          headers: { Authorization: "Bearer test-token" },
          body: new Uint8Array(bytes),
        })
      ).status;
    expect(await put(1, 3000)).toBe(200);
    // There is a gap, so that asking whether it is complete does not complete it.
    expect(await put(3, 100)).toBe(200);
    await brokenOff(path, 1, 1000);
    expect(await put(2, 3000)).toBe(413);
    expect((await operator("GET", path)).body["parts"]).toEqual([
      { number: 1, bytes: 3000 },
      { number: 3, bytes: 100 },
    ]);
  });

  it("is recorded as the one who moved the refs", async () => {
    const token = await issueToken(operator, "acme", "repo:write");
    const { put, complete } = await uploading("named", token);
    const { commit, pack } = content(6);
    await put(1, pack);
    await complete(pushBody([{ name: "refs/heads/main", old: ZERO, new: commit }]));
    const { body } = await operator("GET", "/repos/acme/named/reflog");
    expect(body["pushes"]).toMatchObject([{ actor: expect.stringMatching(/^token:/) as string }]);
  });
});
