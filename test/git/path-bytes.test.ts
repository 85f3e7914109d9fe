/**
 * Paths and names of refs that are not UTF-8. No way into the host takes one for another name: what is asked about is answered about, or
 * refused.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const TOKEN = "test-token";
const PATCH = "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+new\n";
/** U+FFFD, which takes the place of what is no UTF-8 where text is decoded carelessly. */
const REPLACEMENT = "%EF%BF%BD";

let host: RunningHost;
let git: GitSandbox;
let bare = "";

type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

async function ask(method: string, path: string, body?: object | string): Promise<Answer> {
  const type = typeof body === "string" ? "text/x-patch" : "application/json";
  const answer = await fetch(`${host.base}/api${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body === undefined ? {} : { "Content-Type": type }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: answer.status, body: json, headers: answer.headers };
}

const refs = async (): Promise<string> =>
  await git.ok(["ls-remote", withToken(`${host.base}/acme/bytes.git`, TOKEN)], { cwd: bare });
const oidOf = async (revision: string): Promise<string> => await git.ok(["rev-parse", revision], { cwd: bare });

/** A history in which one path and one branch are not UTF-8, beside those that have U+FFFD there. */
function stream(): Buffer {
  const quoted = (byte: string): string => `"caf${byte}"`;
  const commit = (branch: Buffer | string, mark: number, lines: string[]): Buffer =>
    Buffer.concat([
      Buffer.from("commit refs/heads/"),
      Buffer.from(branch),
      Buffer.from(`\nmark :${mark}\ncommitter A <a@example.com> ${1_700_000_000 + mark} +0000\ndata 2\n${mark}\n`),
      Buffer.from(`${lines.join("\n")}\n\n`),
    ]);
  const file = (path: string, text: string): string => `M 100644 inline ${path}\ndata ${text.length}\n${text}`;
  return Buffer.concat([
    commit("main", 1, [file(quoted(String.raw`\351`), "bytes")]),
    commit("main", 2, ["from :1", file(quoted(String.raw`\357\277\275`), "replaced")]),
    commit(Buffer.from("caf\xe9", "latin1"), 3, ["from :1", file("on-bytes", "x")]),
    commit(Buffer.from("caf\uFFFD"), 4, ["from :1", file("on-replaced", "x")]),
    commit("caf%E9", 5, ["from :1", file("on-percent", "x")]),
  ]);
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("path-bytes");
  bare = await git.init("source", "--bare");
  await git.ok(["fast-import", "--quiet"], { cwd: bare, input: stream() });
  await ask("PUT", "/v1/repos/acme/bytes", {});
  await git.ok(["push", "-q", "--all", withToken(`${host.base}/acme/bytes.git`, TOKEN)], { cwd: bare });
});

afterAll(async () => {
  await host.stop();
  git.close();
});

it("a file whose path is not UTF-8 is read, and never another one changed", async () => {
  const before = await refs();
  const at = "/v3/repos/acme/bytes/contents/";
  const shown = await ask("GET", `${at}caf%E9`);
  const { sha } = shown.body as { sha: string };
  const listed = await git.ok(["ls-tree", "main~1"], { cwd: bare });
  expect(sha).toBe(listed.split(/\s/)[2]);
  const content = Buffer.from("new").toString("base64");
  for (const [method, name, body] of [
    ["DELETE", "caf%E9", { message: "x", sha }],
    ["PUT", "caf%E9", { message: "x", sha, content }],
    ["PUT", "n%E9w", { message: "x", content }],
    ["PUT", "d%E9/new", { message: "x", content }],
  ] as const) {
    const refused = await ask(method, at + name, body);
    expect([refused.status, refused.body]).toEqual([
      422,
      expect.objectContaining({ message: "The path is not UTF-8." }),
    ]);
  }
  expect(await refs()).toBe(before);
});

it("the history of such a path is that of no other, on each page", async () => {
  const messages = async (path: string): Promise<[string[], string | null]> => {
    const { body, headers } = await ask("GET", path);
    const list = body as { commit: { message: string } }[];
    return [list.map(({ commit }) => commit.message), headers.get("Link")];
  };
  const at = "/v3/repos/acme/bytes/commits";
  expect((await messages(`${at}?path=caf%E9`))[0]).toEqual(["1"]);
  expect((await messages(`${at}?path=caf${REPLACEMENT}`))[0]).toEqual(["2"]);
  const [first, link] = await messages(`${at}?sha=caf%E9&per_page=1`);
  expect(first).toEqual(["3"]);
  const [, next = ""] = /<[^>]*\/api(\/[^>]*)>; rel="next"/.exec(link ?? "") ?? [];
  expect((await messages(next))[0]).toEqual(["1"]);
});

it("a branch that a query names is that one", async () => {
  const tips = async (): Promise<string[]> => {
    const lines = (await refs()).split("\n").map((line) => line.split("\t")[0] ?? "");
    return lines;
  };
  const [before, replaced, percent] = [
    await tips(),
    await oidOf("refs/heads/caf\uFFFD"),
    await oidOf("refs/heads/caf%E9"),
  ];
  const made = await ask("POST", "/v1/repos/acme/bytes/commits?branch=caf%E9&message=patched", PATCH);
  expect([made.status, made.body]).toEqual([201, expect.objectContaining({ branch: String.raw`caf\%E9` })]);
  const after = await tips();
  expect(after).toEqual(expect.arrayContaining([replaced, percent]));
  expect(after.filter((oid) => !before.includes(oid))).toEqual([(made.body as { oid: string }).oid]);
  const refused = await ask("POST", "/v1/repos/acme/bytes/commits?branch=main&message=%E9", PATCH);
  const detail = 'the parameter "message" is not UTF-8';
  expect([refused.status, refused.body]).toEqual([422, expect.objectContaining({ detail })]);
  const { body } = await ask("GET", "/v3/repos/acme/bytes/contents/on-bytes?ref=caf%E9");
  const { sha } = body as { sha: string };
  const gone = await ask("DELETE", `/v3/repos/acme/bytes/contents/on-bytes?branch=caf%E9&message=gone&sha=${sha}`);
  expect(gone.status).toBe(200);
  expect(await tips()).toEqual(expect.arrayContaining([replaced, percent]));
});

it("notes that a query names are those", async () => {
  const at = "/v1/repos/acme/bytes/notes/main";
  for (const ref of [String.raw`caf\%E9`, "caf%E9", "ü", "caf\uFFFD"]) {
    expect((await ask("PUT", at, { note: `of ${ref}`, ref })).status).toBe(201);
    expect((await ask("POST", at, { note: "more", ref })).status).toBe(201);
  }
  const noteOf = async (query: string): Promise<unknown> =>
    ((await ask("GET", `${at}?ref=${query}`)).body as { note?: string }).note?.split("\n")[0];
  expect(await noteOf("caf%E9")).toBe(String.raw`of caf\%E9`);
  expect(await noteOf("caf%25E9")).toBe("of caf%E9");
  expect(await noteOf("%C3%BC")).toBe("of ü");
  expect(await noteOf(`caf${REPLACEMENT}`)).toBe("of caf\uFFFD");
  expect((await ask("DELETE", `${at}?ref=caf%E9`)).status).toBe(204);
  expect(await noteOf("caf%25E9")).toBe("of caf%E9");
  expect(await noteOf("caf%E9")).toBeUndefined();
});
