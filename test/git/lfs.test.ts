/**
 * Git LFS with its stock client over a socket: what is pushed comes out of a clone, over every version of the protocol and
 * whatever the client does with it.
 *
 * @packageDocumentation
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { LfsClient, lfsObject } from "../support/lfs-client.ts";
import { INSTALLED_LFS, LFS_CLIENTS, type LfsClientVersion } from "../support/new-git-lfs.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let tenants = 0;
let tenant = "";
let token = "";

beforeAll(async () => {
  host = await startTestHost();
  operator = apiClient(host.base, "test-token");
});

afterAll(async () => {
  await host.stop();
});

/** Has the tests of a suite use a client, with a tenant of their own. */
function withClient({ use }: LfsClientVersion): void {
  beforeAll(async () => {
    git = new GitSandbox("lfs");
    use(git);
    tenant = `tenant-${++tenants}`;
    await operator("PUT", `/tenants/${tenant}`);
    token = await issueToken(operator, tenant, "tenant:admin");
    await git.ok(["lfs", "install", "--skip-repo"]);
  });
  afterAll(() => git.close());
}

const urlOf = (repo: string): string => withToken(`${host.base}/${tenant}/${repo}.git`, token);

/** Makes a working copy whose `*.bin` files are Git LFS objects, and which pushes to a repository of this name. */
async function working(repo: string): Promise<string> {
  await operator("PUT", `/repos/${tenant}/${repo}`);
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["remote", "add", "origin", urlOf(repo)], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  await commit(cwd, {});
  return cwd;
}

async function commit(cwd: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", `${Object.keys(files).join(", ")}.`], { cwd });
}

async function clone(repo: string, ...options: string[]): Promise<string> {
  const cwd = git.fresh();
  await git.ok(["clone", "-q", ...options, urlOf(repo), cwd]);
  return cwd;
}

const isPointer = (cwd: string, name: string): boolean =>
  readFileSync(join(cwd, name)).subarray(0, 200).includes("version https://git-lfs.github.com/spec/v1");

/** Makes a working copy for a token of this name. */
async function copyOf(repo: string, name: string): Promise<string> {
  const own = await issueToken(operator, tenant, "repo:write", { name });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", withToken(`${host.base}/${tenant}/${repo}.git`, own), cwd]);
  await git.ok(["lfs", "install", "--local"], { cwd });
  return cwd;
}

describe.each(LFS_CLIENTS)("the stock client, $version,", (client) => {
  withClient(client);

  it.each(["0", "2"])("pushes and clones over version %s, and pulls what came since", async (version) => {
    const repo = `journey-${version}`;
    const options = ["-c", `protocol.version=${version}`];
    const cwd = await working(repo);
    const [small, large] = [noise(3000, 1), noise(3_000_000, Number(version) + 2)];
    await commit(cwd, { "small.bin": small, "large.bin": large, "plain.txt": "plain\n" });
    await git.ok([...options, "push", "-q", "origin", "main"], { cwd });
    const copy = git.fresh();
    await git.ok([...options, "clone", "-q", urlOf(repo), copy]);
    expect(readFileSync(join(copy, "small.bin")).equals(small)).toBe(true);
    expect(readFileSync(join(copy, "large.bin")).equals(large)).toBe(true);
    await git.ok(["lfs", "fsck"], { cwd: copy });
    await commit(cwd, { "more.bin": noise(5000, 3) });
    await git.ok([...options, "push", "-q", "origin", "main"], { cwd });
    await git.ok([...options, "pull", "-q"], { cwd: copy });
    expect(readFileSync(join(copy, "more.bin")).equals(noise(5000, 3))).toBe(true);
  });

  it("makes the repository with its push", async () => {
    const cwd = await git.init();
    await git.ok(["lfs", "install", "--local"], { cwd });
    await git.ok(["lfs", "track", "*.bin"], { cwd });
    await commit(cwd, { "a.bin": noise(1000, 4) });
    await git.ok(["push", "-q", urlOf("pushed-to-create"), "main"], { cwd });
    const copy = await clone("pushed-to-create");
    expect(readFileSync(join(copy, "a.bin")).equals(noise(1000, 4))).toBe(true);
  });

  it("fetches all that refs name, prunes, and checks out what it had left as pointers", async () => {
    const cwd = await working("fetched");
    for (const seed of [1, 2, 3]) await commit(cwd, { "a.bin": noise(2000, seed) });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    const copy = git.fresh();
    await git.ok(["clone", "-q", urlOf("fetched"), copy], { env: { GIT_LFS_SKIP_SMUDGE: "1" } });
    expect(isPointer(copy, "a.bin")).toBe(true);
    await git.ok(["lfs", "fetch", "--all"], { cwd: copy });
    await git.ok(["lfs", "checkout"], { cwd: copy });
    expect(readFileSync(join(copy, "a.bin")).equals(noise(2000, 3))).toBe(true);
    const recent = ["-c", "lfs.fetchrecentrefsdays=0", "-c", "lfs.pruneoffsetdays=0"];
    const pruned = await git.ok([...recent, "lfs", "prune", "--verify-remote"], { cwd: copy });
    expect(pruned).toContain("2 verified with remote");
    await git.ok(["lfs", "fetch", "--all"], { cwd: copy });
    await git.ok(["lfs", "fsck", "--objects"], { cwd: copy });
  });

  it("migrates a history, and pushes it", async () => {
    await operator("PUT", `/repos/${tenant}/migrated`);
    const cwd = await git.init();
    await git.ok(["lfs", "install", "--local"], { cwd });
    await git.ok(["remote", "add", "origin", urlOf("migrated")], { cwd });
    for (const seed of [1, 2]) await commit(cwd, { "a.dat": noise(4000, seed) });
    await git.ok(["lfs", "migrate", "import", "--include=*.dat", "--everything"], { cwd });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    const copy = await clone("migrated");
    expect(readFileSync(join(copy, "a.dat")).equals(noise(4000, 2))).toBe(true);
    await git.ok(["checkout", "-q", "HEAD~1"], { cwd: copy });
    expect(readFileSync(join(copy, "a.dat")).equals(noise(4000, 1))).toBe(true);
  });

  it("clones a fork with its files, also when the parent is gone", async () => {
    const cwd = await working("forked");
    await commit(cwd, { "a.bin": noise(2000, 41) });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    const other = `${tenant}-other`;
    await operator("PUT", `/tenants/${other}`);
    expect((await operator("POST", `/repos/${tenant}/forked/forks`, { tenant: other })).status).toBe(201);
    const fork = withToken(`${host.base}/${other}/forked.git`, "test-token");
    await operator("DELETE", `/repos/${tenant}/forked`);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const { oid } = lfsObject(noise(2000, 41));
    const key = `lfs/${tenant}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
    const copy = git.fresh();
    await git.ok(["clone", "-q", fork, copy]);
    expect(readFileSync(join(copy, "a.bin")).equals(noise(2000, 41))).toBe(true);
    expect(await bucket.head(key)).not.toBeNull();
    // What the fork does not have, it never had.
    await operator("DELETE", `/repos/${other}/forked`);
    await vi.waitUntil(async () => (await bucket.head(key)) === null, { timeout: WAIT_LIMIT });
  });

  it("is told what is missing, and takes the rest", async () => {
    const cwd = await working("holes");
    await commit(cwd, { "a.bin": noise(1000, 11), "b.bin": noise(1000, 12) });
    await git.ok(["lfs", "push", "--object-id", "origin", lfsObject(noise(1000, 11)).oid], { cwd });
    await git.ok(["push", "-q", "--no-verify", "origin", "main"], { cwd });
    const { code, stderr } = await git.git(["clone", "-q", urlOf("holes"), git.fresh()]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("The object is not here.");
    const lfs = new LfsClient(`${host.base}/${tenant}/holes.git`, token);
    const answers = await lfs.batch("download", [lfsObject(noise(1000, 11)), lfsObject(noise(1000, 12))]);
    expect(answers).toMatchObject([{ actions: {} }, { error: { code: 404 } }]);
  });

  it("makes, lists, verifies and gives back locks", async () => {
    const first = await working("locked");
    await commit(first, { "a.bin": noise(1000, 21), "b.bin": noise(1000, 22) });
    await git.ok(["push", "-q", "origin", "main"], { cwd: first });
    const [alice, bob] = [await copyOf("locked", "alice"), await copyOf("locked", "bob")];
    await git.ok(["lfs", "lock", "a.bin"], { cwd: alice });
    await git.ok(["lfs", "lock", "b.bin"], { cwd: bob });
    expect((await git.git(["lfs", "lock", "a.bin"], { cwd: bob })).code).not.toBe(0);
    expect(await git.ok(["lfs", "locks"], { cwd: bob })).toMatch(/a\.bin\s+alice/);
    const verified = await git.ok(["lfs", "locks", "--verify"], { cwd: alice });
    expect(verified).toMatch(/^O\s+a\.bin\s+alice/m);
    expect(verified).toMatch(/^\s*b\.bin\s+bob/m);
    expect((await git.git(["lfs", "unlock", "a.bin"], { cwd: bob })).code).not.toBe(0);
    // The client itself looks before it pushes.
    await commit(bob, { "a.bin": noise(1000, 23) });
    const pushed = await git.git(["push", "origin", "main"], { cwd: bob });
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain("would have halted this push");
    expect(pushed.stderr).toContain("Unable to push locked files:");
    await git.ok(["config", `lfs.${host.base}/${tenant}/locked.git/info/lfs.locksverify`, "true"], { cwd: bob });
    const looked = await git.git(["push", "origin", "main"], { cwd: bob });
    expect(looked.code).not.toBe(0);
    expect(looked.stderr).toContain("Cannot update locked files");
    await git.ok(["lfs", "unlock", "a.bin"], { cwd: alice });
    await git.ok(["push", "-q", "origin", "main"], { cwd: bob });
  });
});

describe("rules", () => {
  withClient(INSTALLED_LFS);

  it("refuse a push whose pointers name objects that are not here, and tell which", async () => {
    const cwd = await working("required");
    const set = await operator("PATCH", `/repos/${tenant}/required`, { require_lfs_objects: true });
    expect(set.body).toMatchObject({ require_lfs_objects: true, lfs_above: null });
    await commit(cwd, { "a.bin": noise(1000, 51), "b.bin": noise(1000, 52), "plain.txt": "version https://x\n" });
    const [a, b] = [lfsObject(noise(1000, 51)), lfsObject(noise(1000, 52))];
    await git.ok(["lfs", "push", "--object-id", "origin", a.oid], { cwd });
    const refused = await git.git(["push", "--no-verify", "origin", "main"], { cwd });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(`Git LFS objects are missing, push them with git lfs push --all: ${b.oid}`);
    expect(refused.stderr).not.toContain(a.oid);
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    expect((await operator("GET", `/repos/${tenant}/required/refs`)).body["refs"]).toHaveLength(1);
  });

  it("refuse a push of a large file that is no pointer, and tell what to do", async () => {
    const cwd = await working("bounded");
    await operator("PATCH", `/repos/${tenant}/bounded`, { lfs_above: 5000 });
    await commit(cwd, { "large.bin": noise(20_000, 53), "small.dat": noise(5000, 54) });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    await commit(cwd, { "large.dat": noise(5001, 55) });
    const refused = await git.git(["push", "origin", "main"], { cwd });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("of 5001 bytes has to go to Git LFS, as all above 5000");
    expect(refused.stderr).toContain("git lfs migrate import --above=5000b");
    await git.ok(["lfs", "migrate", "import", "--above=5000b", "--yes"], { cwd });
    await git.ok(["push", "-q", "origin", "main"], { cwd });
    // One too large to be held whole is seen, too.
    await commit(cwd, { "huge.dat": noise(20_000_000, 56) });
    expect((await git.git(["push", "--no-verify", "origin", "main"], { cwd })).stderr).toContain(
      "has to go to Git LFS",
    );
    const { body } = await operator("PATCH", `/repos/${tenant}/bounded`, { lfs_above: null });
    expect(body).toMatchObject({ lfs_above: null });
    await git.ok(["push", "-q", "--no-verify", "origin", "main"], { cwd });
  });

  it("refuse a push that changes a locked file, by whichever way it comes, and no other", async () => {
    const first = await working("guarded");
    await commit(first, { "a.bin": noise(1000, 31), "dir.txt": "x\n" });
    await git.ok(["push", "-q", "origin", "main"], { cwd: first });
    const [alice, bob] = [await copyOf("guarded", "alice"), await copyOf("guarded", "bob")];
    await git.ok(["lfs", "lock", "a.bin"], { cwd: alice });
    const push = async (...args: string[]): Promise<string> =>
      (await git.git(["push", "--no-verify", "origin", ...args], { cwd: bob })).stderr;
    // Another file may be changed.
    await commit(bob, { "dir.txt": "y\n" });
    expect(await push("main")).not.toContain("rejected");
    // The owner changes the file, on the default branch.
    await git.ok(["pull", "-q"], { cwd: alice });
    await commit(alice, { "a.bin": noise(1000, 32) });
    await git.ok(["push", "-q", "origin", "main"], { cwd: alice });
    // A branch from before that has the old file, and one that merges the owner's change.
    await git.ok(["checkout", "-q", "-b", "topic"], { cwd: bob });
    await commit(bob, { "topic.txt": "x\n" });
    expect(await push("topic")).not.toContain("rejected");
    await git.ok(["fetch", "-q"], { cwd: bob });
    await git.ok(["merge", "-q", "-m", "merge", "origin/main"], { cwd: bob });
    expect(await push("topic")).not.toContain("rejected");
    // A commit that changes the file, below another one, on a new branch.
    await git.ok(["checkout", "-q", "-b", "sly"], { cwd: bob });
    await commit(bob, { "a.bin": "sly\n" });
    await commit(bob, { "other.txt": "x\n" });
    const refused = await push("sly", "topic");
    expect(refused).toContain("! [remote rejected] sly -> sly (cannot update locked files)");
    expect(refused).toContain("* a.bin - alice");
    // A deletion is a change.
    await git.ok(["checkout", "-q", "topic"], { cwd: bob });
    await git.ok(["rm", "-q", "a.bin"], { cwd: bob });
    await git.ok(["commit", "-q", "-m", "delete"], { cwd: bob });
    expect(await push("topic")).toContain("cannot update locked files");
    await git.ok(["lfs", "unlock", "a.bin"], { cwd: alice });
    expect(await push("topic", "sly")).not.toContain("rejected");
  });
});
