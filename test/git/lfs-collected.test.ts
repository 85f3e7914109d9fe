/**
 * Git LFS objects that no pointer names any more: they go at once with a purge, and else when the grace period is over, but never
 * while another repository has them or an upload has just asked for them.
 *
 * @packageDocumentation
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { HostClock } from "../support/host-clock.ts";
import { LfsClient, lfsObject } from "../support/lfs-client.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const DAY = 24 * 60 * 60_000;

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let clock: HostClock;

beforeAll(async () => {
  host = await startTestHost({ hasClock: true });
  git = new GitSandbox("lfs-collected");
  operator = apiClient(host.base, "test-token");
  clock = new HostClock(host.base);
  await operator("PUT", "/tenants/acme");
  await git.ok(["lfs", "install", "--skip-repo"]);
});

afterAll(async () => {
  await host.stop();
  git.close();
});

const urlOf = (repo: string): string => withToken(`${host.base}/acme/${repo}.git`, "test-token");
const lfsOf = (repo: string): LfsClient => new LfsClient(`${host.base}/acme/${repo}.git`, "test-token");

/** Makes a repository whose main has `first`, and whose branch `topic` has `second`, too. */
async function repository(repo: string, first: Uint8Array, second: Uint8Array): Promise<string> {
  await operator("PUT", `/repos/acme/${repo}`);
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["remote", "add", "origin", urlOf(repo)], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  await commit(cwd, "first.bin", first);
  await git.ok(["push", "-q", "origin", "main"], { cwd });
  await git.ok(["checkout", "-q", "-b", "topic"], { cwd });
  await commit(cwd, "second.bin", second);
  await git.ok(["push", "-q", "origin", "topic"], { cwd });
  return cwd;
}

async function commit(cwd: string, name: string, bytes: Uint8Array): Promise<void> {
  writeFileSync(join(cwd, name), bytes);
  await git.ok(["add", "-A"], { cwd });
  await git.ok(["commit", "-q", "-m", name], { cwd });
}

/** Whether the bucket has the bytes. */
async function isStored(bytes: Uint8Array): Promise<boolean> {
  const { oid } = lfsObject(bytes);
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  return (await bucket.head(`lfs/acme/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`)) !== null;
}

/** Whether the repository gives the object. */
async function hasObject(repo: string, bytes: Uint8Array): Promise<boolean> {
  const [answer] = await lfsOf(repo).batch("download", [lfsObject(bytes)]);
  return answer?.["error"] === undefined;
}

async function gone(repo: string, bytes: Uint8Array): Promise<void> {
  await vi.waitUntil(async () => !(await hasObject(repo, bytes)), { timeout: WAIT_LIMIT, interval: 100 });
}

async function purged(repo: string): Promise<void> {
  expect((await operator("POST", `/repos/acme/${repo}/maintenance`, { purge: true })).status).toBe(202);
  await vi.waitUntil(async () => (await operator("GET", `/repos/acme/${repo}/maintenance`)).body["purging"] === false, {
    timeout: WAIT_LIMIT,
    interval: 100,
  });
}

async function maintained(repo: string): Promise<void> {
  await operator("POST", `/repos/acme/${repo}/maintenance`, {});
  await vi.waitUntil(async () => (await operator("GET", `/repos/acme/${repo}/maintenance`)).body["due"] === null, {
    timeout: WAIT_LIMIT,
    interval: 100,
  });
}

/**
 * Puts the clock forward. Alarms were set by the machine's clock before: objects that wake set them anew.
 */
async function pass(milliseconds: number): Promise<void> {
  await clock.advance(milliseconds);
  for (const id of await host.miniflare.listDurableObjectIds("REPOSITORIES")) {
    const asleep = host.miniflare.unsafeEvictDurableObject("thinpack", "RepositoryObject", { id });
    await asleep.catch(() => undefined); // Others may sleep already.
  }
}

const lfsBytes = async (repo: string): Promise<unknown> => {
  const { body } = await operator("GET", `/repos/acme/${repo}/usage`);
  return (body["stored"] as { lfs_bytes: unknown }).lfs_bytes;
};

it("a purge takes what a deleted branch had at once, and leaves what other refs and forks name", async () => {
  const [kept, secret] = [noise(2000, 1), noise(3000, 2)];
  const cwd = await repository("purged", kept, secret);
  const lonely = noise(900, 3);
  const copy = await repository("lender", kept, noise(100, 4));
  await git.ok(["push", "-q", "origin", ":topic"], { cwd });
  await purged("purged");
  expect(await hasObject("purged", secret)).toBe(false);
  await vi.waitUntil(async () => !(await isStored(secret)), { timeout: WAIT_LIMIT, interval: 100 });
  expect(await hasObject("purged", kept)).toBe(true);
  await vi.waitUntil(async () => (await lfsBytes("purged")) === 2000, { timeout: WAIT_LIMIT, interval: 100 });
  const clone = git.fresh();
  await git.ok(["clone", "-q", urlOf("purged"), clone]);
  await git.ok(["lfs", "fsck"], { cwd: clone });
  // What another repository has stays in the bucket, and is its own alone.
  await git.ok(["checkout", "-q", "--orphan", "other"], { cwd: copy });
  await git.ok(["rm", "-q", "-r", "--cached", "."], { cwd: copy });
  await commit(copy, "lonely.bin", lonely);
  await git.ok(["rm", "-q", "-f", "first.bin", "second.bin"], { cwd: copy });
  await git.ok(["commit", "-q", "--amend", "-m", "Alone"], { cwd: copy });
  await git.ok(["push", "-q", "-f", "origin", "other:main", ":topic"], { cwd: copy });
  await purged("lender");
  expect([await hasObject("lender", kept), await isStored(kept)]).toEqual([false, true]);
  expect([await hasObject("lender", lonely), await hasObject("purged", kept)]).toEqual([true, true]);
  // It can be pushed again.
  await git.ok(["checkout", "-q", "topic"], { cwd });
  await git.ok(["push", "-q", "origin", "topic"], { cwd });
  expect(await hasObject("purged", secret)).toBe(true);
});

it("a purge leaves what an upload has asked for, whose push is still to come", async () => {
  const [first, second, early] = [noise(1000, 11), noise(1100, 12), noise(1200, 13)];
  const cwd = await repository("awaited", first, second);
  await git.ok(["push", "-q", "origin", ":topic"], { cwd });
  const lfs = lfsOf("awaited");
  await lfs.batch("upload", [lfsObject(early)]);
  await lfs.put(lfsObject(early).oid, early);
  // This one is here already, so that its client sends no bytes again.
  expect(await lfs.batch("upload", [lfsObject(second)])).toEqual([lfsObject(second)]);
  await purged("awaited");
  expect([await hasObject("awaited", early), await hasObject("awaited", second)]).toEqual([true, true]);
  await git.ok(["push", "-q", "--no-verify", "origin", "topic"], { cwd });
  const clone = git.fresh();
  await git.ok(["clone", "-q", "-b", "topic", urlOf("awaited"), clone]);
  await git.ok(["lfs", "fsck"], { cwd: clone });
});

it("without a purge objects stay for the grace period, and then go by themselves, pushed once or never", async () => {
  const [first, second, never] = [noise(1000, 21), noise(1100, 22), noise(1200, 23)];
  const cwd = await repository("graced", first, second);
  const lfs = lfsOf("graced");
  await lfs.batch("upload", [lfsObject(never)]);
  await lfs.put(lfsObject(never).oid, never);
  await git.ok(["push", "-q", "origin", ":topic"], { cwd });
  // What refs were lately counts as reached.
  await pass(12 * 60_000);
  await maintained("graced");
  await pass(13 * DAY);
  expect([await hasObject("graced", second), await hasObject("graced", never)]).toEqual([true, true]);
  await pass(2 * DAY);
  await operator("PATCH", "/repos/acme/graced", { description: "woken" });
  await gone("graced", second);
  await gone("graced", never);
  await vi.waitUntil(async () => !(await isStored(second)) && !(await isStored(never)), { timeout: WAIT_LIMIT });
  expect(await hasObject("graced", first)).toBe(true);
});
