/** What `docs/operating.md` says of backups: when nothing is left but the bucket, its prefixes become repositories again. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { GitSandbox, refsAt, refsOf, withToken } from "../support/git-client.ts";
import { everything, importFixture } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("recovery");
const hosts: RunningHost[] = [];

afterAll(async () => {
  for (const host of hosts) await host.stop();
  git.close();
});

async function start(): Promise<RunningHost> {
  const host = await startTestHost();
  hosts.push(host);
  return host;
}

const remote = (host: RunningHost, name: string): string => withToken(`${host.base}/${name}.git`, host.token);

/** Copies those keys of the bucket that are wanted, as rclone would. */
async function copyBucket(host: RunningHost, directory: string, wanted: (key: string) => boolean): Promise<string[]> {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const { objects } = await bucket.list();
  const keys = objects.map(({ key }) => key).filter(wanted);
  for (const key of keys) {
    const object = await bucket.get(key);
    if (object === null) continue;
    mkdirSync(dirname(join(directory, key)), { recursive: true });
    writeFileSync(join(directory, key), new Uint8Array(await object.arrayBuffer()));
  }
  return keys;
}

/** Waits until the refs in the bucket are those of a repository. */
async function settled(host: RunningHost, cwd: string): Promise<void> {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const tip = await git.ok(["rev-parse", "refs/heads/main"], { cwd });
  await vi.waitFor(
    async () => {
      const { objects } = await bucket.list();
      const key = objects.map((object) => object.key).find((name) => name.endsWith(".git/packed-refs")) ?? "";
      expect(await (await bucket.get(key))?.text()).toContain(`${tip} refs/heads/main`);
    },
    { timeout: WAIT_LIMIT, interval: 200 },
  );
}

describe("a bucket without Durable Objects", () => {
  it("restores a repository under its name, as it was before a push that came during the copy", async () => {
    const first = await start();
    const source = await importFixture(git, "source", everything());
    await git.ok(["push", "-q", "--mirror", remote(first, "acme/widgets")], { cwd: source });
    await settled(first, source);
    const before = await refsOf(git, source);

    const backup = git.path("backup");
    const isObject = (key: string): boolean => key.includes(".git/objects/");
    const [refs = ""] = await copyBucket(first, backup, (key) => !isObject(key));
    const work = git.fresh();
    await git.ok(["clone", "-q", remote(first, "acme/widgets"), work]);
    await git.commit(work, "meanwhile.txt", "pushed during the copy\n");
    await git.ok(["push", "-q", "origin", "HEAD"], { cwd: work });
    await copyBucket(first, backup, isObject);

    const bare = join(backup, refs.slice(0, refs.indexOf(".git/") + ".git".length));
    await git.fsck(bare);
    const name = await git.ok(["config", "thinpack.repository"], { cwd: bare });
    expect(name).toBe("acme/widgets");

    const second = await start();
    await git.ok(["push", "-q", "--mirror", remote(second, name)], { cwd: bare });
    expect(await refsAt(git, remote(second, name))).toEqual(before);
    const copy = git.fresh();
    await git.ok(["clone", "-q", remote(second, name), copy]);
    await git.fsck(copy);
  });
});
