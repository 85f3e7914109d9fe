/**
 * Who may do what: every method and path, for everybody, over HTTP. The rows say what is to come out, not how it is decided.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { startTestHost } from "../support/host.ts";

/** In the order of the columns. */
const WHO = ["nobody", "wrong", "reader", "writer", "admin", "foreign", "elsewhere", "operator"] as const;
type Who = (typeof WHO)[number];

/**
 * What comes out: `A`llowed (whatever the answer), `C`hallenged (401), `F`orbidden (403), `H`idden, or missing (404). A column each:
 * no token, a wrong one, the tenant's with `repo:read`, `repo:write`, `tenant:admin`, another tenant's `tenant:admin`, the tenant's
 * `tenant:admin` for other repositories only, the operator.
 */
type Outcomes = { readonly private: string; readonly public: string; readonly missing: string };

const READ: Outcomes = { private: "CCAAAHHA", public: "ACAAAAAA", missing: "CCHHHHHH" };
const WRITE: Outcomes = { private: "CCFAAHHA", public: "CCFAAFFA", missing: "CCHHAHHA" };
const MAKE: Outcomes = { private: "CCFFAHHA", public: "CCFFAFFA", missing: "CCFFAHHA" };
/** As a push, but that it makes nothing. */
const UPLOAD_PARTS: Outcomes = { ...WRITE, missing: "CCHHHHHH" };
const ADMINISTER: Outcomes = { private: "CCFFAHHA", public: "CCFFAFFA", missing: "CCFFHHHH" };

type Row = {
  readonly method: string;
  readonly path: string;
  readonly outcomes: Outcomes;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const V2 = { "Git-Protocol": "version=2" };
const UPLOAD = { ...V2, "Content-Type": "application/x-git-upload-pack-request" };
const RECEIVE = { "Content-Type": "application/x-git-receive-pack-request" };
const ARCHIVE = { "Content-Type": "application/x-git-upload-archive-request" };
const LS_REFS = "0014command=ls-refs\n0000";
const LFS = { "Content-Type": "application/vnd.git-lfs+json" };
const LFS_OBJECT = { oid: "0".repeat(64), size: 1 };
const lfsBatch = (operation: string): string => JSON.stringify({ operation, objects: [LFS_OBJECT] });
const PACK = `pack-${"0".repeat(40)}`;

const GIT_ROWS: readonly Row[] = [
  { method: "GET", path: "info/refs?service=git-upload-pack", outcomes: READ },
  { method: "GET", path: "info/refs?service=git-upload-pack", outcomes: READ, headers: V2 },
  { method: "HEAD", path: "info/refs?service=git-upload-pack", outcomes: READ, headers: V2 },
  { method: "GET", path: "info/refs?service=git-receive-pack", outcomes: WRITE },
  { method: "POST", path: "git-upload-pack", outcomes: READ, headers: UPLOAD, body: LS_REFS },
  { method: "POST", path: "git-upload-pack", outcomes: READ, headers: UPLOAD, body: "nonsense" },
  { method: "POST", path: "git-upload-pack", outcomes: READ, headers: UPLOAD, body: "" },
  { method: "POST", path: "git-upload-archive", outcomes: READ, headers: ARCHIVE, body: "0000" },
  { method: "POST", path: "git-receive-pack", outcomes: WRITE, headers: RECEIVE, body: "0000" },
  { method: "POST", path: "git-receive-pack", outcomes: WRITE, headers: RECEIVE, body: "nonsense" },
  { method: "POST", path: "info/lfs/objects/batch", outcomes: READ, headers: LFS, body: "nonsense" },
  { method: "POST", path: "info/lfs/objects/batch", outcomes: READ, headers: LFS, body: lfsBatch("download") },
  { method: "POST", path: "info/lfs/objects/batch", outcomes: WRITE, headers: LFS, body: lfsBatch("upload") },
  { method: "GET", path: `info/lfs/objects/${LFS_OBJECT.oid}`, outcomes: READ },
  { method: "PUT", path: `info/lfs/objects/${LFS_OBJECT.oid}`, outcomes: UPLOAD_PARTS, body: "x" },
  { method: "PUT", path: "info/lfs/objects/nonsense", outcomes: UPLOAD_PARTS, body: "x" },
  {
    method: "POST",
    path: `info/lfs/objects/${LFS_OBJECT.oid}/verify`,
    outcomes: UPLOAD_PARTS,
    headers: LFS,
    body: JSON.stringify(LFS_OBJECT),
  },
  { method: "GET", path: "info/lfs/locks", outcomes: READ },
  { method: "GET", path: "info/lfs/locks?limit=nonsense", outcomes: READ },
  { method: "POST", path: "info/lfs/locks", outcomes: UPLOAD_PARTS, headers: LFS, body: '{"path":"a.bin"}' },
  { method: "POST", path: "info/lfs/locks", outcomes: WRITE, headers: LFS, body: '{"path":"/"}' },
  // What is asked before a push that makes the repository is answered.
  { method: "POST", path: "info/lfs/locks/verify", outcomes: WRITE, headers: LFS, body: "{}" },
  { method: "POST", path: "info/lfs/locks/1/unlock", outcomes: UPLOAD_PARTS, headers: LFS, body: '{"force":true}' },
  { method: "GET", path: "info/lfs/whatever", outcomes: READ },
  { method: "GET", path: "HEAD", outcomes: READ },
  { method: "GET", path: "info/refs", outcomes: READ },
  { method: "GET", path: "objects/info/packs", outcomes: READ },
  { method: "GET", path: `objects/pack/${PACK}.pack`, outcomes: READ },
  { method: "GET", path: `objects/pack/${PACK}.idx`, outcomes: READ },
  { method: "GET", path: "bundles", outcomes: READ },
  { method: "GET", path: `bundles/${"0".repeat(40)}.bundle`, outcomes: READ },
  { method: "GET", path: "objects/00/0000", outcomes: READ },
  { method: "GET", path: "whatever", outcomes: READ },
];

/** A page asks for no password: whoever may not read a repository is told that there is none. */
const READ_PAGE: Outcomes = { private: "HHAAAHHA", public: "AHAAAAAA", missing: "HHHHHHHH" };

/** Below `/{tenant}/{repo}`. */
const PAGE_ROWS: readonly Row[] = [
  ["", "/tree/main", "/blob/main/x", "/raw/main/x", "/blame/main/x", "/commits/main", "/commit/main"],
  ["/search?q=x", "/branches", "/tags", "/feed/commits", "/feed/tags", "/compare/main...topic", "/archive/main.tar.gz"],
  ["/activity/main", "/activity/main/x"],
]
  .flat()
  .map((path) => ({ method: "GET", path, outcomes: READ_PAGE }));

const JSON_TYPE = { "Content-Type": "application/json" };
const MOVES = JSON.stringify({ updates: [{ name: "refs/heads/x", old: null, new: "1" }] });
const TAG = JSON.stringify({ name: "x", target: "y", message: "z" });
const FILE = { action: "upsert", path: "x", content: "" };
const OID = "1".repeat(40);
const NOTE = JSON.stringify({ note: "x" });
const STATUS = JSON.stringify({ context: "ci", state: "success" });
const MERGE = JSON.stringify({ base: "main", head: "topic" });
const PICK = JSON.stringify({ branch: "main", commits: [OID] });
const COMMIT = JSON.stringify({
  branch: "made",
  message: "x",
  allow_empty: true,
  expected_head: null,
  actions: [FILE],
});

/** Below `/api/v1/repos/{tenant}/{repo}`. */
const REPO_ROWS: readonly Row[] = [
  { method: "GET", path: "", outcomes: READ },
  { method: "PUT", path: "", outcomes: MAKE, headers: JSON_TYPE, body: "{}" },
  { method: "PATCH", path: "", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
  { method: "PATCH", path: "", outcomes: ADMINISTER, headers: { ...JSON_TYPE, "If-Match": '"other"' }, body: "{}" },
  { method: "DELETE", path: "", outcomes: ADMINISTER },
  { method: "GET", path: "/refs", outcomes: READ },
  { method: "GET", path: "/export", outcomes: ADMINISTER },
  { method: "GET", path: "/export/HEAD", outcomes: ADMINISTER },
  { method: "GET", path: "/reflog", outcomes: ADMINISTER },
  { method: "GET", path: "/push-certificates/1", outcomes: ADMINISTER },
  { method: "GET", path: "/usage", outcomes: ADMINISTER },
  { method: "GET", path: "/tree/main", outcomes: READ },
  { method: "GET", path: "/blob/main/x", outcomes: READ },
  { method: "GET", path: "/commits", outcomes: READ },
  { method: "GET", path: "/commits/main", outcomes: READ },
  { method: "GET", path: "/raw/main/x", outcomes: READ },
  { method: "GET", path: "/archive/main.tar.gz", outcomes: READ },
  { method: "GET", path: "/compare/main...topic", outcomes: READ },
  { method: "GET", path: "/diff/main..topic", outcomes: READ },
  { method: "GET", path: "/last-changes/main", outcomes: READ },
  { method: "GET", path: "/blame/main/x", outcomes: READ },
  { method: "GET", path: "/activity/main", outcomes: READ },
  { method: "GET", path: "/search?q=x", outcomes: READ },
  { method: "GET", path: "/files/main", outcomes: READ },
  { method: "GET", path: "/events", outcomes: READ },
  { method: "POST", path: "/events/tickets", outcomes: READ },
  { method: "GET", path: "/deploy-keys", outcomes: ADMINISTER },
  { method: "POST", path: "/deploy-keys", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
  { method: "DELETE", path: "/deploy-keys/1", outcomes: ADMINISTER },
  { method: "GET", path: "/hooks", outcomes: ADMINISTER },
  { method: "POST", path: "/hooks", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
  { method: "GET", path: "/hooks/1", outcomes: ADMINISTER },
  { method: "PATCH", path: "/hooks/1", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
  { method: "DELETE", path: "/hooks/1", outcomes: ADMINISTER },
  { method: "GET", path: "/hooks/1/deliveries", outcomes: ADMINISTER },
  { method: "POST", path: "/hooks/1/pings", outcomes: ADMINISTER },
  { method: "POST", path: "/hooks/1/deliveries/1/redeliver", outcomes: ADMINISTER },
  { method: "PUT", path: "/mirror", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
  { method: "GET", path: "/mirror", outcomes: ADMINISTER },
  { method: "DELETE", path: "/mirror", outcomes: ADMINISTER },
  { method: "POST", path: "/mirror/sync", outcomes: ADMINISTER },
  { method: "GET", path: "/maintenance", outcomes: ADMINISTER },
  { method: "POST", path: "/maintenance", outcomes: ADMINISTER },
  { method: "POST", path: "/sync", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: "{}" },
  { method: "POST", path: "/forks", outcomes: READ, headers: JSON_TYPE, body: "{}" },
  { method: "POST", path: "/reflog/1/restore", outcomes: ADMINISTER },
  { method: "POST", path: "/blobs", outcomes: UPLOAD_PARTS, body: "x" },
  { method: "POST", path: "/blobs/read", outcomes: READ, headers: JSON_TYPE, body: '{"paths":["x"]}' },
  { method: "GET", path: "/notes/main", outcomes: READ },
  { method: "PUT", path: "/notes/main", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: NOTE },
  { method: "POST", path: "/notes/main", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: NOTE },
  { method: "DELETE", path: "/notes/main", outcomes: UPLOAD_PARTS },
  { method: "GET", path: `/commits/${OID}/statuses`, outcomes: READ },
  { method: "POST", path: `/commits/${OID}/statuses`, outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: STATUS },
  { method: "POST", path: "/commits", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: COMMIT },
  { method: "POST", path: "/merges", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: MERGE },
  { method: "POST", path: "/cherry-picks", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: PICK },
  { method: "POST", path: "/reverts", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: PICK },
  {
    method: "PUT",
    path: "/refs/heads/x",
    outcomes: UPLOAD_PARTS,
    headers: JSON_TYPE,
    body: JSON.stringify({ oid: "1" }),
  },
  { method: "DELETE", path: "/refs/heads/x", outcomes: UPLOAD_PARTS },
  { method: "POST", path: "/refs", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: MOVES },
  { method: "POST", path: "/tags", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: TAG },
  { method: "POST", path: "/uploads", outcomes: UPLOAD_PARTS },
  { method: "GET", path: "/uploads/1", outcomes: UPLOAD_PARTS },
  { method: "DELETE", path: "/uploads/1", outcomes: UPLOAD_PARTS },
  { method: "PUT", path: "/uploads/1/parts/1", outcomes: UPLOAD_PARTS, body: "x" },
  { method: "POST", path: "/uploads/1/lfs", outcomes: UPLOAD_PARTS, body: "{}" },
  { method: "POST", path: "/uploads/1/complete", outcomes: UPLOAD_PARTS, headers: RECEIVE, body: "0000" },
];

const FILE_OF_GITHUB = JSON.stringify({ message: "x", content: "eA==" });
const REF_OF_GITHUB = JSON.stringify({ ref: "refs/heads/x", sha: "1" });

/** Below `/api/v3/repos/{tenant}/{repo}`, in GitHub's shapes. */
const FACADE_ROWS: readonly Row[] = [
  ["", "/branches", "/branches/main", "/tags", "/commits", "/commits/main", "/commits/main/status"],
  ["/commits/main/statuses", "/statuses/main", "/compare/main...topic", "/contents", "/contents/x", "/readme"],
  ["/tarball", "/tarball/main", "/zipball/main", "/git/refs", "/git/ref/heads/main", "/git/matching-refs/heads"],
  [`/git/blobs/${OID}`, "/git/trees/main", `/git/commits/${OID}`, `/git/tags/${OID}`],
]
  .flat()
  .map((path): Row => ({ method: "GET", path, outcomes: READ }))
  .concat([
    { method: "PATCH", path: "", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
    { method: "DELETE", path: "", outcomes: ADMINISTER },
    { method: "PUT", path: "/contents/x", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: FILE_OF_GITHUB },
    { method: "DELETE", path: "/contents/x", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: FILE_OF_GITHUB },
    { method: "POST", path: `/statuses/${OID}`, outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: STATUS },
    { method: "POST", path: "/git/refs", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: REF_OF_GITHUB },
    { method: "PATCH", path: "/git/refs/heads/x", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: REF_OF_GITHUB },
    { method: "DELETE", path: "/git/refs/heads/x", outcomes: UPLOAD_PARTS },
    { method: "POST", path: "/git/blobs", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: FILE_OF_GITHUB },
    { method: "POST", path: "/git/trees", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: '{"tree":[]}' },
    { method: "POST", path: "/git/commits", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: "{}" },
    { method: "POST", path: "/git/tags", outcomes: UPLOAD_PARTS, headers: JSON_TYPE, body: "{}" },
    { method: "GET", path: "/hooks", outcomes: ADMINISTER },
    { method: "POST", path: "/hooks", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
    { method: "GET", path: "/hooks/1", outcomes: ADMINISTER },
    { method: "PATCH", path: "/hooks/1", outcomes: ADMINISTER, headers: JSON_TYPE, body: "{}" },
    { method: "DELETE", path: "/hooks/1", outcomes: ADMINISTER },
    { method: "POST", path: "/hooks/1/pings", outcomes: ADMINISTER },
  ]);

const SHOW = "CCAAAHAA";
const MANAGE = "CCFFAHFA";
const OPERATE = "CCFFFFFA";
const ROWS_TYPE = { "Content-Type": "application/x-ndjson" };
const BYTES_TYPE = { "Content-Type": "application/octet-stream" };
/** Nothing can be put back to it. */
const IN_THE_FUTURE = JSON.stringify({ at: "2999-01-01T00:00:00Z" });
const ISSUE = JSON.stringify({ name: "x", scopes: ["repo:read"] });

/** Below `/api/v1`, for a tenant that is there; what comes out does not depend on whether it is. */
const TENANT_ROWS: readonly (Omit<Row, "outcomes"> & { readonly outcomes: string })[] = [
  { method: "GET", path: "/tenants", outcomes: OPERATE },
  { method: "PUT", path: "/tenants/T", outcomes: OPERATE, headers: JSON_TYPE, body: "{}" },
  { method: "GET", path: "/tenants/T", outcomes: SHOW },
  { method: "PATCH", path: "/tenants/T", outcomes: MANAGE, headers: JSON_TYPE, body: "{}" },
  {
    method: "PATCH",
    path: "/tenants/T",
    outcomes: OPERATE.replaceAll("FFFFF", "FFFHF"),
    headers: JSON_TYPE,
    body: '{"quotas":{}}',
  },
  { method: "POST", path: "/tenants/T/adoption", outcomes: OPERATE, headers: JSON_TYPE, body: "{}" },
  { method: "GET", path: "/tenants/T/repos", outcomes: SHOW },
  { method: "GET", path: "/tenants/T/usage", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/mirrors", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/audit", outcomes: MANAGE },
  { method: "GET", path: "/mirrors", outcomes: OPERATE },
  { method: "GET", path: "/tenants/T/hooks", outcomes: MANAGE },
  { method: "POST", path: "/tenants/T/hooks", outcomes: MANAGE, headers: JSON_TYPE, body: "{}" },
  { method: "PATCH", path: "/tenants/T/hooks/1", outcomes: MANAGE, headers: JSON_TYPE, body: "{}" },
  { method: "POST", path: "/tenants/T/hooks/1/pings", outcomes: MANAGE },
  { method: "DELETE", path: "/tenants/T/hooks/1", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/tokens", outcomes: MANAGE },
  { method: "POST", path: "/tenants/T/tokens", outcomes: MANAGE, headers: JSON_TYPE, body: ISSUE },
  { method: "DELETE", path: "/tenants/T/tokens/none", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/signing-keys", outcomes: MANAGE },
  { method: "POST", path: "/tenants/T/signing-keys", outcomes: MANAGE, headers: JSON_TYPE, body: "{}" },
  { method: "DELETE", path: "/tenants/T/signing-keys/none", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/signing-key", outcomes: SHOW },
  { method: "PUT", path: "/tenants/T/signing-key", outcomes: MANAGE },
  { method: "DELETE", path: "/tenants/T/signing-key", outcomes: MANAGE },
  { method: "GET", path: "/tenants/T/ssh-keys", outcomes: MANAGE },
  { method: "POST", path: "/tenants/T/ssh-keys", outcomes: MANAGE, headers: JSON_TYPE, body: "{}" },
  { method: "DELETE", path: "/tenants/T/ssh-keys/none", outcomes: MANAGE },
  { method: "GET", path: "/admin/objects/tenant/T", outcomes: OPERATE },
  { method: "GET", path: "/admin/rows/tenant/T", outcomes: OPERATE },
  { method: "PUT", path: "/admin/rows/tenant/T", outcomes: OPERATE, headers: ROWS_TYPE, body: "{}" },
  { method: "POST", path: "/admin/recoveries/tenant/T", outcomes: OPERATE, headers: JSON_TYPE, body: IN_THE_FUTURE },
  { method: "GET", path: "/admin/files?prefix=repos/", outcomes: OPERATE },
  { method: "GET", path: "/admin/dead-letters", outcomes: OPERATE },
  { method: "POST", path: "/admin/dead-letters/1/redeliver", outcomes: OPERATE },
  { method: "DELETE", path: "/admin/dead-letters/1", outcomes: OPERATE },
  { method: "GET", path: "/admin/files/repos/x", outcomes: OPERATE },
  // R2 has no key of more than 1024 bytes, and fails where it is asked for one.
  { method: "GET", path: `/admin/files/repos/${"x".repeat(1024)}`, outcomes: OPERATE },
  { method: "PUT", path: "/admin/files/repos/x", outcomes: OPERATE, headers: BYTES_TYPE, body: "x" },
  { method: "POST", path: "/admin/file-uploads", outcomes: OPERATE, headers: JSON_TYPE, body: "{}" },
  { method: "PUT", path: "/admin/file-uploads/parts/1", outcomes: OPERATE, headers: BYTES_TYPE, body: "x" },
  { method: "POST", path: "/admin/file-uploads/complete", outcomes: OPERATE, headers: JSON_TYPE, body: "{}" },
  { method: "DELETE", path: "/tenants/T", outcomes: OPERATE },
];

/** Below `/api/v1`, for everybody. */
const OPEN_ROWS: readonly (Omit<Row, "outcomes"> & { readonly outcomes: string })[] = [
  { method: "GET", path: "/repos", outcomes: "ACAAAAAA" },
];

let host: RunningHost;
const tokens = new Map<Who, string>();

function headersOf(who: Who, scheme: "Basic" | "Bearer"): Record<string, string> {
  const token = tokens.get(who);
  if (token === undefined) return {};
  return { Authorization: scheme === "Bearer" ? `Bearer ${token}` : `Basic ${btoa(`user:${token}`)}` };
}

/** An answer as the client sees it, but for the moment and for what names the request. */
async function ask(
  row: Omit<Row, "outcomes">,
  url: string,
  credentials: Record<string, string>,
): Promise<{ outcome: string; seen: string }> {
  const answer = await fetch(url, {
    method: row.method,
    headers: { ...row.headers, ...credentials },
    ...(row.body === undefined ? {} : { body: row.body }),
  });
  const text = await answer.text();
  const headers = [...answer.headers].filter(([name]) => !["date", "x-request-id"].includes(name));
  const shown = text.replace(/(?<="request_id":")\w+/, "REQUEST");
  return { outcome: outcomeOf(row.method, answer, text), seen: JSON.stringify([answer.status, headers, shown]) };
}

function outcomeOf(method: string, answer: Response, text: string): string {
  expect(answer.status).toBeLessThan(500);
  if (answer.status === 401) {
    expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Basic realm="/);
    return "C";
  }
  if (answer.status === 403) return "F";
  const isHidden = /no such repository|Repository not found|no such tenant/.test(text) || method === "HEAD";
  return answer.status === 404 && isHidden ? "H" : "A";
}

async function prepare(): Promise<void> {
  const operator = apiClient(host.base, "test-token");
  for (const tenant of ["acme", "other"]) await operator("PUT", `/tenants/${tenant}`);
  await operator("PUT", "/repos/acme/closed", {});
  await operator("PUT", "/repos/acme/open00", { visibility: "public" });
  await operator("DELETE", "/repos/acme/absent");
}

beforeAll(async () => {
  host = await startTestHost();
  await prepare();
  const operator = apiClient(host.base, "test-token");
  tokens.set("operator", "test-token");
  tokens.set("wrong", "tpk_acme_0000000000000000000000000000000000000a");
  tokens.set("reader", await issueToken(operator, "acme", "repo:read"));
  tokens.set("writer", await issueToken(operator, "acme", "repo:write"));
  tokens.set("admin", await issueToken(operator, "acme", "tenant:admin"));
  tokens.set("foreign", await issueToken(operator, "other", "tenant:admin"));
  tokens.set("elsewhere", await issueToken(operator, "acme", "tenant:admin", { repos: ["elsewhere"] }));
});

afterAll(async () => {
  await host.stop();
});

const REPOSITORIES = { private: "closed", public: "open00", missing: "absent" } as const;
const changes = (row: Pick<Row, "method">): boolean => ["PUT", "POST", "DELETE"].includes(row.method);

const KINDS = ["private", "public", "missing"] as const;

/** Asks as everybody; gives what came out, as a row has it, and who was shown a difference between private and missing. */
async function outcomesOf(
  row: Row,
  url: (repo: string) => string,
  scheme: "Basic" | "Bearer",
): Promise<{ outcomes: Outcomes; told: string[] }> {
  const outcomes = { private: "", public: "", missing: "" };
  const told: string[] = [];
  for (const [index, who] of WHO.entries()) {
    const seen = { private: "", public: "", missing: "" };
    for (const kind of KINDS) {
      const answer = await ask(row, url(REPOSITORIES[kind]), headersOf(who, scheme));
      outcomes[kind] += answer.outcome;
      seen[kind] = answer.seen.replaceAll(REPOSITORIES[kind], "REPO");
      if (answer.outcome === "A" && changes(row)) await prepare();
    }
    // Whoever may not read it must not be able to tell a private repository from none.
    if (READ.private.charAt(index) !== "A" && seen.private !== seen.missing) told.push(`${who}: ${seen.private}`);
  }
  return { outcomes, told };
}

describe("git", () => {
  it.each(GIT_ROWS)("$method $path", async (row) => {
    const got = await outcomesOf(row, (repo) => `${host.base}/acme/${repo}.git/${row.path}`, "Basic");
    expect(got).toEqual({ outcomes: row.outcomes, told: [] });
  });
});

describe("pages", () => {
  it.each(PAGE_ROWS)("$method $path", async (row) => {
    const got = await outcomesOf(row, (repo) => `${host.base}/acme/${repo}${row.path}`, "Bearer");
    expect(got).toEqual({ outcomes: row.outcomes, told: [] });
  });
});

describe("repositories", () => {
  it.each(REPO_ROWS)("$method $path", async (row) => {
    const got = await outcomesOf(row, (repo) => `${host.base}/api/v1/repos/acme/${repo}${row.path}`, "Bearer");
    expect(got).toEqual({ outcomes: row.outcomes, told: [] });
  });
});

describe("the facade", () => {
  it.each(FACADE_ROWS)("$method $path", async (row) => {
    const got = await outcomesOf(row, (repo) => `${host.base}/api/v3/repos/acme/${repo}${row.path}`, "Bearer");
    expect(got).toEqual({ outcomes: row.outcomes, told: [] });
  });
});

describe("lists for everybody", () => {
  it.each(OPEN_ROWS)("$method $path", async (row) => {
    let outcomes = "";
    for (const who of WHO)
      outcomes += (await ask(row, `${host.base}/api/v1${row.path}`, headersOf(who, "Bearer"))).outcome;
    expect(outcomes).toBe(row.outcomes);
  });
});

describe("tenants", () => {
  it.each(TENANT_ROWS)("$method $path", async (row) => {
    for (const [index, who] of WHO.entries()) {
      const expected = row.outcomes.charAt(index);
      const credentials = headersOf(who, index % 2 === 0 ? "Basic" : "Bearer");
      const there = await ask(row, `${host.base}/api/v1${row.path.replace("/T", "/acme")}`, credentials);
      expect(`${who} ${there.outcome}`).toBe(`${who} ${expected}`);
      // A token from elsewhere, or none, can't tell a tenant from none.
      if (!["nobody", "wrong", "foreign"].includes(who)) continue;
      const missing = await ask(row, `${host.base}/api/v1${row.path.replace("/T", "/none")}`, credentials);
      expect(missing.seen).toBe(there.seen);
    }
  });
});

describe("the table", () => {
  it("contains every operation that the API describes", async () => {
    const answer = await fetch(`${host.base}/api/v1/openapi.json`);
    const { paths } = await answer.json<{ paths: Record<string, Record<string, unknown>> }>();
    const shape = (path: string): string => path.replaceAll(/\{[^}]*\}|\*/g, "x");
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((key) => /^(get|put|post|patch|delete)$/.test(key))
        .map((method) => `${method.toUpperCase()} ${shape(path)}`),
    );
    const patterns = [
      ...[...TENANT_ROWS, ...OPEN_ROWS].map((row) => `${row.method} /api/v1${row.path}`),
      ...REPO_ROWS.map((row) => `${row.method} /api/v1/repos/T/R${row.path}`),
    ].map((line) => line.split("?")[0] ?? "");
    // Open to everybody, or with credentials of their own.
    const others = new Set(["GET /api/v1/openapi.json", "GET /api/v1/docs", "POST /api/v1/repos/x/x/mirror/hook"]);
    const isCovered = (operation: string): boolean => {
      const pattern = new RegExp(
        `^${operation
          .split("/")
          .map((piece) => (piece === "x" ? ".+" : piece))
          .join("/")}$`,
      );
      return others.has(operation) || patterns.some((row) => pattern.test(row));
    };
    expect(described.length).toBeGreaterThan(20);
    expect(described.filter((operation) => !isCovered(operation))).toEqual([]);
  });
});
