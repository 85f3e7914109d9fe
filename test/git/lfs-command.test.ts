/**
 * The command takes Git LFS along: `import` and `export` move the objects behind pointers with the stock client, and `lfs` shows
 * and fetches them.
 *
 * @packageDocumentation
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { type Ran, startCommand } from "../support/command.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { noise } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { lfsObject } from "../support/lfs-client.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let token = "";

const FILES = { "a.bin": noise(40_000, 1), "b.bin": noise(300, 2) };

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("lfs-command");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/tenants/acme");
  token = await issueToken(operator, "acme", "tenant:admin");
  await git.ok(["lfs", "install", "--skip-repo"]);
});

afterAll(async () => {
  await host.stop();
  git.close();
});

const run = async (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
  await startCommand(git, args, { env: { THINPACK_BASE: host.base, THINPACK_TOKEN: token, ...more } }).ended;

const urlOf = (repo: string): string => withToken(`${host.base}/acme/${repo}.git`, token);

/** Makes a working copy with Git LFS objects on two branches, and the place of its objects. */
async function source(): Promise<string> {
  const cwd = await git.init();
  await git.ok(["lfs", "install", "--local"], { cwd });
  await git.ok(["lfs", "track", "*.bin"], { cwd });
  for (const [name, bytes] of Object.entries(FILES)) {
    writeFileSync(join(cwd, name), bytes);
    await git.ok(["add", "-A"], { cwd });
    await git.ok(["commit", "-q", "-m", name], { cwd });
    if (name === "a.bin") await git.ok(["branch", "first"], { cwd });
  }
  return cwd;
}

const placeOf = (bytes: Uint8Array): string => {
  const { oid } = lfsObject(bytes);
  return join("lfs", "objects", oid.slice(0, 2), oid.slice(2, 4), oid);
};

/** Waits until the usage of a repository has that many bytes of objects: the tenant is told of them a moment later. */
async function isStored(repo: string, bytes: number): Promise<void> {
  await vi.waitFor(
    async () =>
      expect((await operator("GET", `/repos/acme/${repo}/usage`)).body).toMatchObject({ stored: { lfs_bytes: bytes } }),
    { timeout: WAIT_LIMIT },
  );
}

it("imports objects with the pointers, exports both, and shows and fetches them", async () => {
  const cwd = await source();
  const imported = await run(["import", cwd, "acme/moved"]);
  expect(imported).toMatchObject({ code: 0 });
  const clone = git.fresh("clone");
  await git.ok(["clone", "-q", urlOf("moved"), clone]);
  for (const [name, bytes] of Object.entries(FILES)) expect(readFileSync(join(clone, name)).equals(bytes)).toBe(true);

  await isStored("moved", 40_300);
  const shown = await run(["lfs", "show", "acme/moved", "--json"]);
  expect(JSON.parse(shown.stdout)).toMatchObject({ lfs_bytes: 40_300 });

  const copy = git.fresh("copy");
  const exported = await run(["export", "acme/moved", copy]);
  expect(exported).toMatchObject({ code: 0 });
  for (const bytes of Object.values(FILES)) expect(readFileSync(join(copy, placeOf(bytes))).equals(bytes)).toBe(true);
  await git.ok(["lfs", "fsck", "--objects"], { cwd: copy });
  await git.ok(["fsck", "--full", "--strict"], { cwd: copy });

  const bare = git.fresh("bare");
  expect((await run(["export", "--no-lfs", "acme/moved", bare])).code).toBe(0);
  expect(existsSync(join(bare, placeOf(FILES["a.bin"])))).toBe(false);
  expect(await run(["lfs", "fetch", "acme/moved", "--directory", bare])).toMatchObject({ code: 0 });
  expect(readFileSync(join(bare, placeOf(FILES["a.bin"]))).equals(FILES["a.bin"])).toBe(true);
});

it("walks the history as often with many branches as with one", async () => {
  const cwd = await source();
  const walks = async (name: string): Promise<number> => {
    const trace = git.fresh("trace");
    expect(await run(["import", cwd, name], { GIT_TRACE2_EVENT: trace })).toMatchObject({ code: 0 });
    const starts = readFileSync(trace, "utf8").matchAll(/"event":"start".*"argv":\[([^\]]*)\]/g);
    return [...starts].filter(([, argv]) => argv?.includes('"rev-list"')).length;
  };
  const before = await walks("acme/few");
  await git.ok(["fetch", "-q", ".", ...Array.from({ length: 20 }, (_, at) => `main:more-${at}`)], { cwd });
  expect(before).toBeGreaterThan(0);
  expect(await walks("acme/many")).toBe(before);
});

it("moves the repository's own objects, wherever the user keeps those of all repositories", async () => {
  const kept = git.fresh("kept");
  const others = join(kept, "objects", "aa", "bb");
  mkdirSync(others, { recursive: true });
  writeFileSync(join(others, `aabb${"0".repeat(60)}`), "somebody else's");
  const config = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "lfs.storage", GIT_CONFIG_VALUE_0: kept };
  expect(await run(["import", await source(), "acme/kept"], config)).toMatchObject({ code: 0 });
  await isStored("kept", 40_300);
  const copy = git.fresh("copy");
  expect(await run(["export", "acme/kept", copy], config)).toMatchObject({ code: 0 });
  for (const bytes of Object.values(FILES)) expect(readFileSync(join(copy, placeOf(bytes))).equals(bytes)).toBe(true);
});

it("imports pointers alone where that is asked for", async () => {
  const ran = await run(["import", "--no-lfs", await source(), "acme/pointers"]);
  expect(ran).toMatchObject({ code: 0 });
  expect((await operator("GET", "/repos/acme/pointers/usage")).body).toMatchObject({ stored: { lfs_bytes: 0 } });
});

it("says that objects are missing at the source, and brings the others", async () => {
  const cwd = await source();
  rmSync(join(cwd, ".git", placeOf(FILES["b.bin"])));
  const ran = await run(["import", cwd, "acme/partly"]);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("does not have all of its Git LFS objects")]);
  await isStored("partly", 40_000);
  const copy = git.fresh("partly");
  const exported = await run(["export", "acme/partly", copy]);
  expect([exported.code, exported.stderr]).toEqual([1, expect.stringContaining("the copy has the others")]);
  expect(readFileSync(join(copy, placeOf(FILES["a.bin"]))).equals(FILES["a.bin"])).toBe(true);
});

it("without the client says that it is needed, only where there are such files", async () => {
  const bin = git.path("bin");
  mkdirSync(bin, { recursive: true });
  // A git that has no `lfs` command.
  writeFileSync(
    join(bin, "git"),
    `#!/bin/sh\n[ "$1" = lfs ] && { echo "git: 'lfs' is not a git command." >&2; exit 1; }\nexec ${await realGit()} "$@"\n`,
    { mode: 0o755 },
  );
  const path = { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
  const ran = await run(["import", await source(), "acme/clientless"], path);
  expect([ran.code, ran.stderr]).toEqual([
    1,
    expect.stringContaining("install git-lfs, or leave them out with --no-lfs"),
  ]);
  const plain = await git.init();
  writeFileSync(join(plain, "x.txt"), "x\n");
  await git.ok(["add", "-A"], { cwd: plain });
  await git.ok(["commit", "-q", "-m", "x"], { cwd: plain });
  expect(await run(["import", plain, "acme/plain"], path)).toMatchObject({ code: 0 });
});

async function realGit(): Promise<string> {
  return `${await git.ok(["--exec-path"])}/git`;
}
