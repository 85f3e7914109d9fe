/**
 * What HTTP itself decides: names, credentials, methods, content types, bodies, headers. What git says over it is tested with git.
 *
 * @packageDocumentation
 */
import { request as openRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { startTestHost } from "../support/host.ts";

const UPLOAD = "application/x-git-upload-pack-request";
const RECEIVE = "application/x-git-receive-pack-request";
const ZERO = "0".repeat(40);
const OID = "1234567890".repeat(4);

let host: RunningHost;

const operator = { Authorization: `Bearer test-token` };

function ask(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  return fetch(host.base + path, init);
}

function askAsOperator(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  return ask(path, { ...init, headers: Object.assign({}, operator, init.headers) });
}

async function makeRepository(name: string, settings: object = {}): Promise<Record<string, unknown>> {
  const answer = await askAsOperator(`/api/v1/repos/${name}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(settings),
  });
  expect(answer.status).toBe(201);
  return answer.json<Record<string, unknown>>();
}

/** Everything of an answer that a stranger sees, but for the time. */
async function seen(answer: Response): Promise<unknown> {
  const headers = [...answer.headers].filter(([name]) => !["date", "x-request-id"].includes(name));
  return { status: answer.status, headers, body: await answer.text() };
}

/** Puts a ref and a pack into a repository, as a push would. */
async function plant(name: string): Promise<{ pack: Buffer; checksum: string }> {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  const object = namespace.get(namespace.idFromName(name)) as unknown as {
    beginPush(request: object): Promise<{ record: { id: string } }>;
    commitPush(request: object): Promise<unknown>;
  };
  const stem = "c0ffee".padEnd(40, "0");
  const checksum = "feed".padEnd(40, "0");
  const { record } = await object.beginPush({ names: [], packName: stem });
  const pack = Buffer.from(Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff));
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  await bucket.put(`repos/${record.id}.git/objects/pack/pack-${stem}.pack`, pack);
  await bucket.put(`repos/${record.id}.git/objects/pack/pack-${stem}.idx`, pack.subarray(0, 1500));
  await bucket.put(`repos/${record.id}.git/objects/pack/pack-${stem}.kinds`, pack.subarray(0, 10));
  await bucket.put(`repos/${record.id}.git/objects/pack/pack-${"dead".padEnd(40, "0")}.pack`, pack);
  const answer = await object.commitPush({
    id: record.id,
    pack: {
      name: stem,
      checksum,
      objects: 1,
      ownObjects: 1,
      packBytes: 5000,
      ownBytes: 4980,
      indexBytes: 1500,
      indexHead: new Uint8Array(1500),
      marked: true,
      source: "receive",
      createdAt: 1,
    },
    updates: [
      { name: "refs/heads/main", oldOid: ZERO, newOid: OID, forward: true },
      { name: "refs/tags/v1", oldOid: ZERO, newOid: checksum, peeled: OID, forward: true },
    ],
    atomic: false,
    actor: "test",
    pushOptions: [],
  });
  expect(answer).toMatchObject({ packKept: true });
  return { pack, checksum };
}

/** Opens a WebSocket as a browser does for a page of `origin`; gives the status. */
async function socketFor(path: string, origin: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const headers = {
      Origin: origin,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    const asked = openRequest(host.base + path, { headers });
    asked.on("error", reject);
    asked.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.end();
  });
}

beforeAll(async () => {
  host = await startTestHost({ allowedOrigins: "https://app.example" });
  await makeRepository("acme/open", { visibility: "public" });
  await makeRepository("acme/closed");
});

afterAll(async () => {
  await host.stop();
});

describe("credentials", () => {
  const places = [
    "/acme/NAME.git/info/refs?service=git-upload-pack",
    "/acme/NAME.git/info/refs?service=git-receive-pack",
    "/acme/NAME/info/refs",
    "/acme/NAME.git/HEAD",
    "/acme/NAME.git/objects/info/packs",
    `/acme/NAME.git/objects/pack/pack-${ZERO}.pack`,
    "/acme/NAME.git/whatever",
    "/api/v1/repos/acme/NAME",
    "/api/v1/repos/acme/NAME/refs",
    "/api/v1/repos/acme/NAME/export",
  ];

  it.each(places)("answers a stranger at %s the same for a private and a missing repository", async (place) => {
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: "Basic !!" }]) {
      const missing = await seen(await ask(place.replace("NAME", "none"), { headers }));
      expect(await seen(await ask(place.replace("NAME", "closed"), { headers }))).toEqual(missing);
      expect(missing).toMatchObject({ status: 401 });
    }
  });

  it.each([
    ["Bearer", operator],
    ["Basic, any user", { Authorization: `Basic ${btoa("anyone:test-token")}` }],
    ["basic, no user", { Authorization: `basic ${btoa(":test-token")}` }],
    ["the token as the user", { Authorization: `Basic ${btoa("test-token:")}` }],
    ["the token as the user, with GitHub's word", { Authorization: `Basic ${btoa("test-token:x-oauth-basic")}` }],
    ["the scheme token", { Authorization: "token test-token" }],
  ])("knows the operator by %s", async (_, headers) => {
    const answer = await ask("/acme/closed.git/info/refs?service=git-upload-pack", { headers });
    expect(answer.status).toBe(200);
    await answer.text();
    expect((await ask("/acme/none.git/info/refs?service=git-upload-pack", { headers })).status).toBe(404);
  });

  it.each([
    ["a prefix", "Bearer test-toke"],
    ["more", "Bearer test-token2"],
    ["nothing", "Bearer "],
    ["the token as the user beside a password", `Basic ${btoa("test-token:x")}`],
    ["another scheme", "Digest test-token"],
  ])("refuses %s, even where anyone may read", async (_, authorization) => {
    const headers = { Authorization: authorization };
    const answer = await ask("/acme/open.git/info/refs?service=git-upload-pack", { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Basic realm="/);
  });

  it("are asked for before a push, even to a public repository, and before the body is read", async () => {
    expect((await ask("/acme/open.git/info/refs?service=git-receive-pack")).status).toBe(401);
    const answer = await ask("/acme/open.git/git-receive-pack", {
      method: "POST",
      headers: { "Content-Type": RECEIVE },
      body: Buffer.alloc(3_000_000),
    });
    expect(answer.status).toBe(401);
  });

  it.each([
    "/acme/group/widgets.git/info/refs?service=git-receive-pack",
    "/widgets.git/info/refs?service=git-upload-pack",
    "/acme/-x.git/info/refs?service=git-upload-pack",
    "/acme/x.lock/info/refs",
    "/acme/group/widgets.git/info/lfs/objects/batch",
  ])("tells everybody that %s is no address of a repository", async (path) => {
    for (const answer of [await ask(path), await askAsOperator(path)]) {
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("Addresses are {host}/{tenant}/{name}.git");
    }
  });

  it("tells a token that is not valid that it is not", async () => {
    const answer = await ask("/acme/open.git/info/refs?service=git-receive-pack", {
      headers: { Authorization: "Bearer nonsense" },
    });
    expect(await answer.text()).toBe("The token is not valid: it is unknown, expired or revoked.\n");
  });
});

describe("names", () => {
  it("are compared without case, and shown as they were written first", async () => {
    const shown = await makeRepository("Globex/Widgets.Js", { description: "first" });
    expect(shown).toMatchObject({ tenant: "Globex", name: "Widgets.Js" });
    expect(shown["git_url"]).toBe(`${host.base}/Globex/Widgets.Js.git`);
    const found = await askAsOperator("/api/v1/repos/gLOBEX/widgets.js");
    expect(await found.json()).toMatchObject({ tenant: "Globex", name: "Widgets.Js", description: "first" });
    const again = await askAsOperator("/api/v1/repos/globex/WIDGETS.JS", { method: "PUT" });
    expect(again.status).toBe(200);
    expect((await askAsOperator("/GLOBEX/WIDGETS.JS.git/info/refs?service=git-upload-pack")).status).toBe(200);
    const tenants = await askAsOperator("/api/v1/tenants?limit=1000");
    const listed = await tenants.json<{ tenants: { name: string }[] }>();
    expect(listed.tenants.filter(({ name }) => name.toLowerCase() === "globex")).toMatchObject([{ name: "Globex" }]);
    const mine = await makeRepository("GLOBEX/other");
    expect(mine).toMatchObject({ tenant: "Globex", name: "other" });
  });

  it("are compared without case for tokens, too", async () => {
    const issued = await askAsOperator("/api/v1/tenants/Globex/tokens", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "one", scopes: ["repo:read"], repos: ["WIDGETS.js"] }),
    });
    const { token } = await issued.json<{ token: string }>();
    const headers = { Authorization: `Bearer ${token}` };
    for (const [repo, status] of [
      ["Widgets.Js", 200],
      ["widgets.js", 200],
      ["other", 404],
    ] as const) {
      expect((await ask(`/api/v1/repos/globex/${repo}`, { headers })).status).toBe(status);
    }
  });

  it("pass over empty segments of a path", async () => {
    const statusOf = async (path: string): Promise<number> => (await askAsOperator(path)).status;
    expect(await statusOf("//acme//closed.git//info/refs?service=git-upload-pack")).toBe(200);
    expect(await statusOf("/acme/closed.git/info/refs/?service=git-upload-pack")).toBe(200);
    expect(await statusOf("/api/v1/repos//acme/closed/")).toBe(200);
    expect(await statusOf("/acme/closed.git/HEAD/")).toBe(200);
  });

  it("of repositories may begin with a dot", async () => {
    expect(await makeRepository("acme/.github")).toMatchObject({ name: ".github" });
    expect((await askAsOperator("/acme/.github.git/info/refs?service=git-upload-pack")).status).toBe(200);
  });
});

describe("smart HTTP", () => {
  it("answers with http-backend's headers, and a count of what it cost", async () => {
    // The first who reads it finds out that it is no mirror.
    await (await ask("/acme/open.git/info/refs?service=git-upload-pack")).text();
    const answer = await ask("/acme/open.git/info/refs?service=git-upload-pack");
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/x-git-upload-pack-advertisement",
      expires: "Fri, 01 Jan 1980 00:00:00 GMT",
      pragma: "no-cache",
      "cache-control": "no-cache, max-age=0, must-revalidate",
      "server-timing": 'r2r;desc="0", r2w;desc="0", r2b;desc="0", do;desc="1", kv;desc="0", rt;desc="1"',
    });
    await answer.text();
  });

  it("answers HEAD as GET, without the body", async () => {
    const answer = await ask("/acme/open/info/refs?service=git-upload-pack", { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe("application/x-git-upload-pack-advertisement");
    expect(await answer.text()).toBe("");
  });

  it.each(["git-foo", "upload-pack", ""])("refuses the service %j", async (service) => {
    expect((await ask(`/acme/open.git/info/refs?service=${service}`)).status).toBe(403);
  });

  it.each([
    ["upload-pack", UPLOAD],
    ["receive-pack", RECEIVE],
  ])("answers the probe that git sends before a large request to %s", async (service, type) => {
    const answer = await askAsOperator(`/acme/open.git/git-${service}`, {
      method: "POST",
      headers: { "Content-Type": type },
      body: "0000",
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe(`application/x-git-${service}-result`);
    expect(await answer.text()).toBe("");
  });

  it("does not reveal to a probe what exists", async () => {
    const init = { method: "POST", headers: { "Content-Type": UPLOAD }, body: "0000" };
    const missing = await seen(await ask("/acme/none.git/git-upload-pack", init));
    expect(missing).toMatchObject({ status: 401 });
    expect(await seen(await ask("/acme/closed.git/git-upload-pack", init))).toEqual(missing);
  });

  it("requires its content types and the right methods", async () => {
    for (const type of ["text/plain", RECEIVE, "application/x-www-form-urlencoded"]) {
      const headers = { "Content-Type": type };
      expect((await ask("/acme/open.git/git-upload-pack", { method: "POST", headers, body: "0000" })).status).toBe(415);
    }
    const wrong = await ask("/acme/open.git/git-upload-pack");
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("Allow")).toBe("POST");
    expect((await ask("/acme/open.git/info/refs", { method: "POST" })).status).toBe(405);
  });

  it("decompresses a body, even one whose headers do not say so, and answers a broken one with 400", async () => {
    const request = Buffer.from(`0011command=ls-refs0001000bpeel\n0000`.replace("0011", "0014"));
    const plain = await (await post(request, {})).text();
    expect(plain.length).toBeGreaterThan(3);
    const zipped = gzipSync(request);
    expect(await (await post(zipped, { "Content-Encoding": "gzip" })).text()).toBe(plain);
    expect(await (await post(zipped, { "Content-Encoding": "x-gzip" })).text()).toBe(plain);
    expect(await (await post(zipped, {})).text()).toBe(plain);
    expect((await post(request, { "Content-Encoding": "gzip" })).status).toBe(400);
    for (const broken of [zipped.subarray(0, -6), zipped.subarray(0, 12), Buffer.from("1f8b0800", "hex")]) {
      expect([broken.length, (await post(broken, { "Content-Encoding": "gzip" })).status]).toEqual([
        broken.length,
        400,
      ]);
    }
    expect((await post(request, { "Content-Encoding": "br" })).status).toBe(400);
  });

  function post(body: Buffer, headers: Record<string, string>): Promise<Response> {
    return ask("/acme/open.git/git-upload-pack", {
      method: "POST",
      headers: { "Content-Type": UPLOAD, "Git-Protocol": "version=2", ...headers },
      body: new Uint8Array(body),
    });
  }
});

describe("pages of other origins", () => {
  const evil = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };

  it.each([
    ["/api/v1/repos/acme/closed/uploads", "POST", "text/plain"],
    ["/api/v1/repos/acme/closed", "DELETE", "text/plain"],
    ["/acme/closed.git/git-receive-pack", "POST", RECEIVE],
  ])("change nothing at %s by %s with the credentials of a browser", async (path, method, type) => {
    const body = method === "POST" ? { body: "0000" } : {};
    const headers = { "Content-Type": type, ...evil };
    const refused = await askAsOperator(path, { method, headers, ...body });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ status: 403, detail: expect.stringContaining("another origin") });
    // Nor do they learn what there is.
    const missing = await ask(path.replace("closed", "none"), { method, headers, ...body });
    expect(await seen(missing)).toEqual(await seen(await ask(path, { method, headers, ...body })));
    expect((await askAsOperator("/api/v1/repos/acme/closed")).status).toBe(200);
  });

  it("open no WebSocket, unless the operator allows their origin", async () => {
    const path = "/api/v1/repos/acme/open/events";
    expect(await socketFor(path, "https://evil.example")).toBe(403);
    expect(await socketFor(path, "null")).toBe(403);
    expect(await socketFor(path, "https://app.example")).toBe(101);
    expect(await socketFor(path, host.base)).toBe(101);
  });

  it("may read what is public", async () => {
    const answer = await ask("/acme/open.git/info/refs?service=git-upload-pack", { headers: evil });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
    await answer.text();
  });

  it.each(["/acme/open.git/git-upload-pack", "/api/v1/repos/acme/open"])(
    "may use %s, if the operator allows their origin",
    async (path) => {
      const allowed = { Origin: "https://app.example", "Sec-Fetch-Site": "cross-site" };
      const asking = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "git-protocol" };
      const preflight = await ask(path, { method: "OPTIONS", headers: { ...allowed, ...asking } });
      expect([preflight.status, preflight.headers.get("Access-Control-Allow-Headers")]).toEqual([204, "git-protocol"]);
      expect((await ask(path, { method: "OPTIONS", headers: { ...evil, ...asking } })).status).toBe(405);
      // Refusals can be read, too.
      for (const headers of [{ ...allowed }, { ...allowed, Authorization: "Bearer wrong" }]) {
        const answer = await ask(path, { headers });
        expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example");
        expect(answer.headers.get("Vary")).toContain("Origin");
        await answer.text();
      }
    },
  );
});

describe("Go's question where a module is", () => {
  const asked = async (path: string): Promise<[number, string | undefined]> => {
    const answer = await ask(path);
    return [answer.status, /<meta name="go-import" content="([^"]*)">/.exec(await answer.text())?.[1]];
  };

  it.each(["", "/", "/sub/pkg"])("is answered for a repository and below it: %s", async (below) => {
    const { host: name, origin } = new URL(host.base);
    const content = `${name}/acme/nowhere git ${origin}/acme/nowhere.git`;
    expect(await asked(`/acme/nowhere${below}?go-get=1`)).toEqual([200, content]);
    // A page is missing where git is asked for credentials.
    expect((await ask(`/acme/nowhere${below}`)).status).toBe(below === "/sub/pkg" ? 401 : 404);
  });

  it("keeps the path that it asks for, which has to begin the module's", async () => {
    const { host: name, origin } = new URL(host.base);
    expect(await asked("/acme/mod.git/v2?go-get=1")).toEqual([200, `${name}/acme/mod.git git ${origin}/acme/mod.git`]);
  });

  it("is not answered where there can be no repository", async () => {
    // This tenant has a page of its public repositories once the list has been told of one.
    expect((await asked("/acme?go-get=1"))[1]).toBeUndefined();
    for (const path of ["/nobody?go-get=1", "/acme/-x?go-get=1", "/_acme/x?go-get=1", "/acme/x?go-get=2"]) {
      expect([path, ...(await asked(path))]).toEqual([path, expect.toBeOneOf([401, 404]), undefined]);
    }
  });
});

describe("version 2's advertisement", () => {
  const path = "/acme/brief.git/info/refs?service=git-upload-pack";
  const headers = { "Git-Protocol": "version=2" };
  const calls = (answer: Response): string | undefined =>
    /do;desc="(\d+)"/.exec(answer.headers.get("Server-Timing") ?? "")?.[1];

  it("is remembered for a short time, and no longer than the settings stay", async () => {
    await makeRepository("acme/brief", { visibility: "public" });
    const first = await ask(path, { headers });
    const second = await ask(path, { headers });
    expect([calls(first), calls(second)]).toEqual(["1", "0"]);
    const said = async (answer: Response): Promise<string> => (await answer.text()).replace(/session-id=\w+/, "");
    expect(await said(second)).toBe(await said(first));
    expect(second.status).toBe(200);
    await askAsOperator("/api/v1/repos/acme/brief", {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ visibility: "private" }),
    });
    expect((await ask(path, { headers })).status).toBe(401);
    expect((await askAsOperator(path, { headers })).status).toBe(200);
    expect((await ask(path, { headers })).status).toBe(401);
    await askAsOperator("/api/v1/repos/acme/brief", { method: "DELETE" });
    expect((await askAsOperator(path, { headers })).status).toBe(404);
  });
});

describe("dumb HTTP", () => {
  let planted: { pack: Buffer; checksum: string };

  beforeAll(async () => {
    await makeRepository("acme/dumb", { visibility: "public" });
    await makeRepository("acme/dumb-private");
    planted = await plant("acme/dumb");
    await plant("acme/dumb-private");
  });

  it("serves the files that git update-server-info writes", async () => {
    const text = async (file: string): Promise<string> => (await ask(`/acme/dumb.git/${file}`)).text();
    expect(await text("HEAD")).toBe("ref: refs/heads/main\n");
    expect(await text("info/refs")).toBe(
      `${OID}\trefs/heads/main\n${planted.checksum}\trefs/tags/v1\n${OID}\trefs/tags/v1^{}\n`,
    );
    expect(await text("objects/info/packs")).toBe(`P pack-${planted.checksum}.pack\n\n`);
    expect((await ask("/acme/dumb.git/objects/info/alternates")).status).toBe(404);
    expect((await ask(`/acme/dumb.git/objects/12/${"3".repeat(38)}`)).status).toBe(404);
  });

  it("serves packs by their checksum, whole and in part", async () => {
    const path = `/acme/dumb.git/objects/pack/pack-${planted.checksum}`;
    const whole = await ask(`${path}.pack`);
    expect(whole.headers.get("Content-Type")).toBe("application/x-git-packed-objects");
    expect(whole.headers.get("Cache-Control")).toBe("public, no-cache");
    expect(whole.headers.get("Server-Timing")).toMatch(/r2r;desc="1".*r2b;desc="5000".*rt;desc="2"/);
    expect(Buffer.from(await whole.arrayBuffer()).equals(planted.pack)).toBe(true);
    expect((await (await ask(`${path}.idx`)).arrayBuffer()).byteLength).toBe(1500);
    for (const [range, from, to] of [
      ["bytes=100-199", 100, 200],
      ["bytes=4990-", 4990, 5000],
      ["bytes=4990-9999", 4990, 5000],
      ["bytes=-10", 4990, 5000],
    ] as const) {
      const part = await ask(`${path}.pack`, { headers: { Range: range } });
      expect(part.status).toBe(206);
      expect(part.headers.get("Content-Range")).toBe(`bytes ${from}-${to - 1}/5000`);
      expect(Buffer.from(await part.arrayBuffer()).equals(planted.pack.subarray(from, to))).toBe(true);
    }
    const beyond = await ask(`${path}.pack`, { headers: { Range: "bytes=5000-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("Content-Range")).toBe("bytes */5000");
    const head = await ask(`${path}.pack`, { method: "HEAD" });
    expect(head.headers.get("Server-Timing")).toContain('r2r;desc="0"');
  });

  it("answers 304 to a client that has a pack, and continues a partial download", async () => {
    const path = `/acme/dumb.git/objects/pack/pack-${planted.checksum}.pack`;
    const first = await ask(path, { method: "HEAD" });
    const [etag, modified] = [first.headers.get("ETag") ?? "", first.headers.get("Last-Modified") ?? ""];
    expect(etag).toMatch(/^"[0-9a-f]+-pack"$/);
    expect(modified).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
    const status = async (headers: Record<string, string>, method = "GET"): Promise<[number, number]> => {
      const answer = await ask(path, { method, headers });
      return [answer.status, (await answer.arrayBuffer()).byteLength];
    };
    expect(await status({ "If-None-Match": etag })).toEqual([304, 0]);
    expect(await status({ "If-None-Match": `"other", W/${etag}` })).toEqual([304, 0]);
    expect(await status({ "If-None-Match": "*" })).toEqual([304, 0]);
    expect(await status({ "If-None-Match": '"other"', "If-Modified-Since": modified })).toEqual([200, 5000]);
    expect(await status({ "If-Modified-Since": modified })).toEqual([304, 0]);
    expect(await status({ "If-Modified-Since": "once upon a time" })).toEqual([200, 5000]);
    const Range = "bytes=100-";
    expect(await status({ Range, "If-Range": etag })).toEqual([206, 4900]);
    expect(await status({ Range, "If-Range": modified })).toEqual([206, 4900]);
    expect(await status({ Range, "If-Range": '"other"' })).toEqual([200, 5000]);
    expect(await status({ Range, "If-Range": `W/${etag}` })).toEqual([200, 5000]);
    expect(await status({ Range: "bytes=0-9,20-29" })).toEqual([200, 5000]);
    expect(await status({ Range: "bytes=20-10" })).toEqual([200, 5000]);
    expect(await status({ Range }, "HEAD")).toEqual([200, 0]);
    const index = await ask(path.replace(/pack$/, "idx"), { headers: { "If-None-Match": etag } });
    expect(index.status).toBe(200);
    await index.arrayBuffer();
  });

  it.each([
    "HEAD",
    "info/refs",
    "objects/info/packs",
    "objects/info/alternates",
    "objects/info/http-alternates",
    `objects/12/${"3".repeat(38)}`,
    `objects/12/${"3".repeat(62)}`,
    `objects/pack/pack-${ZERO}.idx`,
  ])("reads %s and nothing else", async (file) => {
    const answer = await ask(`/acme/dumb.git/${file}`, { method: "POST", body: "x" });
    expect([answer.status, answer.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
    const head = await ask(`/acme/dumb.git/${file}`, { method: "HEAD" });
    const get = await ask(`/acme/dumb.git/${file}`);
    expect([head.status, head.headers.get("Content-Type")]).toEqual([get.status, get.headers.get("Content-Type")]);
    expect(get.headers.get("Cache-Control")).toBe("no-cache, max-age=0, must-revalidate");
    await get.text();
  });

  it("serves no pack that the catalog does not name, by its stem or otherwise", async () => {
    for (const name of ["c0ffee".padEnd(40, "0"), "dead".padEnd(40, "0"), ZERO]) {
      expect((await ask(`/acme/dumb.git/objects/pack/pack-${name}.pack`)).status).toBe(404);
    }
  });

  it("lets nobody cache what not everybody may read", async () => {
    const answer = await askAsOperator(`/acme/dumb-private.git/objects/pack/pack-${planted.checksum}.pack`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Cache-Control")).toMatch(/no-cache/);
    expect(answer.headers.get("Expires")).toMatch(/1980/);
    await answer.arrayBuffer();
    const unchanged = await askAsOperator(`/acme/dumb-private.git/objects/pack/pack-${planted.checksum}.pack`, {
      headers: { "If-None-Match": "*" },
    });
    expect(unchanged.status).toBe(304);
    expect(unchanged.headers.get("Cache-Control")).toMatch(/no-cache/);
  });
});
