/**
 * What is refused is like what is missing: the answer and the storage operations, on every route there is, for everybody who may not
 * read what is private.
 *
 * @packageDocumentation
 */
import { request as openRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { formatToken, TOKEN_RANDOM_BYTES } from "../../src/access/token.ts";
import { isolateState } from "../../src/host/begun-request.ts";
import { Meter } from "../../src/host/meter.ts";
import type { IsolateTools } from "../../src/cloudflare/isolate-tools.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";
import { SettledLog } from "../support/settled-log.ts";
import { create, oid, packRecord, push, type RefStoreUnderTest } from "../suites/ref-store.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

// The application is made here only for its routes.
vi.mock("cloudflare:workers", () => ({ DurableObject: Object, waitUntil: () => undefined }));

/** A private repository with many refs, a private mirror with a webhook, and nothing. Their names are of one length. */
const REPOSITORIES = { private: "closed", mirror: "follow", missing: "absent" } as const;
const KINDS = ["private", "mirror", "missing"] as const;
type Kind = (typeof KINDS)[number];

/** Those who may not read them. `forged` is what a stranger makes up: a token of the tenant that it never issued. */
const WHO = ["nobody", "nonsense", "forged", "foreign", "elsewhere"] as const;
type Who = (typeof WHO)[number];

const REFS = 2000;
const UPLOAD = "application/x-git-upload-pack-request";
const RECEIVE = "application/x-git-receive-pack-request";
const NO_PUSH = `00a70000000000000000000000000000000000000000 ${oid(1)} refs/heads/x\0 report-status delete-refs object-format=sha1 agent=x\n0000`;

type Asked = {
  readonly method: string;
  /** With `REPO` for the name. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

const V2 = { "Git-Protocol": "version=2" };
const FETCH = `0014command=fetch\n00010032want ${oid(1)}\n0009done\n0000`;

/** What is asked of some routes beside what is asked of all. */
const MORE: readonly Asked[] = [
  ...[{}, V2].flatMap((headers) =>
    ["git-upload-pack", "git-receive-pack"].map((service) => ({
      method: "GET",
      path: `/acme/REPO.git/info/refs?service=${service}`,
      headers,
    })),
  ),
  { method: "GET", path: "/acme/REPO@2026-01-01T00:00:00Z.git/info/refs?service=git-upload-pack" },
  ...["0014command=ls-refs\n0000", FETCH, "nonsense", ""].map((body) => ({
    method: "POST",
    path: "/acme/REPO.git/git-upload-pack",
    headers: { ...V2, "Content-Type": UPLOAD },
    body,
  })),
  {
    method: "POST",
    path: "/acme/REPO.git/git-upload-pack",
    headers: { "Content-Type": UPLOAD },
    body: `0032want ${oid(1)}\n00000009done\n`,
  },
  ...["0000", NO_PUSH].map((body) => ({
    method: "POST",
    path: "/acme/REPO.git/git-receive-pack",
    headers: { "Content-Type": RECEIVE },
    body,
  })),
  // With .git in its address, a front page leads to this one.
  { method: "GET", path: "/acme/REPO" },
  { method: "GET", path: "/api/v1/repos/acme/REPO/refs?at=2026-01-01T00:00:00Z" },
  { method: "GET", path: "/api/v1/repos/acme/REPO/commits?rev=refs/heads/1" },
  ...["download", "upload"].map((operation) => ({
    method: "POST",
    path: "/acme/REPO.git/info/lfs/objects/batch",
    headers: { "Content-Type": "application/vnd.git-lfs+json" },
    body: JSON.stringify({ operation, objects: [{ oid: "0".repeat(64), size: 1 }] }),
  })),
  ...[
    ["locks", '{"path":"a.bin"}'],
    ["locks/verify", "{}"],
    ["locks/1/unlock", '{"force":true}'],
  ].map(([path = "", body = ""]) => ({
    method: "POST",
    path: `/acme/REPO.git/info/lfs/${path}`,
    headers: { "Content-Type": "application/vnd.git-lfs+json" },
    body,
  })),
  ...["X-Hub-Signature-256", "X-Gitlab-Token"].map((header) => ({
    method: "POST",
    path: "/api/v1/repos/acme/REPO/mirror/hook",
    headers: { [header]: "x" },
    body: "x".repeat(100_000),
  })),
];

/** What stands for parameters of paths; for all others 1. */
const PARAMETERS: Readonly<Record<string, string>> = {
  tenant: "acme",
  repo: "REPO",
  file: "main.tar.gz",
  key: "HEAD",
  revs: "main...topic",
  rev: "main",
  rev_and_path: "main/file",
  fan: "00",
  rest: "0".repeat(38),
};

/** Gives what is asked of every route of the application that names a repository. */
async function everyRoute(): Promise<Asked[]> {
  const { createApp, LOADED_ROUTES } = await import("../../src/app.ts");
  // Only its routes are looked at.
  const app = createApp({
    version: "0.0.0",
    build: "0.0.0",
    agent: "test",
    tools: {} as IsolateTools,
    meter: new Meter(),
    state: isolateState(),
  });
  for (const [path, load] of Object.entries(LOADED_ROUTES)) app.route(path, await load());
  const { routes } = app;
  const asked = new Map<string, Asked>();
  for (const route of routes) {
    if (!route.path.includes("/:tenant/:repo")) continue;
    const path = route.path
      .replace(/^\/:tenant\/:repo/, "/:tenant/:repo.git")
      .replaceAll(/:(\w+)(?:\{(?:[^{}]|\{[^{}]*\})*\})?/g, (_, name: string) => PARAMETERS[name] ?? "1")
      .replaceAll("*", "x");
    for (const method of route.method === "ALL" ? ["GET", "POST"] : [route.method]) {
      const isBodiless = method === "GET" || method === "HEAD";
      const sent = isBodiless ? {} : { headers: { "Content-Type": "application/json" }, body: "{}" };
      asked.set(`${method} ${path}`, { method, path, ...sent });
    }
  }
  return [...asked.values()];
}

let host: RunningHost;
let log: SettledLog;
const tokens = new Map<Who, string>();

/** Puts refs and packs into a repository, as far as its object goes. */
async function fill(repo: string): Promise<void> {
  const namespace = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
  const object = namespace.get(namespace.idFromName(`acme/${repo}`)) as unknown as RefStoreUnderTest;
  const store = {
    beginPush: (request: Parameters<RefStoreUnderTest["beginPush"]>[0]) => object.beginPush(request),
    commitPush: (request: Parameters<RefStoreUnderTest["commitPush"]>[0]) => object.commitPush(request),
  } as RefStoreUnderTest;
  const updates = Array.from({ length: REFS }, (_, index) => create(`refs/heads/${index}`, oid(index)));
  await push(store, updates, { pack: packRecord("p1") });
}

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  log = new SettledLog(join(host.stateDir, "requests.jsonl"), host.base);
  const operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`);
  await operator("PUT", "/repos/other/upstream", { visibility: "public" });
  for (const kind of ["private", "mirror"] as const) await operator("PUT", `/repos/acme/${REPOSITORIES[kind]}`, {});
  await fill(REPOSITORIES.private);
  const settings = { upstream: `${host.base}/other/upstream.git`, hook_secret: "s".repeat(20) };
  const mirrored = await operator("PUT", `/repos/acme/${REPOSITORIES.mirror}/mirror`, settings);
  if (mirrored.status !== 200) throw new Error(`the mirror was answered with ${mirrored.status}`);
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  // Its readers ask no Durable Object from then on.
  await vi.waitUntil(async () => (await bucket.head(`mirrors/acme/${REPOSITORIES.mirror}`)) !== null, {
    timeout: WAIT_LIMIT,
  });
  tokens.set("nonsense", "nonsense");
  tokens.set("forged", formatToken("acme", crypto.getRandomValues(new Uint8Array(TOKEN_RANDOM_BYTES))));
  tokens.set("foreign", await issueToken(operator, "other", "tenant:admin"));
  tokens.set("elsewhere", await issueToken(operator, "acme", "tenant:admin", { repos: ["elsewhere"] }));
});

afterAll(async () => {
  await host.stop();
});

const SIGNED = { "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` };

function hook(repo: string, body: string): Promise<Response> {
  return fetch(`${host.base}/api/v1/repos/acme/${repo}/mirror/hook`, { method: "POST", headers: SIGNED, body });
}

/** Sends the beginning of a webhook's body; the rest goes when it is told to end. */
function slowHook(repo: string, length: number): { answered: () => boolean; end: () => Promise<number> } {
  let status: number | undefined;
  const asked = openRequest(`${host.base}/api/v1/repos/acme/${repo}/mirror/hook`, {
    method: "POST",
    headers: { ...SIGNED, "Content-Length": String(length) },
  });
  const answer = new Promise<number>((resolve, reject) => {
    asked.on("error", reject);
    asked.on("response", (response) => {
      response.resume();
      status = response.statusCode ?? 0;
      resolve(status);
    });
  });
  asked.write("0123456789");
  return {
    answered: () => status !== undefined,
    end: async () => {
      asked.end("x".repeat(length - 10));
      return await answer;
    },
  };
}

/** An answer as the client sees it, but for the moment and the connection. */
async function seen({ method, path, headers, body }: Asked, repo: string, who: Who): Promise<string> {
  const token = tokens.get(who);
  const answer = await fetch(host.base + path.replace("REPO", repo), {
    method,
    headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  });
  const text = await answer.text();
  const timing = answer.headers.get("Server-Timing") ?? "";
  if (answer.status === 401 || answer.status === 404) expect(timing).not.toMatch(/desc="[1-9]/);
  // Whether the connection stays open after a body that was not read is a matter of when its bytes came.
  const rest = [...answer.headers].filter(([name]) => !["date", "connection", "x-request-id"].includes(name));
  const shown = text.replace(/(?<="request_id":")\w+/, "REQUEST");
  return JSON.stringify([answer.status, rest, shown]).replaceAll(repo, "REPO");
}

/** The storage operations of each request that the log has, by what was asked, without an order. */
function operationsOf(lines: readonly Record<string, unknown>[], repo: string): Record<string, string[]> {
  const operations: Record<string, string[]> = {};
  for (const { method, path, status, r2r, r2w, do: calls, kv, rt } of lines) {
    if (typeof path !== "string" || !path.includes(repo)) continue;
    const asked = `${String(method)} ${path.replace(repo, "REPO")}`;
    (operations[asked] ??= []).push(JSON.stringify({ status, r2r, r2w, do: calls, kv, rt }));
  }
  for (const list of Object.values(operations)) list.sort();
  return operations;
}

describe("what is private, for those who may not read it", () => {
  let asked: readonly Asked[] = [];

  beforeAll(async () => {
    asked = [...(await everyRoute()), ...MORE];
  });

  it("is covered here on every route", () => {
    expect(asked.length).toBeGreaterThan(70);
    const paths = asked.map(({ path }) => path).join(" ");
    for (const path of ["mirror/hook", "events", "uploads/1/parts/1", "export/HEAD", "reflog", "hooks/1/deliveries"])
      expect(paths).toContain(`/api/v1/repos/acme/REPO/${path}`);
    for (const path of ["info/lfs/x", "HEAD", "git-upload-pack", "objects/info/packs", "x"])
      expect(paths).toContain(`/acme/REPO.git/${path}`);
  });

  it("answers the webhook of a mirror only after its whole body", async () => {
    const length = 100_000;
    const open = KINDS.map((kind) => slowHook(REPOSITORIES[kind], length));
    // Each has the time that a whole request takes.
    for (const kind of KINDS) await (await hook(REPOSITORIES[kind], "x")).text();
    expect(open.map((each) => each.answered())).toEqual([false, false, false]);
    const answers = await Promise.all(open.map((each) => each.end()));
    expect(answers).toEqual([404, 404, 404]);
  });

  it("is answered like a missing repository, after the same storage operations", async () => {
    await log.read();
    const answers: Record<Kind, Record<string, string>> = { private: {}, mirror: {}, missing: {} };
    for (const [index, each] of asked.entries()) {
      for (const who of WHO) {
        for (const kind of KINDS) {
          answers[kind][`${index} ${each.method} ${each.path} ${who}`] = await seen(each, REPOSITORIES[kind], who);
        }
      }
    }
    expect(answers.private).toEqual(answers.missing);
    expect(answers.mirror).toEqual(answers.missing);
    const { lines } = await log.read();
    const operations = KINDS.map((kind) => operationsOf(lines, REPOSITORIES[kind]));
    const [ofPrivate, ofMirror, ofMissing] = operations;
    // What a request asks within itself is logged, too: the page of an archive asks the API, an address that ends in `.json` asks its
    // page, and that asks the API unless it is a feed or leads on to another page.
    const archives = asked.filter(({ path }) => path.startsWith("/acme/REPO.git/archive/"));
    const ofPages = asked.filter(({ path }) => /^\/acme\/REPO.*\.json$/.test(path));
    const ofApi = ofPages.filter(({ path }) => !/\/(?:tree|commits|activity|feed\/\w+)\.json$/.test(path));
    const within = archives.length + ofPages.length + ofApi.length;
    expect(Object.values(ofMissing ?? {}).flat()).toHaveLength((asked.length + within) * WHO.length);
    expect(ofPrivate).toEqual(ofMissing);
    expect(ofMirror).toEqual(ofMissing);
  });
});
