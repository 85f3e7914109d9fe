/**
 * `thinpack admin backup` and `restore`: what is lost comes back, as git and its users see it.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { type Ran, startCommand } from "../support/command.ts";
import { GitSandbox, refsAt, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";

const git = new GitSandbox("backup");
const hosts: RunningHost[] = [];
const key = git.path("backup.key");

afterAll(async () => {
  for (const host of hosts) await host.stop();
  git.close();
});

async function start(): Promise<RunningHost> {
  const host = await startTestHost({ publishAfter: "60" });
  hosts.push(host);
  return host;
}

/** Runs `thinpack admin` as the operator of a host. */
async function admin(host: RunningHost, ...args: string[]): Promise<Ran> {
  return await startCommand(git, ["--base", host.base, "--token", host.token, "--json", "admin", ...args]).ended;
}

const remote = (host: RunningHost, name: string, token = host.token): string =>
  withToken(`${host.base}/${name}.git`, token);

let host: RunningHost;
let operator: ApiClient;
let work = "";
let reader = "";

beforeAll(async () => {
  writeFileSync(key, randomBytes(32).toString("base64"));
  host = await start();
  operator = apiClient(host.base, host.token);
  await operator("PUT", "/tenants/acme", { quotas: { repos: 7 } });
  await operator("PUT", "/repos/acme/widgets", { description: "as it was", default_branch: "trunk" });
  reader = await issueToken(operator, "acme", "repo:read");
  work = await git.init();
  await git.commit(work, "a.txt", "one\n");
  await git.ok(["push", "-q", remote(host, "acme/widgets"), "main", "main:trunk"], { cwd: work });
});

describe("a deployment that is backed up", () => {
  it("is restored into an empty one, with its tokens", async () => {
    const directory = git.fresh("backup");
    expect(await admin(host, "backup", directory, "--key", key)).toMatchObject({ code: 0, stderr: "" });
    const other = await start();
    expect(await admin(other, "restore", directory, "--key", key)).toMatchObject({ code: 0, stderr: "" });
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", remote(other, "acme/widgets", reader), clone]);
    await git.fsck(clone);
    expect(await refsAt(git, remote(other, "acme/widgets", reader))).toEqual(
      await refsAt(git, remote(host, "acme/widgets", reader)),
    );
    const ask = apiClient(other.base, other.token);
    expect((await ask("GET", "/repos/acme/widgets")).body).toMatchObject({
      description: "as it was",
      default_branch: "trunk",
    });
    expect((await ask("GET", "/tenants/acme")).body).toMatchObject({ quotas: { repos: 7 }, repos: 1 });
    expect((await ask("GET", "/tenants")).body).toMatchObject({ tenants: [{ name: "acme" }] });
    await git.commit(work, "b.txt", "two\n");
    await git.ok(["push", "-q", remote(other, "acme/widgets"), "main"], { cwd: work });
  });
});
