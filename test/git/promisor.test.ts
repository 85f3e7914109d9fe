/** Blobs that a repository leaves out for clients that take it as their promisor remote: who is told, who gets what, and with what. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiClient, issueToken } from "../support/api-client.ts";
import { withToken } from "../support/git-client.ts";
import { importFixture, FixtureStream, noise } from "../support/git-fixtures.ts";
import { packOf, parsePkts, pktLines, post, send } from "../support/git-raw.ts";
import { SettledLog } from "../support/settled-log.ts";
import { makeClientKey, sshOptions } from "../support/ssh-bed.ts";
import { GIT_VERSIONS, isAfter, NEW_GIT } from "../support/new-git.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const { git } = bed;
const V2 = { "Git-Protocol": "version=2" };
/** Of this file alone. */
const SSH_PORT = 38_722;
const FROM = 10_000;
const LARGE = 20;
let source = "";
let tip = "";
let count = 0;

beforeAll(async () => {
  await bed.start({ SSH_PORT: String(SSH_PORT) });
  const stream = new FixtureStream();
  const files = Array.from({ length: LARGE }, (_, at) => ({ path: `large-${at}.bin`, content: noise(50_000, at + 1) }));
  stream.commit("refs/heads/main", [...files, { path: "README", content: "small\n" }]);
  source = await importFixture(git, "source", stream);
  tip = await git.ok(["rev-parse", "main"], { cwd: source });
});
afterAll(() => bed.stop());

async function made(settings: object = { visibility: "public" }): Promise<{ path: string; url: string; bare: string }> {
  const path = `acme/apart-${++count}`;
  expect((await bed.api("PUT", path, settings)).status).toBe(201);
  expect((await bed.api("PATCH", path, { offload_from: FROM })).body).toMatchObject({ offload_from: FROM });
  await git.ok(["push", "-q", bed.url(path), "main"], { cwd: source });
  return { path, url: bed.url(path), bare: `${bed.host.base}/${path}.git` };
}

/** The capability in an advertisement, by its fields. */
async function offered(url: string): Promise<Record<string, string> | undefined> {
  const { status, body } = await send(`${url}/info/refs?service=git-upload-pack`, { headers: V2 });
  expect(status).toBe(200);
  const line = parsePkts(body).find((each) => each.toString().startsWith("promisor-remote="));
  if (line === undefined) return undefined;
  const fields = line.toString().trimEnd().slice("promisor-remote=".length).split(",");
  return Object.fromEntries(
    fields.map((field) =>
      field
        .split("=", 1)
        .concat(field.replace(/^[^=]*=/, ""))
        .map(decodeURIComponent),
    ),
  );
}

/** The objects of the pack for a client that has nothing. */
async function objectsFor(url: string, head: string[], ...lines: string[]): Promise<number> {
  const request = pktLines("command=fetch", ...head, "0001", "ofs-delta", ...lines, `want ${tip}`, "done", "0000");
  return packOf((await post(url, "upload-pack", request, V2)).body).readUInt32BE(8);
}

const SMALL = 3;

describe("a repository that leaves large blobs out", () => {
  it("says so to those who may read it, and to nobody once it does not", async () => {
    const { path, url, bare } = await made();
    const offer = { name: "blobs", url: bare, partialCloneFilter: `blob:limit=${FROM}` };
    // Twice: the second answer comes from what the isolate remembers.
    for (let times = 0; times < 2; times++) {
      expect(await offered(bare)).toEqual(offer);
      expect(await offered(url)).toEqual(offer);
    }
    expect((await bed.api("PATCH", path, { offload_from: 5 })).status).toBe(422);
    expect((await bed.api("PATCH", path, { offload_from: null })).body).toMatchObject({ offload_from: null });
    expect(await offered(bare)).toBeUndefined();
    expect((await bed.api("GET", path)).body).toMatchObject({ offload_from: null });
  });

  it("gives a token to read a private one with, and only to those who may read it", async () => {
    const { url, bare } = await made({ visibility: "private" });
    const token = await issueToken(apiClient(bed.host.base, bed.token), "acme", "repo:read");
    for (const reader of [url, withToken(bare, token), withToken(bare, token)]) {
      const { token: lent = "", ...offer } = (await offered(reader)) ?? {};
      expect(offer).toEqual({ name: "blobs", url: bare, partialCloneFilter: `blob:limit=${FROM}` });
      expect(lent).toMatch(/^tpr_/);
      expect(await objectsFor(withToken(bare, lent), [])).toBe(LARGE + SMALL);
      const pushing = await send(`${withToken(bare, lent)}/info/refs?service=git-receive-pack`, {});
      expect([401, 403]).toContain(pushing.status);
    }
    expect((await send(`${bare}/info/refs?service=git-upload-pack`, { headers: V2 })).status).toBe(401);
  });

  it("leaves them out if the client accepts and leaves something out, and never what is wanted by its name", async () => {
    const { url } = await made();
    const accepts = ["promisor-remote=blobs"];
    expect(await objectsFor(url, accepts, "filter blob:limit=1m")).toBe(SMALL);
    expect(await objectsFor(url, ["promisor-remote=other;blobs"], "filter blob:limit=1m")).toBe(SMALL);
    expect(await objectsFor(url, [], "filter blob:limit=1m")).toBe(LARGE + SMALL);
    expect(await objectsFor(url, ["promisor-remote=other"], "filter blob:limit=1m")).toBe(LARGE + SMALL);
    // Nothing may be missing where nothing was to be left out.
    expect(await objectsFor(url, accepts)).toBe(LARGE + SMALL);
    const blobs = (await git.ok(["ls-tree", "main"], { cwd: source })).split("\n").map((line) => line.slice(12, 52));
    const wants = blobs.map((oid) => `want ${oid}`);
    const request = pktLines("command=fetch", ...accepts, "0001", "filter blob:none", ...wants, "done", "0000");
    expect(packOf((await post(url, "upload-pack", request, V2)).body).readUInt32BE(8)).toBe(blobs.length);
  });

  it("gives blobs that lie side by side out of few reads", async () => {
    const stream = new FixtureStream();
    const files = Array.from({ length: 300 }, (_, at) => ({ path: `f-${at}.bin`, content: noise(65_536, at + 100) }));
    stream.commit("refs/heads/main", files);
    const cwd = await importFixture(git, "many", stream);
    const path = `acme/apart-${++count}`;
    await bed.api("PUT", path, { visibility: "public" });
    await git.ok(["push", "-q", bed.url(path), "main"], { cwd });
    const blobs = (await git.ok(["ls-tree", "main"], { cwd })).split("\n").map((line) => line.slice(12, 52));
    const log = new SettledLog(git.path("state", "requests.jsonl"), bed.host.base);
    await log.read();
    const wants = blobs.map((oid) => `want ${oid}`);
    const request = pktLines("command=fetch", "0001", "filter blob:none", ...wants, "done", "0000");
    const { body } = await post(bed.url(path), "upload-pack", request, V2);
    expect(packOf(body).readUInt32BE(8)).toBe(blobs.length);
    expect((await log.read()).r2r).toBeLessThanOrEqual(6);
    const indexed = await git.init("indexed", "--bare");
    await git.ok(["index-pack", "--stdin"], { cwd: indexed, input: packOf(body) });
  });

  it("still does after it was renamed", async () => {
    const { path } = await made({ visibility: "private" });
    expect((await bed.api("PATCH", path, { name: "renamed-apart" })).status).toBe(200);
    const token = await issueToken(apiClient(bed.host.base, bed.token), "acme", "repo:read");
    const bare = `${bed.host.base}/acme/renamed-apart.git`;
    expect(await offered(withToken(bare, token))).toMatchObject({ url: bare });
  });
});

describe.each(GIT_VERSIONS)("git $version", ({ use, version }) => {
  // git 2.55 does not know `promisor.acceptFromServerUrl` yet.
  const isNew = NEW_GIT !== undefined && isAfter(version, "2.55.0");
  beforeAll(() => use(git));
  const large = async (cwd: string): Promise<number> => {
    const list = await git.ok(["cat-file", "--batch-all-objects", "--batch-check=%(objectsize)"], { cwd });
    return list.split("\n").filter((size) => Number(size) >= FROM).length;
  };

  it("gets everything where it accepts nothing", async () => {
    const { url } = await made();
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--bare", url, copy]);
    expect(await large(copy)).toBe(LARGE);
    await git.fsck(copy);
  });

  /** Checks out what was cloned without large blobs, and looks whether they came at once. */
  async function fillsItself(
    copy: string,
    settings: readonly string[],
    env: Record<string, string> = {},
  ): Promise<void> {
    const trace = git.fresh("trace");
    expect(await large(copy)).toBe(0);
    await git.ok([...settings, "checkout", "-q", "main"], { cwd: copy, env: { ...env, GIT_TRACE_PACKET: trace } });
    expect(readFileSync(`${copy}/large-7.bin`).equals(Buffer.from(noise(50_000, 8)))).toBe(true);
    expect(await large(copy)).toBe(LARGE);
    expect(readFileSync(trace, "utf8").match(/[a-z]> command=fetch/g)?.length).toBeLessThanOrEqual(2);
  }

  // By way of its HTTP helper, git takes no `--filter=auto`, and does not say as it fetches what it accepts. So it filters itself.
  it.runIf(isNew).each(["public", "private"])(
    "takes what a %s repository offers by HTTP, and fetches the rest at once",
    async (visibility) => {
      const { bare } = await made({ visibility });
      const login = ["-c", `http.${bed.host.base}/.extraHeader=Authorization: Bearer ${bed.token}`];
      const accepts = [...login, "-c", `promisor.acceptFromServerUrl=${bed.host.base}/*`];
      const copy = git.fresh();
      await git.ok([...accepts, "clone", "-q", `--filter=blob:limit=${FROM}`, "--no-checkout", bare, copy]);
      expect(await git.ok(["config", "--get-regexp", "remote\\..*\\.advertisedas"], { cwd: copy })).toMatch(/ blobs$/);
      await fillsItself(copy, accepts);
      await git.fsck(copy);
    },
  );

  it.runIf(isNew)("sets itself up by SSH, with the filter that is offered", async () => {
    const { bare, path } = await made({ visibility: "private" });
    const key = makeClientKey("ed25519");
    const operator = apiClient(bed.host.base, bed.token);
    const added = await operator("POST", "/tenants/acme/ssh-keys", {
      name: "k",
      key: key.publicKey,
      scopes: ["repo:read"],
    });
    expect(added.status).toBe(201);
    const env = { GIT_SSH_COMMAND: ["ssh", ...sshOptions(key)].join(" ") };
    // What is offered is an address of HTTP, to which git gives its own credentials.
    const login = ["-c", `http.${bed.host.base}/.extraHeader=Authorization: Bearer ${bed.token}`];
    const accepts = [...login, "-c", `promisor.acceptFromServerUrl=${bed.host.base}/*`];
    const copy = git.fresh();
    const url = `ssh://git@localhost:${SSH_PORT}/${path}.git`;
    await git.ok([...accepts, "clone", "-q", "--filter=auto", "--no-checkout", url, copy], { env });
    expect(await git.ok(["config", "--get-regexp", "remote\\.promisor-auto.*\\.url"], { cwd: copy })).toContain(bare);
    await fillsItself(copy, accepts, env);
  });
});
