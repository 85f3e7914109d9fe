/**
 * Pushes whose packs go in parts, made by the command with the real git client: what lands, what is interrupted and goes on, what is
 * refused and leaves nothing.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { type CommandOptions, type Ran, startCommand } from "../support/command.ts";
import { exportRepository } from "../support/export.ts";
import { GitSandbox, refsAt, refsOf, withToken } from "../support/git-client.ts";
import { everything, importFixture, noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { makeSshKey } from "../support/signing-keys.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("large");
let host: RunningHost;

/** What stands before the host, as a zone does: sees each request, and takes none that is larger than a part. */
let front: Server;
let base: string;
const MOST_BYTES = 40_000;
let seen: { method: string; path: string; bytes: number }[] = [];
/** Called before a request is passed on. */
let before: (path: string) => Promise<void> = async () => undefined;

async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url: path = "", headers } = request;
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  const body = Buffer.concat(pieces);
  seen.push({ method, path, bytes: body.length });
  if (body.length > MOST_BYTES) {
    response.writeHead(413).end();
    return;
  }
  await before(path);
  const { "transfer-encoding": _chunked, ...others } = headers;
  const onward = httpRequest(
    host.base + path,
    { method, headers: { ...others, "content-length": body.length } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  onward.end(body);
}

beforeAll(async () => {
  host = await startTestHost({ allowPrivateUpstreams: true });
  front = createServer((request, response) => void passOn(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const address = front.address();
  base = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  await apiClient(host.base, "test-token")("PUT", "/tenants/acme");
});

afterAll(async () => {
  front.closeAllConnections();
  front.close();
  await host.stop();
  git.close();
});

const PARTS = ["--part-size", "30KB"];

/** Runs the command against the front. */
async function run(args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  seen = [];
  return await startCommand(git, args, { env: { THINPACK_BASE: base, THINPACK_TOKEN: "test-token" }, ...options })
    .ended;
}

/** A repository with more than fits one request. */
async function large(name: string, seed: number): Promise<{ cwd: string; url: string }> {
  const cwd = await git.init(name);
  writeFileSync(join(cwd, "noise"), noise(200_000, seed));
  await git.commit(cwd, "hello.txt", "hello\n");
  const url = `${base}/acme/${name}.git`;
  await git.ok(["remote", "add", "origin", url], { cwd });
  return { cwd, url };
}

const partsSeen = (): number[] =>
  seen
    .filter(({ method, path }) => method === "PUT" && path.includes("/parts/"))
    .map(({ path }) => Number(path.split("/").at(-1)));

async function packFiles(name: string): Promise<string[]> {
  const { body } = await apiClient(host.base, "test-token")("GET", `/repos/acme/${name}`);
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const { objects } = await bucket.list({ prefix: `repos/${String(body["id"])}.git/objects/pack/` });
  return objects.map(({ key }) => key.replace(/^.*\./, "")).toSorted();
}

async function checkCopies(name: string, cwd: string): Promise<void> {
  const url = withToken(`${host.base}/acme/${name}.git`, "test-token");
  const clone = git.fresh("clone");
  await git.ok(["clone", "-q", "--mirror", url, clone]);
  await git.fsck(clone);
  expect(await refsOf(git, clone)).toEqual(await refsOf(git, cwd, "refs/heads/"));
  const exported = git.fresh("exported");
  await exportRepository(`${host.base}/api/v1/repos/acme/${name}`, "test-token", exported);
  await git.fsck(exported);
}

it("a push in parts takes what does not fit a request, and makes a repository that is missing", async () => {
  const { cwd, url } = await large("landed", 1);
  const whole = await git.git(["push", "-q", withToken(url, "test-token"), "main"], { cwd });
  expect(whole.stderr).toContain("413");
  const ran = await run(["push-large", ...PARTS, "origin", "main"], { cwd });
  expect(ran).toMatchObject({ code: 0, stdout: "" });
  expect(ran.stderr).toContain(`To ${url}\n * [new branch]      main -> main`);
  expect(partsSeen().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(Math.max(...seen.map(({ bytes }) => bytes))).toBeLessThanOrEqual(30_000);
  expect(await packFiles("landed")).toEqual(["idx", "pack", "rev"]);
  await checkCopies("landed", cwd);
  expect(await git.ok(["rev-parse", "origin/main"], { cwd })).toBe(await git.ok(["rev-parse", "main"], { cwd }));
  expect(existsSync(join(cwd, ".git", "thinpack-push"))).toBe(false);
  // The next one is thin, small, and an ordinary push; so is a deletion.
  await git.commit(cwd, "hello.txt", "hello again\n");
  expect(await run(["push-large", ...PARTS, "origin", "main", "main:topic"], { cwd })).toMatchObject({ code: 0 });
  expect(partsSeen()).toEqual([]);
  expect(await run(["push-large", ...PARTS, "origin", ":topic"], { cwd })).toMatchObject({ code: 0 });
  const again = await run(["push-large", ...PARTS, "origin", "main"], { cwd });
  expect(again.stderr).toContain("Everything up-to-date");
  await checkCopies("landed", cwd);
});

it("a push in parts goes on with an upload that was interrupted", async () => {
  const { cwd } = await large("interrupted", 2);
  const stopped = Promise.withResolvers<void>();
  before = async (path) => {
    if (/\/parts\/[3-9]$/.test(path)) await stopped.promise;
  };
  seen = [];
  const env = { THINPACK_BASE: base, THINPACK_TOKEN: "test-token" };
  const { child, ended } = startCommand(git, ["push-large", ...PARTS, "origin", "main"], { cwd, env });
  const state = join(cwd, ".git", "thinpack-push", "state.json");
  await vi.waitFor(() => expect(JSON.parse(readFileSync(state, "utf8"))).toMatchObject({ parts: 7 }), {
    timeout: WAIT_LIMIT,
  });
  await vi.waitFor(() => expect(partsSeen()).toContain(3), { timeout: WAIT_LIMIT });
  child.kill("SIGKILL");
  await ended;
  before = async () => {
    throw new Error("the client is gone");
  };
  stopped.resolve();
  await vi.waitFor(
    async () => expect(await packFiles("interrupted")).toEqual(expect.arrayContaining(["part-1", "part-2"])),
    { timeout: WAIT_LIMIT },
  );
  before = async () => undefined;
  const arrived = (await packFiles("interrupted")).length;
  const ran = await run(["push-large", ...PARTS, "origin", "main"], { cwd });
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).toContain(`going on with an upload: ${arrived} of 7 parts were there`);
  expect(partsSeen()).not.toContain(1);
  expect(partsSeen()).toHaveLength(7 - arrived);
  expect(await packFiles("interrupted")).toEqual(["idx", "pack", "rev"]);
  await checkCopies("interrupted", cwd);
});

it("a push in parts begins anew if it is of something else than what was interrupted", async () => {
  const { cwd } = await large("changed", 3);
  before = async (path) => {
    if (path.endsWith("/complete")) throw new Error("cut off");
  };
  seen = [];
  const env = { THINPACK_BASE: base, THINPACK_TOKEN: "test-token" };
  const { child, ended } = startCommand(git, ["push-large", ...PARTS, "origin", "main"], { cwd, env });
  await vi.waitFor(() => expect(seen.some(({ path }) => path.endsWith("/complete"))).toBe(true), {
    timeout: WAIT_LIMIT,
  });
  child.kill("SIGKILL");
  await ended;
  before = async () => undefined;
  expect(await packFiles("changed")).toHaveLength(7);
  await git.commit(cwd, "hello.txt", "changed\n");
  const ran = await run(["push-large", ...PARTS, "origin", "main"], { cwd });
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).not.toContain("going on");
  expect(await packFiles("changed")).toEqual(["idx", "pack", "rev"]);
  await checkCopies("changed", cwd);
});

it("a push in parts leaves nothing if a ref has moved meanwhile, and moves nothing if it is atomic", async () => {
  const { cwd } = await large("raced", 4);
  const other = await git.init("other");
  await git.commit(other, "other.txt", "other\n");
  before = async (path) => {
    if (!path.endsWith("/complete")) return;
    before = async () => undefined;
    await git.ok(["push", "-q", withToken(`${host.base}/acme/raced.git`, "test-token"), "main"], { cwd: other });
  };
  const ran = await run(["push-large", ...PARTS, "--atomic", "origin", "main", "main:second"], { cwd });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/! \[remote rejected\] main -> main/);
  expect(ran.stderr).toMatch(/! \[remote rejected\] main -> second/);
  expect(await packFiles("raced")).toEqual(["idx", "pack", "rev"]);
  const moved = await git.ok(["rev-parse", "main"], { cwd: other });
  expect(await refsAt(git, withToken(`${host.base}/acme/raced.git`, "test-token"))).toEqual([
    `refs/heads/main ${moved}`,
  ]);
});

it("a push in parts prints what the host says when it refuses a part", async () => {
  const operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/small", { quotas: { bytes: 50_000 } });
  await operator("PUT", "/repos/small/one", {});
  const { cwd } = await large("bounded", 5);
  const token = await issueToken(operator, "small", "repo:write");
  const args = ["push-large", ...PARTS, withToken(`${base}/small/one.git`, token), "main"];
  const ran = await run(args, { cwd, env: {} });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("thinpack: over quota");
  expect(ran.stderr).not.toContain(token);
  const reader = await issueToken(operator, "small", "repo:read");
  const refused = await run(["push-large", ...PARTS, withToken(`${base}/small/one.git`, reader), "main"], {
    cwd,
    env: {},
  });
  expect(refused.code).not.toBe(0);
  expect(await run(["push-large", "git@example.com:x/y.git"], { cwd })).toMatchObject({ code: 2 });
});

it("a push in parts imports all refs of a repository from anywhere", async () => {
  const source = await importFixture(git, "source", everything());
  const ran = await run(["import", "--all-refs", ...PARTS, source, "acme/imported", "--json"]);
  expect(ran).toMatchObject({ code: 0 });
  expect(JSON.parse(ran.stdout)).toMatchObject({ name: "imported", default_branch: "main" });
  const url = withToken(`${host.base}/acme/imported.git`, "test-token");
  expect(await refsAt(git, url)).toEqual(await refsOf(git, source));
  const clone = git.fresh("clone");
  await git.ok(["clone", "-q", url, clone]);
  await git.fsck(clone);
  const missing = await run(["import", git.path("nothing"), "acme/nothing"]);
  expect(missing.code).toBe(1);
  expect(await run(["repo", "show", "acme/nothing"])).toMatchObject({ code: 4 });
});

it("a push in parts leaves nothing if git breaks off", async () => {
  const { cwd } = await large("broken", 6);
  const blob = await git.ok(["rev-parse", "main:noise"], { cwd });
  rmSync(join(cwd, ".git", "objects", blob.slice(0, 2), blob.slice(2)));
  const ran = await run(["push-large", "--part-size", "1KB", "origin", "main"], { cwd });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/thinpack: git push failed\n$/);
  expect(existsSync(join(cwd, ".git", "thinpack-push"))).toBe(false);
  const unreachable = await run(["push-large", "http://git:x@127.0.0.1:9/acme/x.git", "main"], { cwd });
  expect(unreachable.stderr).toContain("thinpack: http://127.0.0.1:9 can't be reached");
});

it("a push in parts may be signed and have options", async () => {
  const { cwd, url } = await large("signed", 7);
  const { file, publicKey } = makeSshKey(git, "ed25519");
  await run(["repo", "create", "acme/signed"]);
  await run(["key", "add", "acme", "-", "--title", "signer"], { input: publicKey });
  for (const [name, value] of [
    ["gpg.format", "ssh"],
    ["user.signingKey", file],
  ] as const)
    await git.ok(["config", name, value], { cwd });
  const ran = await run(["push-large", ...PARTS, "--signed", "-o", "ci.skip", url, "main"], { cwd });
  expect(ran).toMatchObject({ code: 0, stdout: "" });
  expect(partsSeen()).toHaveLength(7);
  const { body } = await apiClient(host.base, "test-token")("GET", "/repos/acme/signed/reflog");
  expect(body["pushes"]).toMatchObject([
    { push_options: ["ci.skip"], certificate: { nonce: "OK", signature: "good" } },
  ]);
});

it("a mirror made by the command follows a repository elsewhere, and is waited for", async () => {
  const { cwd } = await large("followed-source", 8);
  const upstream = `${host.base}/acme/followed-source.git`;
  await git.ok(["push", "-q", withToken(upstream, "test-token"), "main"], { cwd });
  const login = ["--username", "git", "--password-stdin"];
  const args = ["mirror", "set", "acme/followed", upstream, "--interval", "0", "--wait", "--json"];
  const ran = await run([...args, ...login], { input: "test-token" });
  expect(ran).toMatchObject({ code: 0 });
  expect(JSON.parse(ran.stdout)).toMatchObject({ upstream, syncing: false, last_error: null });
  const refs = async (name: string): Promise<string[]> =>
    refsAt(git, withToken(`${host.base}/acme/${name}.git`, "test-token"));
  expect(await refs("followed")).toEqual(await refsOf(git, cwd, "refs/heads/"));
  const pushed = await run(["push-large", ...PARTS, `${base}/acme/followed.git`, "main"], {
    cwd,
  });
  expect(pushed.code).toBe(1);
  const failed = await run([...args.with(3, `${host.base}/acme/nothing.git`), ...login], { input: "test-token" });
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toContain("thinpack: the sync failed: ");
  expect(await run(["mirror", "stop", "acme/followed"])).toMatchObject({ code: 0 });
});
