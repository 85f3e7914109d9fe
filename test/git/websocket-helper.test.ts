/** `git clone thinpack::https://…`: git's helper that the command's package has. */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("helper");
let host: RunningHost;
let source = "";

beforeAll(async () => {
  host = await startTestHost();
  await git.useWebSockets();
  source = await importFixture(git, "source", linear(3));
  await git.ok(["push", "-q", at("acme/widgets"), "main"], { cwd: source });
});
afterAll(async () => {
  await host.stop();
  git.close();
});

const at = (path: string): string => `thinpack::${withToken(`${host.base}/${path}.git`, host.token)}`;
const bare = (path: string): string => `thinpack::${host.base}/${path}.git`;
const helper = (password: string): string[] => [
  "-c",
  `credential.helper=!f() { test "$1" = get && echo username=git && echo password=${password}; }; f`,
];

it("asks git's credential helpers, and says when the host refuses what they give", async () => {
  expect(await git.ok([...helper(host.token), "ls-remote", bare("acme/widgets"), "main"])).toContain("refs/heads/main");
  const { code, stderr } = await git.git([...helper("wrong"), "ls-remote", bare("acme/widgets")]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("fatal: Authentication failed: The token is not valid");
});

it("says why nothing can be read, and where nobody listens", async () => {
  expect((await git.git(["ls-remote", at("acme/missing")])).stderr).toContain("fatal: There is no such repository.");
  expect((await git.git(["ls-remote", "thinpack::http://localhost:1/a/b.git"])).stderr).toContain("ECONNREFUSED");
  expect((await git.git(["ls-remote", "thinpack::ftp://localhost/a/b.git"])).stderr).toContain("not of https:");
});

it("shows git's progress, and what the host says of a push", async () => {
  const { code, stderr } = await git.git(["push", "--progress", at("acme/new"), "main"], { cwd: source });
  expect(code).toBe(0);
  expect(stderr).toContain("Writing objects: 100%");
  expect(stderr).toContain("remote: The private repository acme/new was created by this push.");
  const refused = await git.git(["push", at("acme/widgets"), ":main"], { cwd: source });
  expect(refused.stderr).toContain("! [remote rejected] main (deletion of the current branch prohibited)");
});

it("pushes more than may be sent ahead, and clones it", async () => {
  const cwd = await git.init("large");
  writeFileSync(join(cwd, "large.bin"), randomBytes(12_000_000));
  await git.commit(cwd, "small.txt", "small\n");
  await git.ok(["push", "-q", at("acme/large"), "main"], { cwd });
  const copy = git.fresh();
  await git.ok(["clone", "-q", at("acme/large"), copy]);
  await git.fsck(copy);
  expect(await git.head(copy)).toBe(await git.head(cwd));
});

it("ends a push whose pack is refused with the reason, though more of it comes", async () => {
  const cwd = await git.init("damaged");
  await git.commit(cwd, "a.txt", "a\n");
  const tree = await git.ok(["rev-parse", "HEAD^{tree}"], { cwd });
  const bad = await git.ok(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], {
    cwd,
    input: `tree ${tree}\nauthor nobody\n\nno author\n`,
  });
  const { code, stderr } = await git.git(["push", at("acme/widgets"), `${bad}:refs/heads/bad`], { cwd });
  expect(code).not.toBe(0);
  expect(stderr).toContain("missingCommitter");
});

it("goes through a proxy, except to hosts that NO_PROXY names", async () => {
  const asked: string[] = [];
  const ended: string[] = [];
  const proxy: Server = createServer().on("connect", ({ url = "" }, client, head) => {
    asked.push(url);
    const server = connect(Number(new URL(`http://${url}`).port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      server.write(head);
      client.pipe(server).pipe(client);
      for (const [who, side] of Object.entries({ client, server })) side.once("end", () => ended.push(who));
    });
    server.on("error", () => client.destroy());
    client.on("error", () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  try {
    await git.ok(["ls-remote", at("acme/widgets")], { env: { http_proxy: url } });
    await git.ok(["-c", `http.proxy=${url}`, "ls-remote", at("acme/widgets")]);
    expect(asked).toEqual([new URL(host.base).host, new URL(host.base).host]);
    // The client goes by itself, and does not wait for the host to end the connection.
    await vi.waitUntil(() => ended.length === 4, { timeout: WAIT_LIMIT });
    expect(ended).toEqual(["client", "server", "client", "server"]);
    await git.ok(["ls-remote", at("acme/widgets")], { env: { http_proxy: url, NO_PROXY: "localhost" } });
    expect(asked).toHaveLength(2);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
