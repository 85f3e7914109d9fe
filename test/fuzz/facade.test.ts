/**
 * The facade in GitHub's shapes, asked by the table of its routes: each of them, by everybody, with what fits, what nearly does, and what
 * does not. Whatever is sent, the answer is no fault of the host's, a refusal has GitHub's members, and a refused request has moved
 * nothing.
 *
 * @packageDocumentation
 */
import * as fc from "fast-check";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { type Answer, encoded, sendRaw, type Sent } from "../support/described-api.ts";
import { FACADE_ROUTES, type FacadeRoute } from "../support/facade-routes.ts";
import { scriptRuns } from "../support/fuzzing.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { buildPack, commitOf, objectId, parsePkts, pktLines, post, pushBody, treeOf } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import { Schemas, texts } from "../support/json-schema.ts";

// The routes are made here only to be compared.
vi.mock("cloudflare:workers", () => ({ DurableObject: Object, waitUntil: () => undefined }));

/** Requests to each route in a run of the suite; `FUZZ_RUNS` sets those of `npm run fuzz`. */
const FEW = 3;
/** Requests that were not refused, after which what they may have changed is as it was. */
const RENEWED_AFTER = 20;
const REPOS = ["open", "closed"];
const OPERATOR = "test-token";

const agent = new Agent({ keepAlive: true });
const schemas = new Schemas({});
let host: RunningHost;
let tokens: (string | undefined)[] = [];
let words: string[] = [];

const BLOB = objectId("blob", "a file\n");
const SUBTREE = treeOf(["100644", "inner.txt", BLOB]);
const TREE_TEXT = treeOf(
  ["100644", "README.md", BLOB],
  ["40000", "dir", objectId("tree", SUBTREE)],
  ["100644", "file.txt", BLOB],
);
const TREE = objectId("tree", TREE_TEXT);
const FIRST = commitOf(TREE);
const SECOND = commitOf(TREE, [objectId("commit", FIRST)]);
const OID = objectId("commit", SECOND);
const TAG = `object ${OID}\ntype commit\ntag v1\ntagger A U Thor <a@example.com> 1700000000 +0000\n\nv1\n`;
const PACK = buildPack([
  { type: "blob", content: "a file\n" },
  { type: "tree", content: SUBTREE },
  { type: "tree", content: TREE_TEXT },
  { type: "commit", content: FIRST },
  { type: "commit", content: SECOND },
  { type: "tag", content: TAG },
]);

const urlOf = (repo: string): string => withToken(`${host.base}/acme/${repo}.git`, OPERATOR);

/** Makes what is missing, and takes back what would have everything refused from then on. */
async function prepare(): Promise<void> {
  const operator = apiClient(host.base, OPERATOR);
  await operator("PUT", "/tenants/acme");
  for (const repo of [...REPOS, "spare"]) {
    await operator("PUT", `/repos/acme/${repo}`, {});
    const visibility = repo === "closed" ? "private" : "public";
    await operator("PATCH", `/repos/acme/${repo}`, { read_only: false, visibility });
    const commands = ["refs/heads/main", "refs/heads/topic"].map((name) => ({ name, new: OID }));
    await post(
      urlOf(repo),
      "receive-pack",
      pushBody([...commands, { name: "refs/tags/v1", new: objectId("tag", TAG) }], PACK),
    );
  }
}

/** Methods that change nothing. */
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Returns how often each route is asked: with a seed of its own, else every route would be asked by the same callers. */
function runsOf(at: number): ReturnType<typeof scriptRuns> {
  const { seed, ...runs } = scriptRuns(FEW);
  return seed === undefined ? runs : { ...runs, seed: seed + at };
}

/** The refs of the repositories, and what HEAD is. */
async function state(): Promise<string> {
  const lines: string[] = [];
  for (const repo of REPOS) {
    const body = pktLines("command=ls-refs", "0001", "symrefs", "peel", "unborn", "0000");
    const answer = await post(urlOf(repo), "upload-pack", body, { "Git-Protocol": "version=2" });
    lines.push(repo, String(answer.status), ...parsePkts(answer.body).map((line) => line.toString("latin1")));
  }
  return lines.join("\n");
}

beforeAll(async () => {
  host = await startTestHost();
  await prepare();
  const operator = apiClient(host.base, OPERATOR);
  // Tokens that are good for something, and such as are not.
  tokens = [undefined, "nonsense", OPERATOR, OPERATOR];
  for (const scope of ["repo:read", "repo:write", "tenant:admin"])
    tokens.push(await issueToken(operator, "acme", scope));
  tokens.push(await issueToken(operator, "acme", "tenant:admin", { repos: ["closed"] }));
  words = [
    "acme",
    "open",
    "closed",
    "main",
    "topic",
    "refs/heads/main",
    "heads/main",
    "refs/heads/new",
    "file.txt",
    "dir/new.txt",
    "v1",
    "acme:main",
  ];
  words.push(
    "main...topic",
    "main..main",
    OID,
    OID.slice(0, 8),
    BLOB,
    TREE,
    objectId("tag", TAG),
    "0".repeat(40),
    "1",
    "100",
    "2023-11-14T00:00:00Z",
  );
});
afterAll(async () => {
  agent.destroy();
  await host.stop();
});

/** Values of a parameter of a path that lead somewhere, by its name. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  tenant: ["acme"],
  org: ["acme"],
  repo: ["open", "closed"],
  rev: ["main", "topic", "v1", OID],
  revs: ["main...topic", "acme:main...topic", "v1...main"],
  oid: [OID, BLOB, TREE, objectId("tag", TAG)],
  path: ["file.txt"],
  hook: ["1"],
};

function pathsOf({ path, at = {}, query = [] }: FacadeRoute): fc.Arbitrary<string> {
  const any = texts(words);
  const values = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    const right = fc.constantFrom(...(at[name] ?? PLACES[name] ?? ["x"]));
    return fc.oneof({ arbitrary: right, weight: 8 }, { arbitrary: any, weight: 1 });
  });
  // Bytes that are no text, and no encoding of any.
  const value = fc.oneof(
    { arbitrary: any.map(encoded), weight: 8 },
    fc.constantFrom("%", "%zz", "%ff", "%00", "+", "%e2%82"),
  );
  const pair = fc.tuple(fc.constantFrom("x", "__proto__", "page", ...query, ...query), value);
  return fc.tuple(fc.tuple(...values), fc.array(pair, { maxLength: 3 })).map(([chosen, pairs]) => {
    let next = 0;
    const filled = path.replaceAll(/:\w+/g, () => encoded(chosen[next++] ?? "").replaceAll("%2F", "/"));
    const asked = pairs.map((both) => both.join("=")).join("&");
    return `/api/v3${filled === "/" ? "" : filled}${asked === "" ? "" : `?${asked}`}`;
  });
}

const JUNK = [
  "{",
  '{"a":1,"a":2}',
  "[".repeat(2000),
  '"\\ud800"',
  "null",
  "1",
  "\u{feff}{}",
  "\0",
  '{"__proto__":{"x":1}}',
];

function bodiesOf({ body }: FacadeRoute): fc.Arbitrary<Pick<Sent, "type" | "body">> {
  const none = fc.constant({ type: undefined, body: undefined });
  const types = fc.constantFrom("application/json", "text/plain", "application/x-www-form-urlencoded", "x", undefined);
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(...JUNK).map((each) => Buffer.from(each)),
  );
  const strange = fc.record({ type: types, body: junk });
  if (body === undefined) return fc.oneof({ arbitrary: none, weight: 6 }, { arbitrary: strange, weight: 1 });
  const fitting = schemas
    .values(body, words)
    .map((value) => ({ type: "application/json", body: Buffer.from(JSON.stringify(value) ?? "") }));
  return fc.oneof(
    { arbitrary: fitting, weight: 10 },
    { arbitrary: strange, weight: 1 },
    { arbitrary: none, weight: 1 },
  );
}

const HEADERS = [
  {},
  {},
  {},
  { Accept: "application/vnd.github.raw+json" },
  { Accept: "application/vnd.github.diff" },
  { Accept: "application/vnd.github.patch" },
  { Accept: "application/vnd.github.sha" },
  { Accept: "text/html;q=x, */*" },
  { "X-GitHub-Api-Version": "2022-11-28" },
  { "X-GitHub-Api-Version": "1999-01-01" },
  { "Idempotency-Key": "x" },
  { "If-None-Match": "*" },
  { Range: "bytes=5-1" },
  { Expect: "100-continue" },
] as const;

function requestsTo(route: FacadeRoute): fc.Arbitrary<Sent> {
  const other = fc.constantFrom("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD");
  return fc
    .record({
      path: pathsOf(route),
      who: fc.constantFrom(...tokens),
      content: bodiesOf(route),
      headers: fc.constantFrom<Readonly<Record<string, string>>>(...HEADERS),
      method: fc.oneof({ arbitrary: fc.constant<string>(route.method), weight: 19 }, { arbitrary: other, weight: 1 }),
    })
    .map(({ content, method, ...rest }) => ({ ...rest, ...content, method, isStrange: method !== route.method }));
}

/** What is wrong with an answer; `undefined` where nothing is. */
function faultOf(sent: Sent, { status, headers, body }: Answer): string | undefined {
  if (status >= 500) return "a fault of the host's";
  if ((status === 204 || status === 304 || sent.method === "HEAD") && body.length > 0)
    return "a body where there is none";
  // What a client sends as another path is answered by whatever is there.
  if (!new URL(sent.path, "http://x").pathname.startsWith("/api/v3")) return undefined;
  const type = String(headers["content-type"] ?? "");
  if (status === 200 && type.startsWith("application/json") && sent.method !== "HEAD") JSON.parse(body.toString());
  if (status < 400 || sent.method === "HEAD") return undefined;
  if (status === 401 && headers["www-authenticate"] === undefined) return "401 without WWW-Authenticate";
  if (status === 405 && headers["allow"] === undefined) return "405 without Allow";
  if (!type.startsWith("application/json")) return `a refusal of the type ${type}`;
  const {
    message,
    documentation_url: documentation,
    status: told,
  } = JSON.parse(body.toString()) as Record<string, unknown>;
  if (typeof message !== "string" || message === "") return "a refusal without a message";
  return typeof documentation === "string" && told === String(status) ? undefined : "a refusal of another shape";
}

describe("the facade in GitHub's shapes", () => {
  it("has the routes of the table, and no others", async () => {
    const { facadeRoutes } = await import("../../src/api/v3/routes.ts");
    const routes = facadeRoutes().routes.filter(({ method }) => method !== "ALL");
    const shown = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{(?:[^{}]|\{[^{}]*\})*\}/g, "")}`);
    expect(FACADE_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(shown.toSorted());
  });

  it("has an answer in its shape to whatever it is sent, and a refused request moves nothing", async () => {
    const statuses = new Map<number, number>();
    let known = await state();
    let changes = 0;
    const renew = async (after: number): Promise<void> => {
      if (changes < after) return;
      await prepare();
      known = await state();
      changes = 0;
    };
    for (const [at, route] of FACADE_ROUTES.entries()) {
      await renew(1);
      const property = fc.asyncProperty(requestsTo(route), async (sent) => {
        await renew(RENEWED_AFTER);
        const answer = await sendRaw(host.base, sent, agent);
        const { status, body } = answer;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const shown = { route: `${route.method} ${route.path}`, status, text: body.toString().slice(0, 300) };
        expect({ ...shown, fault: faultOf(sent, answer) }).toEqual({ ...shown, fault: undefined });
        // What only reads is looked at once, below.
        if (sent.method === "GET") return;
        if (status < 400 && !READS.has(sent.method)) changes++;
        const now = await state();
        if (status >= 400) expect({ ...shown, state: now }).toEqual({ ...shown, state: known });
        known = now;
      });
      await fc.assert(property, runsOf(at));
      if (route.method === "GET") expect({ route, state: await state() }).toEqual({ route, state: known });
    }
    // Else nothing but refusals would have been tried. The requests are the same ones in each run of the suite.
    for (const status of [200, 201, 204, 401, 403, 404, 422]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
    await expectWhole();
  });
});

/** Fails where what is left of the repositories is not whole for C git. */
async function expectWhole(): Promise<void> {
  const git = new GitSandbox("facade");
  try {
    await prepare();
    for (const repo of REPOS) {
      const clone = git.fresh();
      await git.ok(["clone", "-q", "--mirror", urlOf(repo), clone]);
      await git.fsck(clone);
    }
  } finally {
    git.close();
  }
}
