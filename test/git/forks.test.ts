/** Forks: what they begin with, what they cost, and what becomes of them when their parents change or go. */
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiAnswer, type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { exportRepository } from "../support/export.ts";
import { ForkBed } from "../support/fork-bed.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";

let bed: ForkBed;
let source = "";

beforeAll(async () => {
  bed = await ForkBed.start();
  await bed.operator("PUT", "/tenants/acme");
  await bed.operator("PUT", "/tenants/other");
  source = bed.git.fresh("source");
  await bed.git.ok(["clone", "-q", await importFixture(bed.git, "fixture", linear(12)), source]);
  await bed.git.ok(["tag", "-a", "-m", "a tag", "v1", "HEAD~3"], { cwd: source });
});
afterAll(() => bed.stop());

/** Makes a repository with the source's history. */
async function parent(name: string, settings: object = {}): Promise<string> {
  const path = await bed.make(`acme/${name}`, settings);
  await bed.git.ok(["push", "-q", bed.url(path), "main", "HEAD~5:refs/heads/old", "v1"], { cwd: source });
  return path;
}

/** Commits on a clone of a repository, and pushes main. Gives the commit. */
async function pushed(path: string, content: string): Promise<string> {
  const { git } = bed;
  const cwd = git.fresh("work");
  await git.ok(["clone", "-q", bed.url(path), cwd]);
  await git.commit(cwd, "fork.txt", content);
  await git.ok(["push", "-q", "origin", "main"], { cwd });
  return await git.head(cwd);
}

const refs = async (path: string): Promise<string> => await bed.git.ok(["ls-remote", bed.url(path)]);

describe("a fork that is refused", () => {
  it("leaves its name free, and nothing in its tenant's list", async () => {
    const path = await parent("unsettled");
    await bed.git.ok(["push", "-q", "-f", bed.url(path), "HEAD~3:main", ":v1"], { cwd: source });
    const count = async (): Promise<unknown> => (await bed.operator("GET", "/tenants/other")).body["repos"];
    const before = await count();
    const refused = await bed.operator("POST", `/repos/${path}/forks`, { tenant: "other" });
    expect([refused.status, refused.body["detail"]]).toMatchObject([
      409,
      expect.stringContaining("that no ref reaches"),
    ]);
    expect(await count()).toBe(before);
    expect((await bed.operator("GET", "/repos/other/unsettled")).status).toBe(404);
    const asked = await fetch(
      `${bed.url("other/unsettled").replace(/\/\/[^@]*@/, "//")}/info/refs?service=git-upload-pack`,
      {
        headers: { Authorization: "Bearer test-token", "Git-Protocol": "version=2" },
      },
    );
    expect(asked.status).toBe(404);
  });
});

describe("a fork", () => {
  it("has its parent's refs and objects, and copies none", async () => {
    const path = await parent("whole", { visibility: "public", description: "all of it" });
    const answer = await bed.operator("POST", `/repos/${path}/forks`, { tenant: "other" });
    expect(answer.status).toBe(201);
    const { id } = await bed.shown(path);
    expect(answer.body).toMatchObject({
      tenant: "other",
      name: "whole",
      visibility: "public",
      default_branch: "main",
      description: "all of it",
      size_bytes: 0,
      fork_of: { id, name: path },
    });
    // The same operations at any size: nothing is read from the bucket or written there.
    const timing = answer.headers.get("Server-Timing") ?? "";
    expect(timing).toContain('r2r;desc="0", r2w;desc="0"');
    const calls = Number(/do;desc="(\d+)"/.exec(timing)?.[1]);
    expect(calls).toBeLessThanOrEqual(9);
    expect(await refs("other/whole")).toBe(await refs(path));
    const clone = await bed.cloned("other/whole");
    const objects = ["rev-list", "--objects", "--all"];
    expect(await bed.git.ok(objects, { cwd: clone })).toBe(await bed.git.ok(objects, { cwd: await bed.cloned(path) }));
    expect(await bed.keys(`repos/${String(answer.body["id"])}.git/objects/pack/`)).toEqual([]);
  });

  it("and its parent see nothing of each other's pushes", async () => {
    const path = await parent("apart");
    const fork = await bed.fork(path, "other/apart");
    const inFork = await pushed(fork, "of the fork");
    const inParent = await pushed(path, "of the parent");
    for (const [here, there] of [
      [fork, inParent],
      [path, inFork],
    ] as const) {
      expect(await refs(here)).not.toContain(there);
      expect((await bed.fetched(here, there)).stderr).toContain("not our ref");
      expect((await bed.operator("GET", `/repos/${here}/commits/${there}`)).status).toBe(404);
      expect((await bed.operator("GET", `/repos/${here}/raw/${there}/fork.txt`)).status).toBe(404);
      // A push may not refer to what only the other has, either.
      const cwd = await bed.cloned(here === fork ? path : fork);
      const push = await bed.git.git(["push", bed.url(here), `${there}:refs/heads/stolen`], { cwd });
      expect(push.code).toBe(0);
      expect((await bed.operator("GET", `/repos/${here}/commits/${there}`)).status).toBe(200);
    }
    await bed.cloned(fork);
    await bed.cloned(path);
    expect(Number((await bed.shown(fork))["size_bytes"])).toBeGreaterThan(0);
  });

  it("of a fork outlives both, and its bytes count where they are kept", async () => {
    const path = await parent("first");
    const second = await bed.fork(path, "other/second");
    await pushed(second, "of the second");
    const third = await bed.fork(second, "acme/third");
    await pushed(third, "of the third");
    const before = await refs(third);
    const size = Number((await bed.shown(third))["size_bytes"]);
    const prefixes = [await bed.prefix(path), await bed.prefix(second), await bed.prefix(third)];
    expect((await bed.operator("DELETE", `/repos/${path}`)).status).toBe(204);
    expect((await bed.operator("DELETE", `/repos/${second}`)).status).toBe(204);
    // All that is left of the parents are the packs, which the fork has to itself now.
    await bed.until("the parents' other files are gone", async () => {
      const left = [...(await bed.keys(prefixes[0])), ...(await bed.keys(prefixes[1]))];
      return left.every((key) => key.includes("/objects/pack/"));
    });
    await bed.until("the packs count for the fork", async () => Number((await bed.shown(third))["size_bytes"]) > size);
    expect(await refs(third)).toBe(before);
    await bed.cloned(third);
    // A new repository of the parent's name has nothing to do with it.
    await bed.make(path);
    await bed.cloned(third);
    expect((await bed.operator("DELETE", `/repos/${third}`)).status).toBe(204);
    for (const prefix of prefixes) {
      await bed.until(`${prefix} is empty`, async () => (await bed.keys(prefix)).length === 0);
    }
  });
});

/** Pushes main with a secret on top, and takes it away again. Gives the commit and the blob. */
async function secretPushed(path: string, text: string): Promise<{ commit: string; blob: string }> {
  const { git } = bed;
  const cwd = git.fresh("secret");
  await git.ok(["clone", "-q", bed.url(path), cwd]);
  await git.commit(cwd, "secret.txt", text);
  const found = { commit: await git.head(cwd), blob: await git.ok(["rev-parse", "HEAD:secret.txt"], { cwd }) };
  await git.ok(["push", "-q", "origin", "main"], { cwd });
  return found;
}

const forced = async (path: string): Promise<string> =>
  await bed.git.ok(["push", "-q", "-f", bed.url(path), "main"], { cwd: source });

/** Whether some pack in the bucket has an object. */
const isStored = async (oid: string): Promise<boolean> => (await bed.stored()).has(oid);

describe("a purge", () => {
  it("of a parent waits for its forks: what none of them reaches is gone, and one that reaches it keeps it", async () => {
    const path = await parent("purged");
    const clean = await bed.fork(path, "other/clean");
    const secret = await secretPushed(path, "a secret of the parent\n");
    const dirty = await bed.fork(path, "other/dirty");
    // Its owner has rewritten the history, too.
    const tidied = await bed.fork(path, "other/tidied");
    await forced(path);
    await forced(tidied);
    const state = await bed.purge(path);
    expect(state).toMatchObject({ purging: false, waiting_for_forks: 0 });
    for (const fork of [clean, dirty, tidied]) await bed.cloned(fork);
    expect((await bed.operator("GET", `/repos/${dirty}/commits/${secret.commit}`)).status).toBe(200);
    expect(await isStored(secret.blob)).toBe(true);
    for (const other of [path, clean, tidied]) {
      expect((await bed.fetched(other, secret.commit)).stderr).toContain("not our ref");
    }
    // The last one that reaches it lets go of it.
    await forced(dirty);
    await bed.purge(dirty);
    await bed.until("the secret is gone", async () => !(await isStored(secret.blob)));
    for (const each of [path, clean, dirty, tidied]) await bed.cloned(each);
  });

  it("of a fork leaves its parent what that has, and keeps nothing that it borrowed", async () => {
    const path = await parent("kept");
    const secret = await secretPushed(path, "a secret that stays in the parent\n");
    const fork = await bed.fork(path, "other/purging");
    await forced(fork);
    await bed.purge(fork);
    expect((await bed.fetched(fork, secret.commit)).stderr).toContain("not our ref");
    expect((await bed.operator("GET", `/repos/${path}/commits/${secret.commit}`)).status).toBe(200);
    await bed.cloned(path);
    const clone = await bed.cloned(fork);
    expect((await bed.git.git(["cat-file", "-e", secret.blob], { cwd: clone })).code).not.toBe(0);
    const own = await bed.keys(`${await bed.prefix(fork)}objects/pack/`);
    expect(own.some((key) => key.endsWith(".pack"))).toBe(true);
  });
});

describe("what a parent's force-push left", () => {
  it("is in no fork, and nobody can bring it back through one", async () => {
    const path = await parent("leaky", { visibility: "public" });
    const secret = await secretPushed(path, "a secret that was published by mistake\n");
    await forced(path);
    const early = await bed.operator("POST", `/repos/${path}/forks`, { tenant: "other", repo: "thief" });
    if (early.status !== 201) {
      expect(early.status).toBe(409);
      expect(early.headers.get("Retry-After")).toBe("120");
      await bed.operator("POST", `/repos/${path}/maintenance`, { purge: true });
      await bed.maintained(path);
      await bed.fork(path, "other/thief");
    }
    const cwd = bed.git.fresh("thief");
    await bed.git.ok(["clone", "-q", bed.url("other/thief"), cwd]);
    // A tree that names the blob, which git would not make without the object.
    const tree = await bed.git.ok(["mktree", "--missing"], {
      cwd,
      input: `100644 blob ${secret.blob}\tsecret.txt\n`,
    });
    const commit = await bed.git.ok(["commit-tree", "-p", "HEAD", "-m", "steal", tree], { cwd });
    const stolen = await bed.git.git(["push", "origin", `${commit}:refs/heads/stolen`], { cwd });
    expect(stolen.code).not.toBe(0);
    expect((await bed.fetched("other/thief", secret.blob)).stderr).toContain("not our ref");
    expect((await bed.operator("GET", `/repos/other/thief/commits/${secret.commit}`)).status).toBe(404);
    expect((await bed.operator("GET", `/repos/other/thief/commits/${secret.commit.slice(0, 12)}`)).status).toBe(404);
  });
});

describe("a parent's maintenance, name and visibility", () => {
  it("don't matter to its forks", async () => {
    const path = await parent("busy", { visibility: "public" });
    for (let n = 0; n < 3; n++) await pushed(path, `before ${n}`);
    const fork = await bed.fork(path, "other/busy");
    const before = await refs(fork);
    for (let n = 0; n < 3; n++) await pushed(path, `after ${n}`);
    await bed.operator("POST", `/repos/${path}/maintenance`, {});
    expect((await bed.maintained(path)).total.packs).toBeLessThan(7);
    expect((await bed.maintained(fork)).borrowed.packs).toBeGreaterThan(1);
    await bed.operator("PATCH", `/repos/${path}`, { visibility: "private", name: "renamed" });
    expect(await refs(fork)).toBe(before);
    await bed.operator("PATCH", `/repos/${fork}`, { name: "moved" });
    await bed.cloned("other/moved");
    // A purge finds the parent and the fork under their new names.
    const secret = await secretPushed("acme/renamed", "a late secret\n");
    const late = await bed.fork("acme/renamed", "other/late");
    await bed.operator("PATCH", `/repos/${late}`, { name: "later" });
    await forced("acme/renamed");
    await forced("other/later");
    await bed.purge("acme/renamed");
    expect(await isStored(secret.blob)).toBe(false);
    await bed.cloned("other/moved");
    await bed.cloned("other/later");
  });
});

describe("a copy", () => {
  it("of the bucket, and an export of a fork by itself, are valid repositories", async () => {
    const path = await parent("copied");
    const fork = await bed.fork(path, "other/copied");
    await pushed(fork, "of the fork");
    const prefix = await bed.prefix(fork);
    const bucketOf = async (): Promise<string> => `${await bed.copied()}/${prefix}`;
    await bed.until("the files are written", async () => {
      const keys = await bed.keys(prefix);
      return keys.includes(`${prefix}HEAD`) && keys.includes(`${prefix}objects/info/alternates`);
    });
    await bed.until("git sees what was pushed in the bucket", async () => {
      const head = await bed.git.git(["rev-parse", "main"], { cwd: await bucketOf() });
      return (await refs(fork)).includes(head.stdout.trim());
    });
    const copy = await bucketOf();
    await bed.git.fsck(copy);
    expect(readFileSync(`${copy}/objects/info/alternates`, "utf8")).toBe(
      `../../${(await bed.prefix(path)).slice("repos/".length)}objects\n`,
    );
    const out = bed.git.fresh("export");
    await exportRepository(`${bed.host.base}/api/v1/repos/${fork}`, "test-token", out);
    expect(existsSync(`${out}/objects/info/alternates`)).toBe(false);
    await bed.git.fsck(out);
    expect(await bed.git.ok(["rev-parse", "main"], { cwd: out })).toBe(
      await bed.git.ok(["rev-parse", "main"], { cwd: copy }),
    );
  });

  it("over dumb HTTP has what lies below the parent's prefix", async () => {
    const path = await parent("dumb", { visibility: "public" });
    const fork = await bed.fork(path, "other/dumb");
    const cwd = bed.git.fresh("dumb");
    await bed.git.ok(["clone", "-q", "--mirror", `${bed.host.base}/${fork}.git`, cwd], {
      env: { GIT_SMART_HTTP: "0" },
    });
    await bed.git.fsck(cwd);
  });
});

describe("whoever forks", () => {
  it("has to be able to read the parent and to make the fork", async () => {
    const closed = await parent("closed");
    const open = await parent("open", { visibility: "public" });
    const admin = apiClient(bed.host.base, await issueToken(bed.operator, "other", "tenant:admin"));
    const reader = apiClient(bed.host.base, await issueToken(bed.operator, "other", "repo:read"));
    const mine = apiClient(bed.host.base, await issueToken(bed.operator, "acme", "tenant:admin"));
    const asked = async (client: ApiClient, path: string, body: object): Promise<number> =>
      (await client("POST", `/repos/${path}/forks`, body)).status;
    const to = (repo: string, tenant = "other"): object => ({ tenant, repo });
    expect(await asked(admin, closed, to("x1"))).toBe(404);
    expect(await asked(admin, "acme/none", to("x1"))).toBe(404);
    expect(await asked(reader, open, to("x2"))).toBe(403);
    expect(await asked(admin, open, to("x3", "acme"))).toBe(403);
    expect(await asked(apiClient(bed.host.base), open, to("x3"))).toBe(401);
    expect(await asked(admin, open, to("x4"))).toBe(201);
    expect(await asked(admin, open, to("x4"))).toBe(409);
    expect(await asked(mine, closed, to("x5"))).toBe(403);
    expect(await asked(mine, closed, to("x5", "acme"))).toBe(201);
    expect(await asked(admin, open, { tenant: "-", repo: "x6" })).toBe(422);
    expect(await asked(bed.operator, open, to("x7", "nowhere"))).toBe(201);
    // The name of a private parent is for those who could push to the fork.
    await bed.operator("PATCH", "/repos/acme/x5", { visibility: "public" });
    expect((await mine("GET", "/repos/acme/x5")).body["fork_of"]).toMatchObject({ name: closed });
    expect((await admin("GET", "/repos/acme/x5")).body["fork_of"]).not.toHaveProperty("name");
    expect((await bed.operator("PUT", "/repos/acme/x5/mirror", { upstream: "https://example.org/x.git" })).status).toBe(
      409,
    );
  });
});

describe("a sync with the parent", () => {
  it("moves a branch forward with what it lacks, and leaves one that has diverged", async () => {
    const path = await parent("upstream");
    const fork = await bed.fork(path, "other/synced");
    const sync = async (body: object = {}): Promise<ApiAnswer> =>
      await bed.operator("POST", `/repos/${fork}/sync`, body);
    const start = await bed.git.head(source);
    expect(await sync()).toMatchObject({ status: 200, body: { branch: "main", old: start, oid: start } });
    for (let n = 0; n < 3; n++) await pushed(path, `of the parent ${n}`);
    const tip = await pushed(path, "the last of the parent");
    await bed.git.ok(["push", "-q", bed.url(path), "HEAD~7:refs/heads/aside"], { cwd: source });
    await bed.operator("PATCH", `/repos/${path}`, { name: "upstream-renamed" });
    expect(await sync()).toMatchObject({ status: 200, body: { branch: "main", old: start, oid: tip } });
    expect(await refs(fork)).toContain(`${tip}\trefs/heads/main`);
    expect(await refs(fork)).not.toContain("aside");
    expect(await sync({ branch: "aside" })).toMatchObject({ status: 200, body: { old: null } });
    expect((await sync({ branch: "none" })).status).toBe(404);
    await bed.cloned(fork);
    expect(Number((await bed.shown(fork))["size_bytes"])).toBeGreaterThan(0);
    await pushed(fork, "of the fork");
    expect((await sync()).status).toBe(409);
    const ahead = await pushed("acme/upstream-renamed", "of both");
    expect((await sync()).status).toBe(409);
    expect(await refs(fork)).not.toContain(ahead);
    await bed.operator("DELETE", "/repos/acme/upstream-renamed");
    expect((await sync()).status).toBe(404);
    expect((await bed.operator("POST", `/repos/${await bed.make("acme/alone")}/sync`, {})).status).toBe(409);
    await bed.cloned(fork);
  });

  it("takes a token that may read the parent, and keeps to the tenant's quota", async () => {
    const path = await parent("shared", { visibility: "public" });
    const fork = await bed.fork(path, "other/shared");
    const writer = apiClient(bed.host.base, await issueToken(bed.operator, "other", "repo:write"));
    const tip = await pushed(path, "more");
    await bed.operator("PATCH", "/tenants/other", { quotas: { objects: 1 } });
    expect((await writer("POST", `/repos/${fork}/sync`, {})).status).toBe(413);
    await bed.operator("PATCH", "/tenants/other", { quotas: {} });
    expect(await writer("POST", `/repos/${fork}/sync`, {})).toMatchObject({ status: 200, body: { oid: tip } });
    await bed.operator("PATCH", `/repos/${path}`, { visibility: "private" });
    expect((await writer("POST", `/repos/${fork}/sync`, {})).status).toBe(404);
  });
});
