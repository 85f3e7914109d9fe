/**
 * Each journey once, on one host, for the loop while working: `npm run test:quick` runs this file with the units. What a journey
 * is held to in detail, also beside C git's server, is in the other files of this folder.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { apiClient } from "../support/api-client.ts";
import { exportRepository } from "../support/export.ts";
import { refsAt, refsOf } from "../support/git-client.ts";
import { everything, importFixture, linear } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { remoteHelper } from "../support/remote-helper.ts";
import { makeSshKey } from "../support/signing-keys.ts";
import { makeClientKey, sshOptions } from "../support/ssh-bed.ts";
import { subscribe } from "../support/subscriber.ts";
import { MirrorBed } from "../support/upstreams.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const bed = new MirrorBed();
const { git } = bed;
const WAIT = { timeout: WAIT_LIMIT, interval: 50 };
/** The repository of most journeys, and where it was pushed from. */
const PATH = "acme/everything";
let source = "";

/** Where SSH and git:// are answered. */
const ports = { ssh: 0, git: 0 };

beforeAll(async () => {
  ports.ssh = await freePort("127.0.0.1");
  ports.git = await freePort("127.0.0.1");
  await bed.start({ SSH_PORT: String(ports.ssh), GIT_PORT: String(ports.git) });
  source = await importFixture(git, "source", everything());
  await git.ok(["push", "-q", "--mirror", bed.url(PATH)], { cwd: source });
});
afterAll(() => bed.stop());

/** A repository of its own with three commits on main, and a working copy of it. */
async function working(path: string): Promise<string> {
  await bed.api("PUT", path, { visibility: "public" });
  await git.ok(["push", "-q", bed.url(path), "main"], { cwd: await importFixture(git, "source", linear(3)) });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", bed.url(path), cwd]);
  return cwd;
}

describe("smoke", () => {
  it("push and clone: what goes in comes out", async () => {
    expect(await refsAt(git, bed.url(PATH))).toEqual(await refsOf(git, source));
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(PATH), copy]);
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
  });

  it("push: git's own words for what is refused", async () => {
    const cwd = await working("acme/refusing");
    const { code, stderr } = await git.git(["push", "origin", ":main"], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toContain("! [remote rejected] main (deletion of the current branch prohibited)");
  });

  it.each(["0", "1", "2"])("fetch: what was pushed since, with protocol.version=%s", async (version) => {
    const [path, follower] = [`acme/fetched-${version}`, git.fresh()];
    const pusher = await working(path);
    await git.ok(["clone", "-q", bed.url(path), follower]);
    const tip = await git.commit(pusher, "new.txt", "new\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: pusher });
    await git.ok(["-c", `protocol.version=${version}`, "pull", "-q", "--ff-only"], { cwd: follower });
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: follower })).toBe(tip);
    await git.fsck(follower);
  });

  it("shallow clone, deepened until it is whole", async () => {
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--depth", "1", "--no-single-branch", bed.url(PATH), copy]);
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: copy })).toBe("1");
    await git.ok(["fetch", "-q", "--unshallow"], { cwd: copy });
    await git.fsck(copy);
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: copy })).toBe(
      await git.ok(["rev-list", "--count", "main"], { cwd: source }),
    );
  });

  it("partial clone, which brings blobs when they are wanted", async () => {
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--filter=blob:none", "--no-checkout", bed.url(PATH), copy]);
    const missing = await git.ok(["rev-list", "--objects", "--missing=print", "HEAD"], { cwd: copy });
    expect(missing).toMatch(/^\?/m);
    expect(await git.ok(["show", "HEAD:a/b/c/d/e/f/g/deep.txt"], { cwd: copy })).toBe("deep");
  });

  it("dumb protocol", async () => {
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(PATH), copy], { env: { GIT_SMART_HTTP: "0" } });
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
  });

  it("signed push, whose certificate is kept", async () => {
    const cwd = await working("acme/signed");
    const { file } = makeSshKey(git, "ed25519");
    const config = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${file}`];
    await git.ok([...config, "push", "-q", "--signed", "origin", "main:topic"], { cwd });
    const { body } = await bed.api<{ pushes: { certificate?: object }[] }>("GET", "acme/signed/reflog");
    expect(body.pushes[0]).toMatchObject({ certificate: { nonce: "OK" } });
  });

  it("mirror, and what its upstream was pushed later", async () => {
    const upstream = await bed.upstream(await importFixture(git, "source", linear(5)));
    const path = await bed.mirror(upstream.url);
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    await git.ok(["push", "-q", upstream.pushUrl, "side"], { cwd: source });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
  });

  it("events, to a webhook and to a subscriber", async () => {
    const path = "acme/told";
    const cwd = await working(path);
    const receiver = await startReceiver();
    try {
      const hook = { url: `${receiver.base}/`, secret: "s3cret", events: ["push"] };
      expect((await bed.api("POST", `${path}/hooks`, hook)).status).toBe(201);
      const subscriber = await subscribe(`${bed.host.base}/api/v1/repos/${path}/events`);
      await git.ok(["push", "-q", "origin", "main:refs/heads/told"], { cwd });
      await vi.waitFor(() => expect(subscriber.messages).toHaveLength(1), WAIT);
      expect(subscriber.messages[0]).toMatchObject({ type: "ref", name: "refs/heads/told" });
      const pushes = (): unknown[] => receiver.received.filter(({ body }) => body["ref"] === "refs/heads/told");
      await vi.waitFor(() => expect(pushes()).toHaveLength(1), WAIT);
      subscriber.close();
    } finally {
      await receiver.close();
    }
  });

  it("API: refs and files as JSON", async () => {
    const { status, body } = await bed.api<{ refs: { name: string; oid: string }[] }>("GET", `${PATH}/refs`);
    expect(status).toBe(200);
    expect(body.refs.map(({ name, oid }) => `${name} ${oid}`).toSorted()).toEqual(await refsOf(git, source));
    expect((await bed.api("GET", "acme/absent")).status).toBe(404);
  });

  it("pages: a repository's front", async () => {
    await bed.api("PATCH", PATH, { visibility: "public" });
    const answer = await send(`${bed.host.base}/${PATH}`, { headers: { Accept: "text/html" } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(answer.body.toString()).toContain(`${PATH}.git`);
  });

  it("commits and merges by the API, which a clone then has", async () => {
    const path = "acme/written";
    const cwd = await working(path);
    const commit = {
      branch: "topic",
      base: "main",
      message: "new\n",
      actions: [{ action: "create", path: "new.txt", content: "new\n" }],
    };
    expect((await bed.api("POST", `${path}/commits`, commit)).status).toBe(201);
    const merged = await bed.api<{ oid: string }>("POST", `${path}/merges`, { base: "main", head: "topic" });
    expect(merged.status).toBe(201);
    await git.ok(["pull", "-q", "--ff-only"], { cwd });
    expect(await git.ok(["rev-parse", "HEAD"], { cwd })).toBe(merged.body.oid);
    expect(await git.ok(["show", "HEAD:new.txt"], { cwd })).toBe("new");
    await git.fsck(cwd);
  });

  it("fork, which has what its parent has", async () => {
    await working("acme/parent");
    const made = await bed.api("POST", "acme/parent/forks", { tenant: "acme", repo: "child" });
    expect(made.status).toBe(201);
    expect(await refsAt(git, bed.url("acme/child"))).toEqual(await refsAt(git, bed.url("acme/parent")));
  });

  it("SSH: push and clone with a key", async () => {
    await working("acme/by-ssh");
    const key = makeClientKey("ed25519");
    const registered = { name: "a key", key: key.publicKey, scopes: ["repo:write"] };
    const operator = apiClient(bed.host.base, bed.token);
    expect((await operator("POST", "/tenants/acme/ssh-keys", registered)).status).toBe(201);
    const env = { GIT_SSH_COMMAND: ["ssh", ...sshOptions(key)].join(" ") };
    const [url, copy] = [`ssh://git@localhost:${ports.ssh}/acme/by-ssh.git`, git.fresh()];
    await git.ok(["clone", "-q", url, copy], { env });
    const tip = await git.commit(copy, "new.txt", "new\n");
    await git.ok(["push", "-q", "origin", "HEAD:main"], { cwd: copy, env });
    expect(await refsAt(git, bed.url("acme/by-ssh"))).toContain(`refs/heads/main ${tip}`);
  });

  it("git://: clone of what is public", async () => {
    await working("acme/by-daemon");
    const copy = git.fresh();
    await git.ok(["clone", "-q", `git://127.0.0.1:${ports.git}/acme/by-daemon.git`, copy]);
    await git.fsck(copy);
  });

  it("WebSocket: push and clone", async () => {
    const [path, copy] = ["acme/by-websocket", git.fresh()];
    const cwd = await working(path);
    const programs = await remoteHelper(git.path("helper"));
    const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}` };
    const tip = await git.commit(cwd, "new.txt", "new\n");
    await git.ok(["push", "-q", `thinpack::${bed.url(path)}`, "HEAD:main"], { cwd, env });
    await git.ok(["clone", "-q", `thinpack::${bed.url(path)}`, copy], { env });
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(tip);
  });

  it("export, which git takes as its own", async () => {
    const exported = git.fresh("exported");
    await exportRepository(`${bed.host.base}/api/v1/repos/${PATH}`, bed.token, exported);
    await git.fsck(exported);
    expect(await refsOf(git, exported)).toEqual(await refsOf(git, source));
  });

  it("LFS: an answer that its client understands", async () => {
    const { status, headers } = await send(`${bed.url(PATH)}/info/lfs/objects/batch`, { method: "POST" });
    expect([status, headers.get("content-type")]).toEqual([415, "application/vnd.git-lfs+json"]);
  });
});
